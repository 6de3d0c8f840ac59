import torch
from torch import Tensor

from srlab.losses.weighted import Step
from srlab.types import Batch, Prediction


def step_of(sr: Tensor, hr: Tensor, lr: Tensor | None = None, **others: object) -> Step:
    """A step whose network said `sr` where `hr` was right."""
    batch = Batch(hr[..., ::2, ::2] if lr is None else lr, hr, torch.arange(len(hr)))
    return Step(Prediction(sr, {}), batch, **others)  # type: ignore[arg-type]
