"""Layouts of plain stacks: SRCNN, FSRCNN, ESPCN, VDSR."""

import re

from srlab.networks.layout import Layout, State, has, renamed


def is_srcnn(state: State) -> bool:
    keys = {f"conv{place}.{kind}" for place in (1, 2, 3) for kind in ("weight", "bias")}
    return set(state) == keys and state["conv1.weight"].shape[2:] == (9, 9)


def from_srcnn(state: State) -> State:
    return renamed(
        state,
        {
            r"conv1\.(\w+)": r"backbone.layers.0.\1",
            r"conv2\.(\w+)": r"backbone.layers.2.\1",
            r"conv3\.(\w+)": r"tail.\1",
        },
    )


def is_vdsr(state: State) -> bool:
    return {"input.weight", "output.weight", "residual_layer.0.conv.weight"} <= set(state)


def from_vdsr(state: State) -> State:
    middle = [key for key in state if key.startswith("residual_layer.")]
    # Ours counts the ReLUs between the convolutions too, and the first convolution is number 0.
    places = {re.escape(key): f"backbone.layers.{2 * int(key.split('.')[1]) + 2}.weight" for key in middle}
    return renamed(state, {r"input\.weight": "backbone.layers.0.weight", r"output\.weight": "tail.weight"} | places)


def from_fsrcnn(state: State) -> State:
    """Layers in a row within three parts."""
    last = max(int(key.split(".")[1]) for key in state if key.startswith("mid_part."))
    names = {
        r"first_part\.(\d)\.(\w+)": r"backbone.extract.\1.\2",
        r"last_part\.(\w+)": r"upsampler.stages.0.\1",
    }
    for place in range(last + 1):
        part = {0: "shrink", last - 1: "expand"}.get(place - place % 2, f"map.{place // 2 - 1}")
        names[rf"mid_part\.{place}\.(\w+)"] = rf"backbone.{part}.{place % 2}.\1"
    return renamed(state, names)


def from_named_fsrcnn(state: State) -> State:
    """Parts with the paper's names."""
    names = {
        r"feature_extraction\.(\d)\.(\w+)": r"backbone.extract.\1.\2",
        r"(shrink|expand)\.(\d)\.(\w+)": r"backbone.\1.\2.\3",
        r"deconv\.(\w+)": r"upsampler.stages.0.\1",
    }
    for place in {int(key.split(".")[1]) for key in state if key.startswith("map.")}:
        names[rf"map\.{place}\.(\w+)"] = rf"backbone.map.{place // 2}.{place % 2}.\1"
    return renamed(state, names)


def from_espcn(state: State) -> State:
    names = {
        r"(?:first_part|feature_maps)\.(\d)\.(\w+)": r"backbone.layers.\1.\2",
        r"(?:last_part|sub_pixel)\.0\.(\w+)": r"upsampler.stages.0.0.\1",
    }
    return renamed(state, names)


PLAIN = (
    Layout("SRCNN", "network=srcnn_915 or network=srcnn_955", is_srcnn, from_srcnn),
    Layout("VDSR", "network=vdsr", is_vdsr, from_vdsr),
    Layout(
        "FSRCNN", "network=fsrcnn", has("first_part.1.weight", "mid_part.0.weight", "last_part.weight"), from_fsrcnn
    ),
    Layout(
        "FSRCNN",
        "network=fsrcnn",
        has("feature_extraction.0.weight", "map.0.weight", "deconv.weight"),
        from_named_fsrcnn,
    ),
    Layout("ESPCN", "network=espcn", has("first_part.2.weight", "last_part.0.weight"), from_espcn),
    Layout("ESPCN", "network=espcn", has("feature_maps.2.weight", "sub_pixel.0.weight"), from_espcn),
)
