"""Any number of a training as a function of the iteration: loss weights, degradations, optimizer settings."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import lightning.pytorch as pl
from torch import nn
from torch.optim import Optimizer

from srlab.schedules import Linear, Schedule

OPTIMIZERS = ("optimizer", "optimizer_d")
"""What the configuration calls the paradigm's optimizers, in their order."""
LOSS, DEGRADATION = "loss", "degradation"


class Ramps:
    """Settings by their path in the configuration, each on a straight line between two iterations.

    Paths start with `loss` ("loss.gan.weight"), `optimizer`, `optimizer_d` ("optimizer.lr": the rate that the scheduler
    multiplies) or `degradation` ("degradation.steps.1.sigma.1": the upper end of the second step's range). A range that is
    named without its end shrinks to the number. What is set is a function of the iteration alone.

    Args:
        settings: path -> the arguments of `srlab.schedules.Linear`: start, end, first, last.
        iterations: of the run, for `first` and `last` as fractions.

    Raises:
        ValueError: a path that starts with none of these.
    """

    def __init__(self, settings: Mapping[str, Mapping[str, float]], iterations: int) -> None:
        known = (LOSS, *OPTIMIZERS, DEGRADATION)
        for path in settings:
            if path.partition(".")[0] not in known or "." not in path:
                raise ValueError(
                    f"ramps.settings: {path!r} is no setting that can move: name one of {', '.join(known)}."
                )
        self.schedules: dict[str, Schedule] = {
            path: Linear(iterations=iterations, **numbers) for path, numbers in settings.items()
        }

    def values(self, batch: int) -> dict[str, float]:
        """Each setting in a batch, counted from 0."""
        return {path: schedule(batch) for path, schedule in self.schedules.items()}

    def move_training(self, module: pl.LightningModule, optimizers: Sequence[Optimizer], batch: int) -> None:
        """Set what a paradigm and its optimizers are to have in a batch.

        Raises:
            ValueError: there is no such setting.
        """
        for root, path, value in self._at(batch):
            if root == LOSS:
                put(module.loss.terms, path, value)  # type: ignore[union-attr]
            elif root in OPTIMIZERS:
                place = OPTIMIZERS.index(root)
                if place >= len(optimizers):
                    raise ValueError(f"ramps.settings: {root} has no place in this paradigm.")
                for group in optimizers[place].param_groups:
                    put(group, ["initial_lr" if name == "lr" else name for name in path], value)

    def move_degradation(self, degradation: nn.Module, batch: int) -> None:
        """Set what a degradation is to have in a batch."""
        for root, path, value in self._at(batch):
            if root == DEGRADATION:
                put(degradation, path, value)

    def _at(self, batch: int) -> Iterator[tuple[str, list[str], float]]:
        for path, value in self.values(batch).items():
            root, *rest = path.split(".")
            yield root, rest, value


def put(root: Any, path: Sequence[str], value: float) -> None:
    """Set the number at a path of attributes, keys and places; in a range (a tuple), one end or both.

    Raises:
        ValueError: there is no number at that path.
    """
    *way, last = path
    try:
        old = reduce(step, path, root)
        numbers = old if isinstance(old, tuple | list) else (old,)
        if not numbers or not all(
            isinstance(number, int | float) and not isinstance(number, bool) for number in numbers
        ):
            raise TypeError
        new: Any = type(old)([value] * len(old)) if isinstance(old, tuple | list) else value
        holder = reduce(step, way, root)
        if isinstance(holder, tuple):
            ends = list(holder)
            ends[int(last)] = new
            setattr(reduce(step, way[:-1], root), way[-1], tuple(ends))
        elif isinstance(holder, dict):
            holder[last] = new
        elif isinstance(holder, list):
            holder[int(last)] = new
        else:
            setattr(holder, last, new)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"ramps.settings: there is no number {'.'.join(path)} in {type(root).__name__}.") from error


def step(node: Any, name: str) -> Any:
    """One part of a path further: an attribute, a key, or a place."""
    if isinstance(node, nn.ModuleList | tuple | list):
        return node[int(name)]
    if isinstance(node, dict | nn.ModuleDict):
        return node[name]
    return getattr(node, name)
