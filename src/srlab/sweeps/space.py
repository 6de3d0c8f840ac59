"""The values that a study chooses from, as they are written on a command line: `optimizer.lr=tag(log,interval(1e-5,1e-3))`.

a,b,c or choice(a,b,c)     one of them, parts too: network=edsr_baseline,vdsr
range(1,9,2)               1, 3, 5, 7: the end is left out, as Hydra has it everywhere
interval(0.0,1.0)          any number between, both ends too; of two integers, integers
tag(log,interval(...))     the same, by the logarithm
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep

from srlab.errors import InputError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def split(overrides: Sequence[Override]) -> tuple[list[str], dict[str, "BaseDistribution"]]:
    """The overrides that stay the same, as they are written, and those that are chosen, by what stands before `=`."""
    chosen = {one.get_key_element(): distribution(one) for one in overrides if one.is_sweep_override()}
    fixed = {
        one.get_key_element(): f"{one.get_key_element()}={one.get_value_element_as_str()}"
        for one in overrides
        if not one.is_sweep_override() and one.get_key_element() not in chosen
    }
    return list(fixed.values()), chosen


def distribution(override: Override) -> "BaseDistribution":
    """What Optuna draws the value of a swept override from.

    Raises:
        InputError: there is nothing to choose from.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    value = override.value()
    name = override.get_key_element()
    if isinstance(value, IntervalSweep):
        assert value.start is not None
        assert value.end is not None
        kind = IntDistribution if isinstance(value.start, int) and isinstance(value.end, int) else FloatDistribution
        return _made(name, kind, value.start, value.end, log="log" in value.tags)
    if isinstance(value, RangeSweep):
        values = sorted(value.range())
        kind = IntDistribution if all(isinstance(one, int) for one in values) else FloatDistribution
        if values:
            return _made(name, kind, values[0], values[-1], log="log" in value.tags, step=abs(value.step))
    choices = [] if isinstance(value, RangeSweep) else list(override.sweep_string_iterator())
    if not choices:
        raise InputError(f"{name} has no value to choose from: give some, as in {name}=1,2 or {name}=interval(0.1,1).")
    return CategoricalDistribution(choices)


def _made(name: str, kind: Any, low: float, high: float, **options: Any) -> "BaseDistribution":
    if options.get("log"):
        options.pop("step", None)  # Optuna has no steps on a logarithm
    try:
        made: BaseDistribution = kind(low, high, **options)
    except ValueError as error:
        raise InputError(f"{name}: {error}") from error
    return made


def written(params: Mapping[str, Any]) -> list[str]:
    """The overrides of chosen values."""
    return [f"{name}={value!r}" if isinstance(value, float) else f"{name}={value}" for name, value in params.items()]
