"""Heatmaps of landmarks, by the hourglass of a DIC that has learned to find them: what Super-FAN has its FAN for."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from srlab.faces.priors.prior import Prior
from srlab.networks.faces.dic import RecurrentHourglass
from srlab.networks.layout import State
from srlab.networks.weights import stripped, unwrapped

PART = "landmarks."
"""What the hourglass is called in DIC."""


class LandmarkHourglass(Prior):
    """68 heatmaps, a quarter as high and wide as the picture, whose sides are multiples of 64.

    Args:
        weights: a checkpoint or an export of network=dic; its average is taken where there is one.
        width: of its hourglass, framework.hourglass_width.
        mean: what it subtracts from each channel, framework.mean.
    """

    def __init__(self, weights: str | None, width: int = 256, mean: Sequence[float] = (0.509, 0.424, 0.378)) -> None:
        super().__init__(RecurrentHourglass(3, width), weights)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)

    @staticmethod
    def taken(content: Mapping[str, Any], inside: str | None) -> State:
        state = stripped(unwrapped(content, averaged=True), averaged=True)
        return {name.removeprefix(PART): tensor for name, tensor in state.items() if name.startswith(PART)}

    def features(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], and landmarks that it does not need -> (B, 68, H / 4, W / 4)."""
        heatmaps: Tensor = self.network(images - self.get_buffer("mean"))[0]
        return heatmaps
