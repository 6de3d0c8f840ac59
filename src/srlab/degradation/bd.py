"""BD of the video papers: a Gaussian, then every scale-th pixel, beginning with the first (DUF, Jo et al., CVPR 2018).

An LR pixel lies *on* the first of the scale x scale HR pixels that it stands for, at 0, 4, 8, ..., and not in their
middle as in bicubic reduction and in `degradation=blur`: what enlarges such LR by interpolation must do it by the same
phase (`phase=first`), or it is 1.5 HR pixels off at x4, which costs 1.7 dB on Vid4.
"""

import math

from torch import Tensor

from srlab.borders import Borders
from srlab.degradation.base import Degradation, Degraded, round_up
from srlab.degradation.rounding import quantize
from srlab.degradation.separable import reduce_by


class BD(Degradation):
    """Blur by a Gaussian and keep every scale-th pixel from the first on: (B, C, H, W) -> (B, C, H / s, W / s).

    Args:
        scale: HR pixels per LR pixel.
        sigma: of the Gaussian, in HR pixels: 1.6 (DUF, EDVR, BasicVSR), 1.5 (FRVSR, TecoGAN).
        kernel_size: K, odd: 13 in all of them.
        borders: `replicate` (EDVR's MATLAB script), `reflect` (DUF).
        rounded: LR to the image's depth; a float image (levels = 0) never is.
    """

    def __init__(
        self,
        scale: int,
        sigma: float = 1.6,
        kernel_size: int = 13,
        borders: Borders = "replicate",
        rounded: bool = True,
    ) -> None:
        super().__init__()
        if scale < 1:
            raise ValueError(f"scale={scale}: give 1 or more.")
        self.scale, self.borders, self.rounded = scale, borders, rounded
        self.sigma, self.taps = float(sigma), gaussian_taps(kernel_size, sigma)
        self.margin = round_up(kernel_size // 2, scale)

    @property
    def tag(self) -> str:
        return bd_tag(self.sigma)

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        return Degraded(self.reduce(hr, levels), {})

    def reduce(self, hr: Tensor, levels: int | Tensor) -> Tensor:
        """The same for images of any size, without a batch's bookkeeping."""
        lr = reduce_by(hr, self.taps, self.scale, self.borders)
        return quantize(lr, levels) if self.rounded else lr


def bd_tag(sigma: float) -> str:
    """What LR made so is called, where networks that are trained on it are told from others."""
    return f"bd {sigma:g}"


def gaussian_taps(size: int, sigma: float) -> list[float]:
    """A Gaussian about the middle of `size` taps, an odd number, sum 1."""
    if size < 1 or size % 2 == 0 or not sigma > 0:
        raise ValueError(
            f"kernel_size={size} must be odd, and sigma={sigma} above 0: the papers have 13 and 1.6 or 1.5."
        )
    taps = [math.exp(-0.5 * ((place - size // 2) / sigma) ** 2) for place in range(size)]
    return [tap / sum(taps) for tap in taps]
