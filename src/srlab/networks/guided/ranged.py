"""What networks of depth have in common: a map is scaled by what LR shows of it, whatever its unit and its range."""

from abc import abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor

from srlab.degradation.reduction import Interpolating
from srlab.degradation.resize import resize
from srlab.networks.frequencies import low_pass
from srlab.networks.interpolation import enlarge
from srlab.networks.network import GuidedNetwork
from srlab.types import Prediction

LEAST_SPAN = 1e-3
"""Of the scale's range: below, a map is even, and its noise is not worth being stretched."""

# Of ImageNet, with which DKN, FDSR and DCTNet centre their photographs.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def full_precision(image: Tensor) -> AbstractContextManager[object]:
    """Without autocast; an image on the meta device has none."""
    return nullcontext() if image.is_meta else torch.autocast(image.device.type, enabled=False)


class Ranged(GuidedNetwork):
    """Refine a map scaled to [0, 1], and scale the result back: (B, 1, H, W), (B, G, scale H, scale W) -> Prediction.

    A subclass implements `refine`.

    Args:
        scale: HR pixels per LR pixel.
        guide_channels: G: 3, a photograph.
        range_from: `lr`: 0 and 1 are the least and the largest depth of LR; `given`: those of the map as it is handed.
        back_projections: of the result, when not training: it comes nearer to what LR says (Irani and Peleg, 1991).
        multiple_of: see `Network`.
        halo: see `Network`.
        channels: of the map: 1.

    Raises:
        ValueError: another number of channels, or options that cannot be.
    """

    def __init__(
        self,
        scale: int,
        guide_channels: int = 3,
        range_from: Literal["lr", "given"] = "lr",
        back_projections: int = 0,
        multiple_of: int = 1,
        halo: int | None = None,
        channels: int = 1,
    ) -> None:
        # the range of LR is that of the whole image, and so is what a pixel depends on
        super().__init__(channels, scale, multiple_of, None if range_from == "lr" else halo, guide_channels)
        if channels != 1:
            raise ValueError(f"channels={channels}: depth has one channel, set channels=1.")
        if range_from not in ("lr", "given"):
            raise ValueError(f"range_from={range_from!r}: choose lr or given.")
        if back_projections < 0:
            raise ValueError(f"back_projections={back_projections}: give 0 or more.")
        self.range_from, self.back_projections = range_from, back_projections
        self.reduction = Interpolating(scale)

    def predict_guided(self, lr: Tensor, guide: Tensor) -> Prediction:
        if self.range_from == "given":
            return Prediction(self.projected(self.refine(lr, guide), lr), {})
        low, high = lr.amin((1, 2, 3), keepdim=True), lr.amax((1, 2, 3), keepdim=True)
        span = (high - low).clamp(min=LEAST_SPAN)
        scaled = (lr - low) / span
        return Prediction(low + span * self.projected(self.refine(scaled, guide), scaled).float(), {})

    @abstractmethod
    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        """Enlarge a map: (B, 1, H, W) in [0, 1], guide (B, G, scale H, scale W) in [0, 1] -> (B, 1, scale H, scale W)."""

    def projected(self, sr: Tensor, lr: Tensor) -> Tensor:
        """Add what LR lacks of it, again and again; beyond [0, 1] too."""
        if self.training:
            return sr
        for _ in range(self.back_projections):
            lacking = lr - self.reduction.to_size(sr.float(), (lr.shape[2], lr.shape[3]))
            sr = sr + resize(lacking, scale=self.scale)
        return sr

    def enlarged(self, lr: Tensor) -> Tensor:
        """The map by bicubic interpolation."""
        return enlarge(lr, self.scale, "bicubic")


def centred(photograph: Tensor) -> Tensor:
    """A photograph (B, 3, H, W) with ImageNet's mean at 0 and its deviation at 1; other guides as they are."""
    if photograph.shape[1] != len(MEAN):
        return photograph
    mean, deviation = (photograph.new_tensor(values).view(1, -1, 1, 1) for values in (MEAN, DEVIATION))
    return (photograph - mean) / deviation


def box(image: Tensor, radius: int) -> Tensor:
    """The mean of the pixels at most `radius` away on each axis, of those inside the image: (B, C, H, W) -> the same."""
    return low_pass(image, 2 * radius + 1)
