"""From a composed configuration to objects: the only place that instantiates.

Three roots are built, `cfg.data`, `cfg.paradigm` and `cfg.trainer`, with the callbacks and loggers that the trainer is
handed. What two parts share is passed in Python, since a node that is reached twice would be built twice.
"""

import difflib
import inspect
from collections.abc import Iterator
from typing import Any

import hydra.utils
from hydra.errors import InstantiationException
from omegaconf import DictConfig, ListConfig, OmegaConf

from srlab.errors import InputError

HYDRA_KEYS = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_"}


def build(node: Any, **shared: object) -> Any:
    """Build the part that a node describes.

    Args:
        node: a mapping with `_target_`.
        shared: finished objects that the constructor takes beside the node's numbers.

    Raises:
        InputError: the constructor does not take an option, or refuses its value.
    """
    check_signatures(node)
    try:
        return hydra.utils.instantiate(node, **shared, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, ValueError | FileNotFoundError | NotADirectoryError | ImportError):
            raise InputError(str(cause)) from error
        raise


def build_all(group: DictConfig, **shared: object) -> dict[str, Any]:
    """Build each part of a group that holds several by name."""
    return {str(name): build(node, **shared) for name, node in group.items() if node is not None}


def check_signatures(node: Any) -> None:
    """Bind every described part, partial ones too, against its constructor, before anything is built.

    Raises:
        InputError: an option that a constructor does not have, with the close matches.
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
                f"{', '.join(map(repr, unknown))}. {hint}It has: {', '.join(known)}."
            )


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
