"""Learning-rate schedules: pure functions of the iteration, so that a resumed run needs nothing but its position.

Each maps an iteration (from 0) to a factor of the optimizer's own learning rate. A linear warm-up is part of each.
"""

import math
from collections.abc import Callable, Sequence

Schedule = Callable[[int], float]
"""Iteration (from 0) -> factor."""


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


class Linear:
    """From `start` to `end` in a straight line between two iterations, and constant before and after: a ramp.

    Args:
        start, end: the values.
        first, last: the iterations between which it goes; fractions of the training where both lie in 0 to 1.
        iterations: length of the training, for fractions.
    """

    def __init__(self, start: float, end: float, first: float = 0.0, last: float = 1.0, iterations: int = 1) -> None:
        if not 0 <= first < last:
            raise ValueError(f"first={first}, last={last}: a ramp needs 0 <= first < last.")
        fractions = last <= 1
        self.start, self.end = start, end
        self.first, self.last = (first * iterations, last * iterations) if fractions else (first, last)

    def __call__(self, iteration: int) -> float:
        progress = (iteration - self.first) / (self.last - self.first)
        return self.start + (self.end - self.start) * min(1.0, max(0.0, progress))
