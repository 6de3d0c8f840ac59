"""Weight files as other code bases lay them out, renamed to our compositions.

A layout is recognised by its keys and shapes. Where a file's convention differs from ours in range or colour, its
`convert` absorbs the difference into the weights, so that the network itself stays the same.
"""

import re

from srlab.networks.importers_dense import DENSE
from srlab.networks.importers_pyramid import PYRAMID
from srlab.networks.importers_recursive import RECURSIVE
from srlab.networks.importers_residual import RESIDUAL
from srlab.networks.layout import Layout, State, renamed


def layout_of(state: State) -> Layout | None:
    """The layout that a file has, if it is a known one."""
    return next((layout for layout in LAYOUTS if layout.matches(state)), None)


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


def is_swinir_light(state: State) -> bool:
    return {"layers.0.residual_group.blocks.0.attn.qkv.weight", "conv_after_body.weight", "upsample.0.weight"} <= set(
        state
    ) and "conv_last.weight" not in state


def from_swinir_light(state: State) -> State:
    block, ours = r"layers\.(\d+)\.residual_group\.blocks\.(\d+)\.", r"backbone.groups.\1.layers.\2."
    # Masks and indices that follow from the sizes are stored too.
    learned = {key: tensor for key, tensor in state.items() if not key.endswith(("attn_mask", "position_index"))}
    return renamed(
        learned,
        {
            r"conv_first\.(\w+)": r"backbone.head.\1",
            r"patch_embed\.norm\.(\w+)": r"backbone.head_norm.\1",
            block + r"norm1\.(\w+)": ours + r"attention.0.\3",
            block + r"attn\.relative_position_bias_table": ours + r"attention.1.position_bias",
            block + r"attn\.qkv\.(\w+)": ours + r"attention.1.qkv.\3",
            block + r"attn\.proj\.(\w+)": ours + r"attention.1.project.\3",
            block + r"norm2\.(\w+)": ours + r"perceptron.0.\3",
            block + r"mlp\.fc1\.(\w+)": ours + r"perceptron.1.\3",
            block + r"mlp\.fc2\.(\w+)": ours + r"perceptron.3.\3",
            r"layers\.(\d+)\.conv\.(\w+)": r"backbone.groups.\1.last.\2",
            r"norm\.(\w+)": r"backbone.norm.\1",
            r"conv_after_body\.(\w+)": r"backbone.last.\1",
            r"upsample\.0\.(\w+)": r"upsampler.stages.0.0.\1",
        },
    )


LAYOUTS = (
    Layout("SRCNN", "network=srcnn_915 or network=srcnn_955", is_srcnn, from_srcnn),
    Layout("VDSR", "network=vdsr", is_vdsr, from_vdsr),
    Layout("SwinIR-light", "network=swinir_light", is_swinir_light, from_swinir_light),
    *RESIDUAL,
    *DENSE,
    *RECURSIVE,
    *PYRAMID,
)
