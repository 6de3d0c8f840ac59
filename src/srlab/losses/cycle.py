"""Cycle consistency: what is enlarged and reduced again should be what it was (CinCGAN; Yuan et al., CVPRW 2018)."""

from torch import Tensor, nn

from srlab.degradation.resize import resize
from srlab.losses.weighted import Step, Term
from srlab.schedules import Schedule


class Cycle(Term):
    """LR -> SR -> LR: a loss between the LR image and SR on its way back.

    The way back is the step's own network, where one is trained (`Step.back`); else bicubic reduction.

    Args:
        loss: (returned, lr) -> ().
        weight, ramp: see `Term`.
    """

    def __init__(self, loss: nn.Module, weight: float = 1.0, ramp: Schedule | None = None) -> None:
        super().__init__(weight, ramp)
        self.loss = loss

    def measure(self, step: Step) -> Tensor:
        sr, lr = step.prediction.sr, step.batch.lr
        returned = resize(sr, size=(lr.shape[2], lr.shape[3])) if step.back is None else step.back(sr)
        value: Tensor = self.loss(returned, lr)
        return value
