"""Whether the options of a composed configuration are those that its parts' constructors take."""

import difflib
import inspect
from collections.abc import Iterator
from os import PathLike
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import hydra.utils
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf

from srlab.errors import InputError

GROUPS = {"backbone": ("a", "edsr"), "upsampler": ("an", "subpixel")}
"""What a part may wait for that the command line left out, and a choice of it."""
HYDRA_KEYS = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_"}


def check_signatures(node: Any) -> None:
    """Bind every described part, partial ones too, against its constructor, before anything is built.

    Raises:
        InputError: an option that a constructor does not have, with the close matches, or a value of another type.
    """
    for part in _parts(node):
        target = _locate(part)
        parameters = inspect.signature(target).parameters.values()
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            continue
        known = [parameter.name for parameter in parameters]
        unknown = [str(key) for key in part if key not in HYDRA_KEYS and key not in known]
        if unknown:
            close = difflib.get_close_matches(unknown[0], known, n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(close)}? " if close else ""
            raise InputError(
                f"{part._get_full_key(None) or 'The configuration'}: {part['_target_']} has no option "
                f"{', '.join(map(repr, unknown))}. {hint}It has: {', '.join(known)}.{_of_another_framework(part)}"
            )
        _check_types(part, target)


def _of_another_framework(part: DictConfig) -> str:
    """What to do about numbers that a named network sets for its own framework, where another one was asked for."""
    choices = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    if part._get_full_key(None) != "framework" or not choices.get("network"):
        return ""
    instead = " ".join(f"{group}={choices.get(group)}" for group in ("framework", "backbone", "upsampler"))
    return f" network={choices['network']} may set it for another framework: compose the parts instead, {instead}."


def _check_types(part: DictConfig, target: Any) -> None:
    """Refuse a value that is plainly not of the type that the constructor states (`InputError`)."""
    try:
        hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    except (NameError, TypeError):  # names that only a type checker sees
        return
    for key in part:
        if key not in hints or OmegaConf.is_missing(part, key):
            continue
        if part[key] is None and key in GROUPS and not _takes_none(hints[key]):
            raise InputError(
                f"{part['_target_']} needs {GROUPS[key][0]} {key}: choose {key}={GROUPS[key][1]}, for example."
            )
        if not _fits(part[key], hints[key]):
            expected = inspect.formatannotation(hints[key])
            raise InputError(
                f"{part._get_full_key(key)}={part[key]}: expected {expected}, as {part['_target_']} has it."
            )


def _takes_none(hint: Any) -> bool:
    return hint is Any or NoneType in get_args(hint)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a plain value can be of a type; what is no plain type takes anything."""
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (bool, NoneType) or (
        isinstance(value, str) and inspect.isclass(hint) and not issubclass(hint, PathLike)
    ):
        return isinstance(value, hint)
    return True


def _parts(node: Any) -> Iterator[DictConfig]:
    """Every mapping with a `_target_` at or below a node, reached through interpolations too."""
    if isinstance(node, DictConfig) and not OmegaConf.is_missing(node, "_target_") and "_target_" in node:
        yield node
    if isinstance(node, DictConfig):
        for key in node:
            if not OmegaConf.is_missing(node, key):
                yield from _parts(node[key])
    elif isinstance(node, ListConfig):
        for item in node:
            yield from _parts(item)


def _locate(part: DictConfig) -> Any:
    try:
        return hydra.utils.get_object(part["_target_"])
    except (ImportError, ValueError) as error:
        raise InputError(f"{part._get_full_key(None)}: cannot import {part['_target_']}: {error}") from error
