"""Learning-rate schedules: pure functions of the iteration, so that a resumed run needs nothing but its position.

Each maps an iteration (from 0) to a factor of the optimizer's own learning rate. A linear warm-up is part of each.
"""

import math
from collections.abc import Sequence


class Constant:
    """The optimizer's rate throughout, after a warm-up.

    Args:
        warmup: iterations over which the factor rises linearly to 1.
    """

    def __init__(self, warmup: int = 0) -> None:
        if warmup < 0:
            raise ValueError(f"scheduler.warmup={warmup}: give the number of iterations, 0 or more.")
        self.warmup = warmup

    def __call__(self, iteration: int) -> float:
        warm = min(1.0, (iteration + 1) / self.warmup) if self.warmup else 1.0
        return warm * self.decay(iteration)

    def decay(self, iteration: int) -> float:
        """The factor apart from the warm-up."""
        return 1.0


class Cosine(Constant):
    """Half a cosine from 1 to `floor` over the training (SGDR without restarts; Loshchilov and Hutter, ICLR 2017)."""

    def __init__(self, iterations: int, floor: float = 0.0, warmup: int = 0) -> None:
        super().__init__(warmup)
        if iterations <= warmup:
            raise ValueError(f"scheduler.warmup={warmup} leaves nothing of iterations={iterations}: shorten it.")
        self.iterations, self.floor = iterations, floor

    def decay(self, iteration: int) -> float:
        progress = min(1.0, max(0, iteration - self.warmup) / (self.iterations - self.warmup))
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * progress))


class MultiStep(Constant):
    """Multiply by `factor` at each milestone.

    Args:
        milestones: iterations, or fractions of the training where all lie between 0 and 1.
        iterations: length of the training.
        factor: EDSR halves its rate.
        warmup: see `Constant`.
    """

    def __init__(self, milestones: Sequence[float], iterations: int, factor: float = 0.5, warmup: int = 0) -> None:
        super().__init__(warmup)
        if list(milestones) != sorted(milestones):
            raise ValueError(f"scheduler.milestones={list(milestones)} are not in ascending order: sort them.")
        fractions = all(0 < milestone < 1 for milestone in milestones)
        self.milestones = [round(milestone * iterations) if fractions else int(milestone) for milestone in milestones]
        self.factor = factor

    def decay(self, iteration: int) -> float:
        passed: int = sum(iteration >= milestone for milestone in self.milestones)
        return self.factor**passed
