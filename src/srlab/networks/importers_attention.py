"""Layouts of networks with attention: RCAN, SwinIR-light."""

from srlab.networks.importers_residual import BASICSR, HEAD_AND_TAIL
from srlab.networks.layout import Layout, State, has, renamed, to_unit_range, without_mean


def from_rcan(state: State) -> State:
    state, range_ = without_mean(state)
    block = r"body\.(\d+)\.body\.(\d+)\.body\.", r"backbone.body.\1.body.\2.branch."
    names = {
        block[0] + r"3\.conv_du\.(\d)\.(\w+)": block[1] + r"3.gate.\3.\4",
        block[0] + r"(\d)\.(\w+)": block[1] + r"\3.\4",
        r"body\.(\d+)\.body\.(\d+)\.(\w+)": r"backbone.body.\1.body.\2.\3",
        r"body\.(\d+)\.(\w+)": r"backbone.body.\1.\2",
    }
    return to_unit_range(renamed(state, HEAD_AND_TAIL | names), range_, ["backbone.head"], ["tail"])


def from_basicsr_rcan(state: State) -> State:
    groups = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("body."))
    blocks = 1 + max(int(key.split(".")[3]) for key in state if ".residual_group." in key)
    block = r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.", r"backbone.body.\1.body.\2.branch."
    names = {
        block[0] + r"3\.attention\.1\.(\w+)": block[1] + r"3.gate.0.\3",
        block[0] + r"3\.attention\.3\.(\w+)": block[1] + r"3.gate.2.\3",
        block[0] + r"(\d)\.(\w+)": block[1] + r"\3.\4",
        r"body\.(\d+)\.conv\.(\w+)": rf"backbone.body.\1.body.{blocks}.\2",
        r"conv_after_body\.(\w+)": rf"backbone.body.{groups}.\1",
    }
    return to_unit_range(renamed(state, BASICSR | names), 255, ["backbone.head"], ["tail"])


def from_rcan_of_unit_range(state: State) -> State:
    """A port for images of 0 to 1, without a mean, and with one shuffle at any scale."""
    groups = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("rgs."))
    block = r"rgs\.(\d+)\.module\.(\d+)\.module\.", r"backbone.body.\1.body.\2.branch."
    names = {
        block[0] + r"3\.module\.1\.(\w+)": block[1] + r"3.gate.0.\3",
        block[0] + r"3\.module\.3\.(\w+)": block[1] + r"3.gate.2.\3",
        block[0] + r"(\d)\.(\w+)": block[1] + r"\3.\4",
        r"rgs\.(\d+)\.module\.(\d+)\.(\w+)": r"backbone.body.\1.body.\2.\3",
        r"sf\.(\w+)": r"backbone.head.\1",
        r"conv1\.(\w+)": rf"backbone.body.{groups}.\1",
        r"upscale\.0\.(\w+)": r"upsampler.stages.0.0.\1",
        r"conv2\.(\w+)": r"tail.\1",
    }
    return renamed(state, names)


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


ATTENTION = (
    Layout("RCAN", "network=rcan", has("head.0.weight", "body.0.body.0.body.3.conv_du.0.weight"), from_rcan),
    Layout(
        "RCAN", "network=rcan", has("conv_first.weight", "body.0.residual_group.0.rcab.0.weight"), from_basicsr_rcan
    ),
    Layout(
        "RCAN",
        "network=rcan framework.mean=null upsampler.staged=false",
        has("sf.weight", "rgs.0.module.0.module.3.module.1.weight"),
        from_rcan_of_unit_range,
        uncentred=True,
    ),
    Layout("SwinIR-light", "network=swinir_light", is_swinir_light, from_swinir_light),
)
