"""What two sensors make of one scene: the blur of LR as matrices, and blur and spectral response estimated from a pair.

A band of the guide, reduced as LR's sensor does it, is a weighted sum of LR's bands. Of the blurs that are tried, the right
one lets such weights be found (the idea of HySure; Simoes et al., IEEE TGRS 53:6, 2015, section III, with a Gaussian blur).
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from srlab.degradation.mtf import MTF

GAINS = tuple(round(0.05 + 0.025 * place, 3) for place in range(23))
"""Of the MTF at Nyquist, that are tried: 0.05 to 0.6."""
SMOOTHNESS = 1e-5
"""Of a spectral response from band to band, beside the fit, both relative to LR's mean square."""


@lru_cache
def reducer(scale: int, gain: float, length: int) -> Tensor:
    """The MTF's blur and decimation of one axis as a matrix (length / scale, length), float32, whose rows sum to 1."""
    lines = torch.eye(length, dtype=torch.float64, device="cpu")  # each a row of an image that is zero else
    lines = lines[..., None].expand(-1, -1, scale)
    return MTF(scale, gain).reduce(lines)[..., 0].T.float().contiguous()


class Blur:
    """LR's spatial response, an image at a time or a blur for each: C and its exact adjoint.

    Args:
        rows: (B or 1, H / scale, H).
        columns: (B or 1, W / scale, W).
    """

    def __init__(self, rows: Tensor, columns: Tensor) -> None:
        self.rows, self.columns = rows[:, None], columns[:, None]

    @classmethod
    def of(cls, gains: Sequence[float], scale: int, guide: Tensor) -> "Blur":
        """That of sensors of known gains, one for each guide (B, G, H, W) or one for all."""
        rows, columns = (
            torch.stack([reducer(scale, gain, side) for gain in gains]).to(guide) for side in guide.shape[2:]
        )
        return cls(rows, columns)

    def reduce(self, image: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / scale, W / scale)."""
        return self.rows @ image @ self.columns.mT

    def adjoint(self, lr: Tensor) -> Tensor:
        """(B, C, H / scale, W / scale) -> (B, C, H, W)."""
        return self.rows.mT @ lr @ self.columns


def spectral_response(lr: Tensor, reduced: Tensor, smoothness: float = SMOOTHNESS) -> Tensor:
    """The weights of LR's bands in each of the guide's, smooth from band to band: (C, N), (G, N) -> (G, C)."""
    bands = len(lr)
    difference = torch.diff(torch.eye(bands, dtype=lr.dtype, device=lr.device), dim=0)
    gram = lr @ lr.T
    power = gram.diagonal().mean().clamp(min=1e-12)  # of a scene without data, all zero, the response is 0
    penalty = smoothness * power * (difference.T @ difference)
    ridge = 1e-8 * power * torch.eye(bands, dtype=lr.dtype, device=lr.device)
    response: Tensor = torch.linalg.solve(gram + penalty + ridge, lr @ reduced.T)
    return response.T


def estimate_responses(lr: Tensor, guide: Tensor, scale: int) -> tuple[float, Tensor]:
    """The gain of LR's MTF, and the guide's response (G, C), of one scene: (C, H, W), (G, scale H, scale W).

    What a blur leaves unexplained is measured against what it leaves of the guide, lest the strongest blur be the best.
    """
    pixels = lr.double().flatten(1)
    found: list[tuple[float, float, Tensor]] = []
    for gain in GAINS:
        reduced = Blur.of([gain], scale, guide[None].double()).reduce(guide[None].double())[0].flatten(1)
        response = spectral_response(pixels, reduced)
        error = (response @ pixels - reduced).square().sum()
        spread = (reduced - reduced.mean(1, keepdim=True)).square().sum()
        found.append((float(error / spread.clamp(min=1e-12)), gain, response))
    _, gain, response = min(found, key=lambda one: one[0])
    return gain, response
