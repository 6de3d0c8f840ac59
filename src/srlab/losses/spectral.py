"""Losses of cubes: angles between spectra, and what two sensors would see of a result."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradation.base import trim
from srlab.degradation.mtf import MTF
from srlab.errors import InputError
from srlab.losses.weighted import Step, Term
from srlab.networks.cubes.responses import spectral_response
from srlab.schedules import Schedule


class SpectralAngle(nn.Module):
    """The mean of 1 - cosine of the angle between spectra: (B, C, H, W), (B, C, H, W) -> () (HSpeNet)."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return 1 - F.cosine_similarity(sr.float(), hr.float(), dim=1, eps=1e-6).mean()


class SpatialSpectralVariation(nn.Module):
    """The mean absolute difference of neighbours, down, across and from band to band, of SR alone (SSPSR).

    As the paper has it; the authors' code takes squares, those of bands twice. A single band has no neighbour.
    """

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        differences = [sr.float().diff(dim=dim).abs() for dim in (1, 2, 3)]
        return torch.stack([one.sum() / max(one.numel(), 1) for one in differences]).sum()


class Consistency(Term):
    """No HR: SR, reduced by the sensor's MTF, is LR; and its bands, by the guide's response, are the guide.

    What real pairs of sensors can be trained with, of which no truth exists.

    Args:
        scale: HR pixels per LR pixel.
        gain: of the MTF: see `mtf_taps`.
        guide_bands: ranges of bands [from, to), each of whose means is a band of the guide, as data.scene.guide_bands has
            them; `estimated`: the guide's response is found in each batch, from LR and the guide as LR's sensor sees it;
            None: the guide is not compared.
        guide_weight: of the second part, beside the first.
        weight, ramp: see `Term`.

    Raises:
        InputError: at a step whose LR images are no larger than what the blur of a border reaches.
    """

    needs_truth = False

    def __init__(
        self,
        scale: int,
        gain: float = 0.3,
        guide_bands: list[list[int]] | Literal["estimated"] | None = None,
        guide_weight: float = 1.0,
        weight: float = 1.0,
        ramp: Schedule | None = None,
    ) -> None:
        super().__init__(weight, ramp)
        self.mtf, self.guide_bands, self.guide_weight = MTF(scale, gain), guide_bands, guide_weight

    def measure(self, step: Step) -> Tensor:
        return self.measure_parts(step)[0]

    def measure_parts(self, step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        sr, batch = step.prediction.sr.float(), step.batch
        reach = self.mtf.margin // self.mtf.scale  # LR near a crop's borders saw what lies beyond them
        if min(batch.lr.shape[-2:]) <= 2 * reach:
            raise InputError(
                f"an LR image of {tuple(batch.lr.shape[-2:])} has no pixel whose blur, {reach} LR pixels to each side, lies "
                f"within it, and the loss consistency compares these: set data.patch to {2 * reach + 1} or more."
            )
        seen = trim(self.mtf.reduce(sr), reach)
        parts = {"lr": F.l1_loss(seen, trim(batch.lr.float(), reach))}
        if self.guide_bands is not None:
            if batch.guide is None:
                raise ValueError("the loss compares SR with a guide, and the data has none: take data with guides.")
            response = self.response(batch.lr.float(), batch.guide.float())
            bands = torch.einsum("gc,bchw->bghw", response, sr)
            parts["guide"] = self.guide_weight * F.l1_loss(bands, batch.guide.float())
        return torch.stack(list(parts.values())).sum(), {name: part.detach() for name, part in parts.items()}

    @torch.no_grad()
    def response(self, lr: Tensor, guide: Tensor) -> Tensor:
        """The weights of the bands in each of the guide's: (G, C)."""
        if self.guide_bands == "estimated":
            seen = self.mtf.reduce(guide)
            reach = self.mtf.margin // self.mtf.scale
            table, wanted = (trim(one, reach).transpose(0, 1).flatten(1).double() for one in (lr, seen))
            return spectral_response(table, wanted).to(lr)
        assert self.guide_bands is not None
        response = lr.new_zeros(len(self.guide_bands), lr.shape[1])
        for row, (first, end) in zip(response, self.guide_bands, strict=True):
            row[first:end] = 1 / (end - first)
        return response
