"""Weight files into networks: any usual wrapping, our own checkpoints, and the layouts of published weights."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from srlab.errors import InputError
from srlab.networks.importers import layout_of
from srlab.networks.layout import State

AVERAGED = ("params_ema", "ema_state_dict", "model_ema", "g_ema", "net_g_ema", "generator_ema", "ema")
RAW = (
    *("params", "state_dict", "model_state_dict", "model_state", "model", "network", "net"),
    *("generator_state_dict", "generator", "netG", "net_g", "G", "weights"),
)
"""Keys under which files hold the weights themselves, averaged or not."""

WRAPPED = ("module.", "_orig_mod.", "model.", "net.")
"""Prefixes that say nothing of the network: DataParallel's, the compiler's, and names of an attribute."""

AVERAGED_PARTS = ("ema.network.", "net_g_ema.", "generator_ema.")
PARTS = ("network.", "generator.", "netG.", "net_g.")
"""Where a checkpoint of a training holds the network, beside discriminators, losses and others: ours, and others'."""


def load_weights(network: nn.Module, path: str | Path, averaged: bool = True) -> None:
    """Fill a network with the weights of a file: .pth, .pt, .ckpt or .safetensors; nothing in it is executed.

    Args:
        network: takes every weight of the file, and needs each.
        path: the file.
        averaged: where the file holds both, take the exponential moving average, not the raw weights.

    Raises:
        InputError: no such file, no weight file, or one that does not fit: with what differs, and what it looks like.
    """
    path = Path(path).expanduser()
    if callable(own_way := getattr(network, "load_file", None)):  # its names are those of its file
        own_way(path, averaged)
        return
    state = stripped(unwrapped(read(path), averaged), averaged)
    if not state:
        raise InputError(f"{path} holds no weights: expected names with tensors, as state_dict() gives them.")
    own: State = network.state_dict()
    layout = layout_of(state) if set(state) != set(own) else None
    fitting = layout.convert(state) if layout else state
    problems = differences(own, fitting)
    if problems:
        if layout:
            hint = f"The file looks like {layout.name}: try {layout.choice}, at the file's own scale and sizes."
        elif any(key.startswith("backbone.") for key in state):
            hint = "srlab wrote it for another composition or other sizes: the config.yaml of that run names them."
        else:
            hint = "Its layout is none that srlab knows: choose the network that it was trained as."
        raise InputError(f"{path} does not fit {summary(network)}: {'; '.join(problems)}. {hint}")
    if layout and layout.uncentred and bool(torch.as_tensor(getattr(network, "mean", 0)).any()):
        raise InputError(
            f"{path} looks like {layout.name}, whose network subtracts no mean from the images, but {summary(network)} "
            f"does: add framework.mean=null."
        )
    network.load_state_dict(fitting)


def read(path: Path) -> Mapping[str, Any]:
    """What a file holds, on the CPU."""
    if not path.is_file():
        raise InputError(f"There is no weight file {path}: check weights=, which may be absolute.")
    try:
        content = (
            safetensors.torch.load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is no weight file, or holds more than weights, which could run code when loaded: "
            f"save its state_dict() alone with the code that wrote it. ({str(error).splitlines()[0]})"
        ) from error
    except (RuntimeError, EOFError, ValueError, safetensors.SafetensorError) as error:
        raise InputError(f"{path} cannot be read as a weight file: is it whole? ({error})") from error
    if not isinstance(content, Mapping):
        raise InputError(
            f"{path} holds a {type(content).__name__}: expected names with tensors, as state_dict() gives."
        )
    return content


def unwrapped(content: Mapping[str, Any], averaged: bool) -> State:
    """The innermost names with tensors."""
    wrappers = AVERAGED + RAW if averaged else RAW + AVERAGED
    while True:
        inner = next((content[name] for name in wrappers if holds_tensors(content.get(name))), None)
        if inner is None:
            return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
        content = inner


def holds_tensors(value: object) -> bool:
    """Whether this is a mapping with tensors, however deep."""
    return isinstance(value, Mapping) and any(isinstance(one, Tensor) or holds_tensors(one) for one in value.values())


def parts_of(averaged: bool) -> tuple[str, ...]:
    """The prefixes of a network beside other things, those to be preferred first."""
    return AVERAGED_PARTS + PARTS if averaged else PARTS


def stripped(state: State, averaged: bool) -> State:
    """The network's own names: without wrapping prefixes, and without what a checkpoint holds beside the network."""
    parts = parts_of(averaged)
    while True:
        prefix = next((prefix for prefix in WRAPPED if state and all(key.startswith(prefix) for key in state)), None)
        prefix = prefix or next((prefix for prefix in parts if any(key.startswith(prefix) for key in state)), None)
        if prefix is None:
            return state
        state = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}


def differences(own: State, given: State) -> list[str]:
    """What keeps weights from fitting, in brief; empty when they do."""
    shared = own.keys() & given.keys()
    found = {
        "missing": sorted(own.keys() - given.keys()),
        "unexpected": sorted(given.keys() - own.keys()),
        "of another shape": [
            f"{key} {tuple(given[key].shape)} instead of {tuple(own[key].shape)}"
            for key in own
            if key in shared and given[key].shape != own[key].shape
        ],
    }
    return [
        f"{len(keys)} {kind} ({', '.join(keys[:3])}{', ...' if len(keys) > 3 else ''})"
        for kind, keys in found.items()
        if keys
    ]


def summary(network: nn.Module) -> str:
    """The network in a few words: its framework and backbone."""
    backbone = getattr(network, "backbone", None)
    made_of = f" of {type(backbone).__name__}" if backbone is not None else ""
    return f"{type(network).__name__}{made_of} (scale {getattr(network, 'scale', '?')})"
