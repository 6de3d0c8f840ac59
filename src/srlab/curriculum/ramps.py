"""Any number of a training as a function of the iteration: of losses, degradations, optimizers and paradigms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import FrozenInstanceError, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.optim import Optimizer

from srlab.errors import InputError
from srlab.schedules import Linear, Schedule

if TYPE_CHECKING:
    from srlab.paradigms.base import SuperResolution

OPTIMIZERS = ("optimizer", "optimizer_d", "optimizer_g")
"""What the configuration may call an optimizer; which of a paradigm's it is, `optimizer_names` says."""
LOSS, DEGRADATION, PARADIGM = "loss", "degradation", "paradigm"
ROOTS = (LOSS, *OPTIMIZERS, DEGRADATION, PARADIGM)


class Ramps:
    """Settings by their path in the configuration, each on a straight line between two iterations.

    Paths start with `loss` ("loss.gan.weight"), `optimizer`, `optimizer_d` or `optimizer_g` ("optimizer.lr": the rate that
    the scheduler multiplies), `degradation` ("degradation.steps.1.sigma.1": the upper end of the second step's range), or
    `paradigm` ("paradigm.noise_sigma", "paradigm.inner.cycle": a number that its steps read). A range that is named
    without its end shrinks to the number. What is set is a function of the iteration alone.

    Args:
        settings: path -> the arguments of `srlab.schedules.Linear`: start, end, first, last.
        iterations: of the run, for `first` and `last` as fractions.

    Raises:
        ValueError: a path that starts with none of these.
    """

    def __init__(self, settings: Mapping[str, Mapping[str, float]], iterations: int) -> None:
        for path in settings:
            if path.partition(".")[0] not in ROOTS or "." not in path:
                raise ValueError(
                    f"ramps.settings: {path!r} is no setting that can move: name one of {', '.join(ROOTS)}. What shapes "
                    f"the network and the batches stands throughout."
                )
        self.schedules: dict[str, Schedule] = {
            path: Linear(iterations=iterations, **numbers) for path, numbers in settings.items()
        }

    @property
    def of_degradation(self) -> list[str]:
        """The paths that start with `degradation`."""
        return [path for path in self.schedules if path.startswith(f"{DEGRADATION}.")]

    def check(self, module: "SuperResolution", degradation: nn.Module) -> None:
        """Refuse settings that there are not (`InputError`): set what the first batch is to have."""
        made = module.configure_optimizers()
        self.move_training(module, made if isinstance(made, list) else [made], 0)  # type: ignore[list-item]
        self.move_degradation(degradation, 0)

    def values(self, batch: int) -> dict[str, float]:
        """Each setting in a batch, counted from 0."""
        return {path: schedule(batch) for path, schedule in self.schedules.items()}

    def move_training(self, module: "SuperResolution", optimizers: Sequence[Optimizer], batch: int) -> None:
        """Set what a paradigm and its optimizers are to have in a batch.

        Raises:
            InputError: there is no such setting.
        """
        for path, root, rest, value in self._at(batch):
            if root == LOSS:
                put(module, ["loss", "terms", *rest], value, path)
            elif root == PARADIGM:
                put(module, rest, value, path, whole=False)
            elif root in OPTIMIZERS:
                named = [one for one, name in zip(optimizers, module.optimizer_names, strict=True) if name == root]
                if not named:
                    raise InputError(f"ramps.settings: {path} has no place in this paradigm, which has no {root}.")
                for group in (group for one in named for group in one.param_groups):
                    put(group, ["initial_lr" if name == "lr" else name for name in rest], value, path)

    def move_degradation(self, degradation: nn.Module, batch: int) -> None:
        """Set what a degradation is to have in a batch.

        Raises:
            InputError: there is no such setting.
        """
        for path, root, rest, value in self._at(batch):
            if root == DEGRADATION:
                put(degradation, rest, value, path)

    def _at(self, batch: int) -> Iterator[tuple[str, str, list[str], float]]:
        for path, value in self.values(batch).items():
            root, *rest = path.split(".")
            yield path, root, rest, value


def put(root: Any, path: Sequence[str], value: float, name: str, whole: bool = True) -> None:
    """Set the number at a path of attributes, keys and places; in a range (a tuple), one end or both.

    Args:
        root: where the path starts.
        path: its parts.
        value: the number.
        name: of the setting, for errors.
        whole: whether a whole number may be set; of a paradigm it counts something, which does not move.

    Raises:
        InputError: there is no number at that path, or it is whole and may not be.
    """
    try:
        old = reduce(step, path, root)
        numbers = old if isinstance(old, tuple | list) else (old,)
        if not numbers or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers):
            raise TypeError
        if not whole and any(isinstance(one, int) for one in numbers):
            raise InputError(
                f"ramps.settings: {name} is the whole number {old}, a count, which does not move; if it is none, write "
                f"{old}.0."
            )
        _set(root, path, type(old)([value] * len(old)) if isinstance(old, tuple | list) else value)
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise InputError(f"ramps.settings: there is no number {name}.") from error


def _set(root: Any, path: Sequence[str], new: Any) -> None:
    """Put something at a path; what holds it and cannot be changed is put anew in its own place."""
    *way, last = path
    holder: Any = reduce(step, way, root)
    if isinstance(holder, tuple):
        place = int(last)
        _set(root, way, (*holder[:place], new, *holder[place + 1 :]))
    elif isinstance(holder, list):
        holder[int(last)] = new
    elif isinstance(holder, dict):
        holder[last] = new
    else:
        try:
            setattr(holder, last, new)
        except FrozenInstanceError:
            _set(root, way, replace(holder, **{last: new}))


def step(node: Any, name: str) -> Any:
    """One part of a path further: an attribute, a key, or a place."""
    if isinstance(node, nn.ModuleList | tuple | list):
        return node[int(name)]
    if isinstance(node, dict | nn.ModuleDict):
        return node[name]
    return getattr(node, name)
