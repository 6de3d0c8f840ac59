"""Layouts of wavelet networks: MWCNN."""

import torch
from torch import Tensor

from srlab.networks.layout import Layout, State, has, renamed

LEVELS = ("backbone.levels", "backbone.levels.next_level", "backbone.levels.next_level.next_level")
STRIDE = 3
"""Of our numbers of convolutions in a row: normalisation, or its absence, and a ReLU lie between them."""


def from_mwcnn(state: State) -> State:
    """The authors' repository: three levels, no normalisation, and all channels of a sub-band side by side."""
    layers = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("d_l1."))  # of a level, but one
    last = STRIDE * layers
    places = {"head.0": f"{LEVELS[0]}.contract.0", "tail.0": f"{LEVELS[0]}.expand.{last}"}
    for layer in range(layers + 1):
        places[f"d_l1.{layer}"] = f"{LEVELS[0]}.contract.{STRIDE * (layer + 1)}"
        places[f"d_l2.{layer}"] = f"{LEVELS[1]}.contract.{STRIDE * layer}"
        places[f"pro_l3.{layer}"] = f"{LEVELS[2]}.contract.{STRIDE * layer}"
        ends = ".0" if layer == layers else ""
        places[f"i_l1.{layer}"] = f"{LEVELS[0]}.expand.{STRIDE * layer}"
        places[f"i_l2.{layer}"] = f"{LEVELS[1]}.expand.{STRIDE * layer}{ends}"
        places[f"pro_l3.{layer + layers + 1}"] = f"{LEVELS[2]}.expand.{STRIDE * layer}{ends}"
    ours = renamed(state, {rf"{theirs}(?:\.body\.0)?\.(\w+)": rf"{place}.\1" for theirs, place in places.items()})
    for level, ends in zip(LEVELS, ("", ".0", ".0"), strict=True):
        first, made = f"{level}.contract.0.weight", f"{level}.expand.{last}{ends}"
        ours[first] = channel_by_channel(ours[first], 1)
        for key in (f"{made}.weight", f"{made}.bias"):
            ours[key] = channel_by_channel(ours[key], 0)
    return ours


def channel_by_channel(tensor: Tensor, axis: int) -> Tensor:
    """From sub-band by sub-band (average, W, H, both) to channel by channel, each with (average, H, W, both)."""
    average, width, height, both = tensor.chunk(4, axis)
    return torch.stack([average, height, width, both], axis + 1).flatten(axis, axis + 1)


MWCNN = has("head.0.body.0.weight", "d_l1.0.body.0.weight", "pro_l3.0.body.0.weight")

WAVELET = (Layout("MWCNN", "network=mwcnn backbone.norm=none", MWCNN, from_mwcnn),)
