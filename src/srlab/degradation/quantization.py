"""The last step of a chain that is saved as a file: clamp and round."""

from torch import Tensor

from srlab.degradation.base import Degradation, Degraded
from srlab.degradation.rounding import quantize


class Quantize(Degradation):
    """Clamp to [0, 1] and round to each image's depth; float images (levels = 0) are only clamped."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = 1
        self.margin = 0

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        return Degraded(quantize(hr, levels), {})
