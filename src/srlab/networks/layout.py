"""How a weight file of another code base is described: its design, its marks, and its names in terms of ours."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

State = dict[str, Tensor]

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)
"""The RGB mean that most published networks subtract; our named networks have it in their YAML, not in their weights."""


@dataclass(frozen=True)
class Layout:
    """One way in which a published network is found in files.

    Attributes:
        name: of the design.
        choice: what to ask for on the command line.
        matches: whether a file's keys and shapes are of this layout.
        convert: to the keys, the range and the channel order of our composition.
        uncentred: its network subtracts no mean from the images, although ours of that name does.
    """

    name: str
    choice: str
    matches: Callable[[State], bool]
    convert: Callable[[State], State]
    uncentred: bool = False


def renamed(state: State, names: dict[str, str]) -> State:
    """Rename each key by the first whole-key pattern that fits; a key that none fits is kept, and refused later."""
    result = {}
    for key, tensor in state.items():
        pattern = next((pattern for pattern in names if re.fullmatch(pattern, key)), None)
        result[key if pattern is None else re.sub(pattern, names[pattern], key)] = tensor
    return result


def has(*keys: str) -> Callable[[State], bool]:
    """A mark: the file has all of these keys."""
    return lambda state: set(keys) <= set(state)


def without_mean(state: State) -> tuple[State, float]:
    """Drop a file's fixed layers for DIV2K's mean; and the range of the file's images: 255 or 1, as that mean tells.

    Another mean than DIV2K's is kept, and refused later: it would have to be the network's.
    """
    key = next((key for key in ("sub_mean.bias", "sub_mean.shifter.bias") if key in state), None)
    if key is None:
        return state, 1.0
    shift, scaling = -state[key].float(), state[key.replace("bias", "weight")].float()
    range_ = 255.0 if shift.max() > 1 else 1.0
    same = torch.allclose(shift / range_, torch.tensor(DIV2K_MEAN), atol=1e-4)
    if not same or not torch.allclose(scaling.flatten(1), torch.eye(len(DIV2K_MEAN))):
        return state, range_
    return {name: tensor for name, tensor in state.items() if not name.startswith(("sub_mean.", "add_mean."))}, range_


def to_unit_range(state: State, range_: float, first: Iterable[str], last: Iterable[str]) -> State:
    """Make a network of images in [0, range_] one of images in [0, 1], exactly.

    Args:
        state: in our names.
        range_: of the file's images: 255 or 1.
        first: the layers that see the image; their weights grow.
        last: the layers that make it; their weights and biases shrink.
    """
    result = dict(state)
    for layer in first:
        if f"{layer}.weight" in result:
            result[f"{layer}.weight"] = result[f"{layer}.weight"] * range_
    for layer in last:
        for kind in ("weight", "bias"):
            if f"{layer}.{kind}" in result:
                result[f"{layer}.{kind}"] = result[f"{layer}.{kind}"] / range_
    return result


def reordered(state: State, key: str, order: Callable[[list[Tensor]], list[Tensor]], width: int) -> State:
    """Rearrange the groups of `width` input channels of a convolution, where a file concatenates in another order."""
    if key not in state:
        return state
    groups = list(torch.split(state[key], width, dim=1))
    return state | {key: torch.cat(order(groups), dim=1)}
