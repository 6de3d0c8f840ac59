"""A learning rate that falls where an error no longer does (ZSSR; Shocher et al., CVPR 2018, section 3.3)."""

import math
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any


@dataclass
class SlopePolicy:
    """Divide the rate by ten when the slope of a line through the last errors is small beside its uncertainty.

    Iterations count from 0. The errors are samples at 0, `sample_every`, 2 `sample_every`, ...

    Args:
        every: iterations from one check to the next.
        least: iterations from one drop to the next, at the least.
        window: iterations over which the line is fitted.
        sample_every: iterations between two errors.
        ratio: the rate drops where -ratio * slope is at most the slope's standard deviation.
    """

    every: int = 60
    least: int = 256
    window: int = 256
    sample_every: int = 50
    ratio: float = 1.5
    errors: list[float] = field(default_factory=list, init=False)
    dropped_at: int = field(default=0, init=False)
    drops: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if min(self.every, self.least, self.sample_every) < 1 or self.window < 3 * self.sample_every:
            raise ValueError(
                f"policy: every={self.every}, least={self.least}, sample_every={self.sample_every} must be 1 or more, and "
                f"window={self.window} at least three samples long."
            )

    @property
    def factor(self) -> float:
        """Of the learning rate."""
        return float(0.1**self.drops)

    def wants_sample(self, iteration: int) -> bool:
        """Whether the error after this iteration is to be noted."""
        return iteration % self.sample_every == 0

    def check(self, iteration: int) -> bool:
        """Whether the rate drops after this iteration; if so, it has dropped."""
        if (iteration + 1) % self.every or iteration - self.dropped_at <= self.least:
            return False
        slope, deviation = line(self.errors[-(self.window // self.sample_every) :], self.sample_every)
        if -self.ratio * slope > deviation:
            return False
        self.drops, self.dropped_at = self.drops + 1, iteration
        return True

    def restart(self) -> None:
        """Begin anew, at the full rate."""
        self.errors, self.dropped_at, self.drops = [], 0, 0

    def state(self) -> dict[str, Any]:
        """All that changes, as plain values."""
        return {"errors": list(self.errors), "dropped_at": self.dropped_at, "drops": self.drops}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.errors, self.dropped_at, self.drops = list(state["errors"]), state["dropped_at"], state["drops"]


def line(values: list[float], spacing: float) -> tuple[float, float]:
    """The slope of the least-squares line through evenly spaced values, and its standard deviation."""
    middle, mean = (len(values) - 1) / 2, fmean(values)
    places = [(place - middle) * spacing for place in range(len(values))]
    spread = sum(place**2 for place in places)
    slope = sum(place * (value - mean) for place, value in zip(places, values, strict=True)) / spread
    residual = sum((value - mean - slope * place) ** 2 for place, value in zip(places, values, strict=True))
    return slope, math.sqrt(residual / (len(values) - 2) / spread)
