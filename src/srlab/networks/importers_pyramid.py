"""Layouts of pyramids: LapSRN, MS-LapSRN, ProSR."""

import re

from torch.nn.functional import pad

from srlab.networks.layout import Layout, State, has, renamed, to_unit_range


def from_lapsrn(state: State) -> State:
    names = {r"conv_input\.(\w+)": r"heads.all.0.\1"}
    for level in {int(found[1]) for key in state if (found := re.match(r"convt_I(\d)\.", key))}:
        ours = "backbone" if level == 1 else f"deeper.{level - 2}"
        stack = rf"convt_F{level}\.0\.cov_block\."
        last = max(int(key.split(".")[3]) for key in state if re.match(stack, key))
        names |= {
            rf"convt_I{level}\.(\w+)": rf"image_upsamplers.{level - 1}.stages.0.\1",
            rf"convt_R{level}\.(\w+)": rf"tails.{level - 1}.\1",
            stack + rf"{last}\.(\w+)": rf"upsamplers.{level - 1}.stages.0.\1",
            stack + r"(\d+)\.(\w+)": rf"{ours}.body.\1.\2",
        }
    return renamed(state, names)


def from_ms_lapsrn(state: State) -> State:
    """A port that cuts its 3x3 transposed convolution off at the bottom and right, as the authors do.

    A centred one of 4x4 does so when its first row and column are zero. The port clamps each level's image to [0, 1].
    """
    names = {
        r"conv_input\.(\w+)": r"heads.all.\1",
        r"transpose\.(\w+)": r"upsamplers.0.stages.0.\1",
        r"scale_img\.(\w+)": r"image_upsamplers.0.stages.0.\1",
        r"predict\.(\w+)": r"tails.0.\1",
    }
    for layer in {int(found[1]) for key in state if (found := re.search(r"block\.conv_(\d+)\.", key))}:
        theirs = rf"features\.recursive_block\.block\.conv_{layer}\.(\w+)"
        names[theirs] = rf"backbone.block.{2 * layer + 1}.\1"
    ours = renamed(state, names)
    up = "upsamplers.0.stages.0.weight"
    return ours | {up: pad(ours[up], (1, 0, 1, 0))}


def from_prosr(state: State) -> State:
    """Images are centred and stretched by 1 / 0.0039215; a level's layers stand in our order, only numbered otherwise."""
    ours: State = {}
    layers: dict[str, list[str]] = {}
    for key, tensor in state.items():
        module, kind = key.rsplit(".", 1)
        found = re.match(r"pyramid_residual_(\d)\.(\w+)\.(.+)", module)
        if found is None:
            ours[key] = tensor
            continue
        level, block, inside = int(found[1]), found[2], found[3]
        place = "backbone.level.layers" if level == 1 else f"deeper.{level - 2}.layers"
        dense = re.search(r"denselayer(\d+)\.conv_([12])", inside)
        # A residual unit is one layer of ours; of the other ones, each dense layer and each compression is.
        unit = block if block.startswith("residual") else f"{block}.{dense[1] if dense else inside}"
        known = layers.setdefault(place, [])
        if unit not in known:
            known.append(unit)
        name = f"{place}.{known.index(unit)}"
        if block.startswith("residual"):
            name += (
                f".branch.{int(dense[1]) - 1}"
                if dense
                else f".branch.{last_of(state, f'pyramid_residual_{level}.{block}.')}"
            )
        if dense:
            name += ".layers.0" if dense[2] == "1" else ".layers.2"
        ours[f"{name}.{kind}"] = tensor
    names = {
        r"pyramid_residual_1_residual_upsampler\.m\.0\.conv\.1\.(\w+)": r"upsamplers.0.stages.0.0.\1",
        r"pyramid_residual_2_residual_upsampler\.m\.0\.conv\.1\.(\w+)": r"upsamplers.1.stages.0.0.\1",
        r"pyramid_residual_3_residual_upsampler\.m\.0\.conv\.1\.(\w+)": r"upsamplers.2.stages.0.0.\1",
    }
    for level in (1, 2, 3):
        names[rf"init_conv_{level}\.conv\.1\.(\w+)"] = rf"heads.x{2**level}.\1"
        names[rf"reconst_{level}\.final_conv\.conv\.1\.(\w+)"] = rf"tails.{level - 1}.\1"
    first, last = [f"heads.x{2**level}" for level in (1, 2, 3)], [f"tails.{level}" for level in range(3)]
    return to_unit_range(renamed(ours, names), 1 / 0.0039215, first, last)


def last_of(state: State, unit: str) -> int:
    """How many dense layers a unit has; its compression follows them."""
    return max(int(found[1]) for key in state if key.startswith(unit) and (found := re.search(r"denselayer(\d+)", key)))


LAPSRN = has("conv_input.weight", "convt_I1.weight", "convt_F1.0.cov_block.0.weight")

PYRAMID = (
    Layout("LapSRN", "network=lapsrn", LAPSRN, from_lapsrn),
    Layout(
        "MS-LapSRN",
        "network=ms_lapsrn upsampler.kernel_size=4",
        has("conv_input.weight", "scale_img.weight", "features.recursive_block.block.conv_0.weight"),
        from_ms_lapsrn,
    ),
    Layout(
        "ProSR",
        "network=prosr",
        has("init_conv_1.conv.1.weight", "pyramid_residual_1.residual_denseblock_1.comp.conv1.weight"),
        from_prosr,
    ),
    Layout(
        "ProSRs",
        "network=prosrs",
        has("init_conv_1.conv.1.weight", "pyramid_residual_1.denseblock_1.comp.conv1.weight"),
        from_prosr,
    ),
)
