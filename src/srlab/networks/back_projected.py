"""Enlarging through a known reduction, without anything to train: bicubic, then back-projection."""

from torch import Tensor

from srlab.degradation.reduction import Reduction
from srlab.degradation.resize import resize
from srlab.inference.back_projection import back_project
from srlab.networks.network import Network
from srlab.types import Prediction


class BackProjected(Network):
    """Bicubic enlargement, made to agree with LR: (B, C, H, W) -> (B, C, scale H, scale W) in [0, 1].

    Args:
        channels: C.
        reduction: how LR came from HR; its kernel may be replaced.
        iterations: of the back-projection.
    """

    def __init__(self, channels: int, reduction: Reduction, iterations: int = 10) -> None:
        super().__init__(channels, reduction.scale, multiple_of=1, halo=None)
        self.reduction, self.iterations = reduction, iterations

    def predict(self, lr: Tensor) -> Prediction:
        enlarged = resize(lr, scale=self.scale).clamp(0, 1)
        return Prediction(back_project(enlarged, lr, self.reduction, self.iterations), {})
