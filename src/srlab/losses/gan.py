"""The adversarial loss as a term of the generator's objective."""

import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.losses.adversarial import Objective
from srlab.losses.weighted import Step, Term
from srlab.schedules import Schedule


class GAN(Term):
    """How real the step's discriminator takes SR for. The paradigm trains the discriminator by the same objective.

    Args:
        objective: of both players.
        warmup: iterations without it, in which the discriminator rests too.
        weight, ramp: see `Term`.
    """

    def __init__(
        self, objective: Objective, warmup: int = 0, weight: float = 1.0, ramp: Schedule | None = None
    ) -> None:
        super().__init__(weight, ramp)
        if warmup < 0:
            raise ValueError(f"loss.gan.warmup={warmup}: give the number of iterations, 0 or more.")
        self.objective, self.warmup = objective, warmup

    def weight_at(self, iteration: int) -> float:
        return super().weight_at(iteration) if iteration > self.warmup else 0.0

    def measure(self, step: Step) -> Tensor:
        if step.discriminator is None:
            raise InputError("An adversarial loss needs a discriminator: choose paradigm=adversarial, or another loss.")
        fake = step.discriminator(step.prediction.sr).float()
        if not self.objective.compares:
            return self.objective.generator(fake)
        with torch.no_grad():
            real = step.discriminator(step.batch.hr).float()
        return self.objective.generator(fake, real)
