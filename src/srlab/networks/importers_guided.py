"""Layouts of networks that take a guide: DCTNet."""

from srlab.networks.layout import Layout, State, has, renamed

_KINDS = {"shared": "shared", "depth": "depth", "rgb": "guide"}
_ATTENTION = {
    "conv1": "reduce",
    "conv_f": "shortcut",
    "conv2": "stride",
    "conv_max": "layers.0",
    "conv3": "layers.2",
    "conv3_": "layers.4",
    "conv4": "expand",
}


def from_dctnet(state: State) -> State:
    """The authors' file also holds a dilated convolution that their network never calls."""
    names = {
        "lambd": "log_strength",
        r"Encoder_coupled\.init_deep\.0\.(\w+)": r"depth_head.\1",
        r"Encoder_coupled\.init_rgb\.0\.(\w+)": r"guide_head.\1",
        r"Decoder_depth\.Decoder_Deep\.(\d)\.(\w+)": r"tail.\1.\2",
    }
    for theirs, ours in _ATTENTION.items():
        names[rf"WPNet\.{theirs}\.(\w+)"] = rf"attention.{ours}.\1"
    for theirs, ours in _KINDS.items():
        for part, ordinal in (("1", "first"), ("2", "second")):
            for array, name in (("kernel", "weight"), ("bias", "bias")):
                pattern = rf"Encoder_coupled\.coupled_feat_extractor\.(\d)\.{array}_{theirs}_{part}"
                names[pattern] = rf"layers.\1.{ordinal}.{ours}.{name}"
    return renamed({key: value for key, value in state.items() if "conv_dilation" not in key}, names)


GUIDED = (
    Layout(
        "DCTNet (trained on maps scaled by the range of HR: framework.range_from=given protocol=depth_levels_hr)",
        "network=dctnet",
        has("lambd", "WPNet.conv1.weight"),
        from_dctnet,
    ),
)
