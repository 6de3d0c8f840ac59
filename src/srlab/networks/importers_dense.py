"""Layouts of dense networks: RDN, RRDB (ESRGAN), SRDenseNet."""

import re

from srlab.networks.layout import Layout, State, has, renamed, to_unit_range


def from_rdn(state: State) -> State:
    """Of EDSR's PyTorch repository: images of 0 to 255, no mean."""
    last = max(int(key.split(".")[1]) for key in state if key.startswith("UPNet."))
    names = {
        r"SFENet1\.(\w+)": r"backbone.head.\1",
        r"SFENet2\.(\w+)": r"backbone.shallow.\1",
        r"RDBs\.(\d+)\.convs\.(\d+)\.conv\.0\.(\w+)": r"backbone.blocks.\1.dense.layers.\2.0.\3",
        r"RDBs\.(\d+)\.LFF\.(\w+)": r"backbone.blocks.\1.fusion.\2",
        r"GFF\.(\d)\.(\w+)": r"backbone.fusion.\1.\2",
        rf"UPNet\.{last}\.(\w+)": r"tail.\1",
        r"UPNet\.(\d)\.(\w+)": r"upsampler.stages.\1.0.\2",
    }
    return to_unit_range(renamed(state, names), 255, ["backbone.head"], ["tail"])


def from_rdn_of_unit_range(state: State) -> State:
    return renamed(
        state,
        {
            r"sfe1\.(\w+)": r"backbone.head.\1",
            r"sfe2\.(\w+)": r"backbone.shallow.\1",
            r"rdbs\.(\d+)\.layers\.(\d+)\.conv\.(\w+)": r"backbone.blocks.\1.dense.layers.\2.0.\3",
            r"rdbs\.(\d+)\.lff\.(\w+)": r"backbone.blocks.\1.fusion.\2",
            r"gff\.(\d)\.(\w+)": r"backbone.fusion.\1.\2",
            r"upscale\.(\d)\.(\w+)": r"upsampler.stages.\1.0.\2",
            r"output\.(\w+)": r"tail.\1",
        },
    )


def is_old_esrgan(state: State) -> bool:
    return any(re.fullmatch(r"(model\.)?1\.sub\.0\.RDB1\.conv1\.0\.weight", key) for key in state)


def from_old_esrgan(state: State) -> State:
    """Layers numbered in one long row; those after the body are upsampling, and two at the end the tail."""
    state = {key.removeprefix("model."): tensor for key, tensor in state.items()}
    numbers = sorted({int(key.split(".")[0]) for key in state} - {0, 1})
    names = {
        r"0\.(\w+)": r"backbone.head.\1",
        r"1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(\w+)": r"body.\1.rdb\2.conv\3.\4",
        r"1\.sub\.(\d+)\.(\w+)": r"backbone.body.\1.\2",
        rf"{numbers[-2]}\.(\w+)": r"tail.hidden.\1",
        rf"{numbers[-1]}\.(\w+)": r"tail.last.\1",
    }
    for place, number in enumerate(numbers[:-2]):
        names[rf"{number}\.(\w+)"] = rf"upsampler.stages.{2 * place}.1.\1"
    return dense_blocks(renamed(state, names))


def from_esrgan(state: State) -> State:
    body = r"(?:RRDB_trunk|body)"
    blocks = 1 + max(int(key.split(".")[1]) for key in state if re.match(body + r"\.\d", key))
    names = {
        r"conv_first\.(\w+)": r"backbone.head.\1",
        body + r"\.(\d+)\.(?:RDB|rdb)(\d)\.conv(\d)\.(\w+)": r"body.\1.rdb\2.conv\3.\4",
        r"(?:trunk_conv|conv_body)\.(\w+)": rf"backbone.body.{blocks}.\1",
        r"(?:upconv|conv_up)1\.(\w+)": r"upsampler.stages.0.1.\1",
        r"(?:upconv|conv_up)2\.(\w+)": r"upsampler.stages.2.1.\1",
        r"(?:upconv|conv_up)3\.(\w+)": r"upsampler.stages.4.1.\1",
        r"(?:HRconv|conv_hr)\.(\w+)": r"tail.hidden.\1",
        r"conv_last\.(\w+)": r"tail.last.\1",
    }
    return dense_blocks(renamed(state, names))


def dense_blocks(state: State) -> State:
    """The five numbered convolutions of each dense block: four dense ones, and the one that fuses."""
    names = {}
    for block in (1, 2, 3):
        ours = rf"backbone.body.\1.body.{block - 1}"
        for place in (1, 2, 3, 4):
            names[rf"body\.(\d+)\.rdb{block}\.conv{place}\.(\w+)"] = rf"{ours}.dense.layers.{place - 1}.0.\2"
        names[rf"body\.(\d+)\.rdb{block}\.conv5\.(\w+)"] = rf"{ours}.fusion.\2"
    return renamed(state, names)


def is_esrgan(state: State) -> bool:
    return "conv_first.weight" in state and (
        "RRDB_trunk.0.RDB1.conv1.weight" in state or "body.0.rdb1.conv1.weight" in state
    )


def from_srdensenet(state: State) -> State:
    names = {
        r"conv\.conv\.(\w+)": r"backbone.low_level.0.\1",
        r"dense_blocks\.(\d+)\.block\.0\.conv\.(\w+)": r"backbone.blocks.\1.0.\2",
        r"bottleneck\.0\.(\w+)": r"backbone.bottleneck.0.\1",
        r"deconv\.(\d)\.(\w+)": r"upsampler.stages.\1.\2",
        r"reconstruction\.(\w+)": r"tail.\1",
    }
    layers = {int(found[1]) for key in state if (found := re.match(r"dense_blocks\.\d+\.block\.(\d+)\.", key))}
    for layer in layers - {0}:
        names[rf"dense_blocks\.(\d+)\.block\.{layer}\.conv\.(\w+)"] = rf"backbone.blocks.\1.2.layers.{layer - 1}.0.\2"
    return renamed(state, names)


DENSE = (
    Layout("RDN", "network=rdn", has("SFENet1.weight", "RDBs.0.LFF.weight", "UPNet.0.weight"), from_rdn),
    Layout("RDN", "network=rdn", has("sfe1.weight", "rdbs.0.lff.weight", "output.weight"), from_rdn_of_unit_range),
    Layout("RRDB (ESRGAN)", "network=rrdb", is_old_esrgan, from_old_esrgan),
    Layout("RRDB (ESRGAN)", "network=rrdb", is_esrgan, from_esrgan),
    Layout(
        "SRDenseNet",
        "network=srdensenet",
        has("conv.conv.weight", "dense_blocks.0.block.0.conv.weight"),
        from_srdensenet,
    ),
)
