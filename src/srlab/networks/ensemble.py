"""A learned sum of the predictions that a recursive backbone makes on its way (DRCN, section 3.2; MemNet, section 3.3)."""

import torch
from torch import Tensor, nn

from srlab.types import Prediction


class Ensemble(nn.Module):
    """sr = sum over steps of w_d times prediction d; each prediction is an intermediate output, "step1" the first.

    Args:
        steps: predictions; the weights start equal, with sum 1.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.full((steps,), 1 / steps))

    def forward(self, predictions: list[Tensor]) -> Prediction:
        sr = sum(weight * one for weight, one in zip(self.weights, predictions, strict=True))
        assert isinstance(sr, Tensor)
        return Prediction(sr, {f"step{place}": one for place, one in enumerate(predictions, start=1)})


def ensemble_of(backbone: nn.Module) -> Ensemble:
    """The ensemble for a backbone that makes several states: it publishes `steps` and `states(image)`, a list.

    Raises:
        ValueError: the backbone makes one state only.
    """
    steps = getattr(backbone, "steps", None)
    if not isinstance(steps, int) or not callable(getattr(backbone, "states", None)):
        raise ValueError(
            f"{type(backbone).__name__} makes one prediction only, so that there is nothing to average: set "
            f"framework.ensemble=false, or choose a backbone with steps, such as drcn or memnet."
        )
    return Ensemble(steps)
