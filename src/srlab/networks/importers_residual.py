"""Layouts of residual networks: EDSR, MDSR, MSRN, CARN, IMDN, WDSR, SRResNet, MSRResNet."""

import re

import torch

from srlab.networks.layout import Layout, State, has, renamed, reordered, to_unit_range, without_mean

HEAD_AND_TAIL = {
    r"head\.0\.(\w+)": r"backbone.head.\1",
    r"tail\.0\.(\d)\.(\w+)": r"upsampler.stages.\1.0.\2",
    r"tail\.1\.(\w+)": r"tail.\1",
}
"""Of the repository that EDSR's authors published for PyTorch, and of all that grew from it."""

BASICSR = {
    r"conv_first\.(\w+)": r"backbone.head.\1",
    r"upsample\.(\d)\.(\w+)": r"upsampler.stages.\1.0.\2",
    r"conv_last\.(\w+)": r"tail.\1",
}
"""Of BasicSR; its networks of this family work on 0 to 255 and keep the mean out of the file."""


def from_edsr(state: State) -> State:
    state, range_ = without_mean(state)
    names = {
        r"body\.(\d+)\.body\.0\.(\w+)": r"backbone.body.\1.branch.0.\2",
        r"body\.(\d+)\.body\.2\.(\w+)": r"backbone.body.\1.branch.3.\2",
        r"body\.(\d+)\.(\w+)": r"backbone.body.\1.\2",
    }
    return to_unit_range(renamed(state, HEAD_AND_TAIL | names), range_, ["backbone.head"], ["tail"])


def from_mmediting_edsr(state: State) -> State:
    """BasicSR's names but for the upsampler, and images of 0 to 1."""
    for_basicsr = {r"upsample\.0\.upsample_conv\.(\w+)": r"upsample.0.\1"}
    for_basicsr |= {r"upsample\.1\.upsample_conv\.(\w+)": r"upsample.2.\1"}
    return to_unit_range(from_basicsr_edsr(renamed(state, for_basicsr)), 1 / 255, ["backbone.head"], ["tail"])


def from_basicsr_edsr(state: State) -> State:
    last = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("body."))
    names = {
        r"body\.(\d+)\.conv1\.(\w+)": r"backbone.body.\1.branch.0.\2",
        r"body\.(\d+)\.conv2\.(\w+)": r"backbone.body.\1.branch.3.\2",
        r"conv_after_body\.(\w+)": rf"backbone.body.{last}.\1",
    }
    return to_unit_range(renamed(state, BASICSR | names), 255, ["backbone.head"], ["tail"])


def from_mdsr(state: State) -> State:
    state, range_ = without_mean(state)
    width = state["head.0.weight"].shape[0]
    names = {
        r"head\.0\.(\w+)": r"head.\1",
        r"body\.(\d+)\.body\.0\.(\w+)": r"backbone.body.\1.branch.0.\2",
        r"body\.(\d+)\.body\.2\.(\w+)": r"backbone.body.\1.branch.3.\2",
        r"body\.(\d+)\.(\w+)": r"backbone.body.\1.\2",
        r"tail\.0\.(\w+)": r"tail.\1",
    }
    for place in sorted({key.split(".")[1] for key in state if key.startswith("upsample.")}):
        scale = 3 if state[f"upsample.{place}.0.weight"].shape[0] == 9 * width else 2
        scale **= sum(re.fullmatch(rf"upsample\.{place}\.\d\.weight", key) is not None for key in state)
        names |= {
            rf"pre_process\.{place}\.(\d)\.body\.0\.(\w+)": rf"preprocess.x{scale}.\1.branch.0.\2",
            rf"pre_process\.{place}\.(\d)\.body\.2\.(\w+)": rf"preprocess.x{scale}.\1.branch.3.\2",
            rf"upsample\.{place}\.(\d)\.(\w+)": rf"upsamplers.x{scale}.stages.\1.0.\2",
        }
    return to_unit_range(renamed(state, names), range_, ["head"], ["tail"])


def from_msrn(state: State) -> State:
    state, range_ = without_mean(state)
    names = {
        r"head\.0\.(\w+)": r"backbone.head.\1",
        r"body\.(\d+)\.conv_3_1\.(\w+)": r"backbone.blocks.\1.first.0.\2",
        r"body\.(\d+)\.conv_5_1\.(\w+)": r"backbone.blocks.\1.first.1.\2",
        r"body\.(\d+)\.conv_3_2\.(\w+)": r"backbone.blocks.\1.second.0.\2",
        r"body\.(\d+)\.conv_5_2\.(\w+)": r"backbone.blocks.\1.second.1.\2",
        r"body\.(\d+)\.confusion\.(\w+)": r"backbone.blocks.\1.fusion.\2",
        r"tail\.([01])\.(\w+)": r"backbone.fusion.\1.\2",
        r"tail\.2\.(\d)\.(\w+)": r"upsampler.stages.\1.0.\2",
        r"tail\.3\.(\w+)": r"tail.\1",
    }
    ours = to_unit_range(renamed(state, names), range_, ["backbone.head"], ["tail"])
    width = state["head.0.weight"].shape[0]  # the file puts the head's features last
    return reordered(ours, "backbone.fusion.0.weight", lambda groups: [groups[-1], *groups[:-1]], width)


def from_first_msrn(state: State) -> State:
    """The authors' first release: luma, no mean, one shuffle at any scale, and no convolution behind the fusion."""
    names = {r"conv_input\.(\w+)": r"backbone.head.\1", r"bottle\.(\w+)": r"backbone.fusion.0.\1"}
    names |= {r"conv(?:_\dx)?\.(\w+)": r"upsampler.stages.0.0.\1", r"conv_output\.(\w+)": r"tail.\1"}
    for block in {int(found[1]) for key in state if (found := re.match(r"residual(\d+)\.", key))}:
        ours = f"backbone.blocks.{block - 1}"
        for size, place in ((3, 0), (5, 1)):
            names[rf"residual{block}\.0\.conv_{size}_1\.(\w+)"] = rf"{ours}.first.{place}.\1"
            names[rf"residual{block}\.0\.conv_{size}_2\.(\w+)"] = rf"{ours}.second.{place}.\1"
        names[rf"residual{block}\.0\.confusion\.(\w+)"] = rf"{ours}.fusion.\1"
    ours_state = renamed(state, names)
    width = state["conv_input.weight"].shape[0]
    identity = torch.zeros(width, width, 3, 3)
    ours_state["backbone.fusion.1.weight"] = torch.nn.init.dirac_(identity)
    return with_biases(ours_state)


def from_carn(state: State) -> State:
    state, _ = without_mean(state)
    names = {r"entry\.(\w+)": r"backbone.head.\1", r"exit\.(\w+)": r"tail.\1"}
    for place in (1, 2, 3):
        outer = f"backbone.cascade.parts.{place - 1}"
        for step in (1, 2, 3):
            names |= {
                rf"b{place}\.b{step}\.body\.(\d)\.(\w+)": rf"{outer}.parts.{step - 1}.branch.\1.\2",
                rf"b{place}\.c{step}\.body\.0\.(\w+)": rf"{outer}.fusions.{step - 1}.0.\1",
            }
        names[rf"c{place}\.body\.0\.(\w+)"] = rf"backbone.cascade.fusions.{place - 1}.0.\1"
    for ours, theirs in (("0", "0"), ("2", "3")):
        names |= {
            rf"upsample\.up(\d)\.body\.{theirs}\.(\w+)": rf"upsamplers.x\1.stages.{ours}.0.\2",
            rf"upsample\.up\.body\.{theirs}\.(\w+)": rf"upsampler.stages.{ours}.0.\1",
        }
    return renamed(state, names)


def from_imdn(state: State) -> State:
    names = {
        r"fea_conv\.(\w+)": r"backbone.head.\1",
        r"c\.0\.(\w+)": r"backbone.fusion.0.\1",
        r"LR_conv\.(\w+)": r"backbone.fusion.2.\1",
        r"upsampler\.0\.(\w+)": r"upsampler.stages.0.0.\1",
    }
    for block in {int(found[1]) for key in state if (found := re.match(r"IMDB(\d+)\.", key))}:
        ours = f"backbone.blocks.{block - 1}"
        names |= {rf"IMDB{block}\.c{step}\.(\w+)": rf"{ours}.steps.{step - 1}.\1" for step in (1, 2, 3, 4)}
        names[rf"IMDB{block}\.c5\.(\w+)"] = rf"{ours}.fusion.\1"
        names[rf"IMDB{block}\.cca\.conv_du\.(\d)\.(\w+)"] = rf"{ours}.attention.gate.\1.\2"
    return renamed(state, names)


def from_wdsr(state: State) -> State:
    parts = {
        r"head\.0": "backbone.head",
        r"body\.(\d+)\.body\.(\d)": r"backbone.body.\1.branch.\2",
        r"tail\.0": "upsampler.stages.0.0",
        r"skip\.0": "shortcut.stages.0.0",
    }
    kinds = {
        "bias": "bias",
        "weight_g": "parametrizations.weight.original0",
        "weight_v": "parametrizations.weight.original1",
    }
    ours = renamed(
        state,
        {rf"{theirs}\.{kind}": f"{part}.{name}" for theirs, part in parts.items() for kind, name in kinds.items()},
    )
    # The file's network divides 0 to 255 by 127.5, so it sees twice our numbers.
    for key, factor in (("backbone.head", 2.0), ("upsampler.stages.0.0", 0.5)):
        ours[f"{key}.{kinds['weight_g']}"] = ours[f"{key}.{kinds['weight_g']}"] * factor
    for key in ("upsampler.stages.0.0.bias", "shortcut.stages.0.0.bias"):
        ours[key] = ours[key] / 2
    return ours


def from_srresnet(state: State) -> State:
    last = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("residual."))
    names = {
        r"conv_input\.(\w+)": r"backbone.head.0.\1",
        r"residual\.(\d+)\.conv1\.(\w+)": r"backbone.body.\1.branch.0.\2",
        r"residual\.(\d+)\.in1\.(\w+)": r"backbone.body.\1.branch.1.\2",
        r"residual\.(\d+)\.conv2\.(\w+)": r"backbone.body.\1.branch.3.\2",
        r"residual\.(\d+)\.in2\.(\w+)": r"backbone.body.\1.branch.4.\2",
        r"conv_mid\.(\w+)": rf"backbone.body.{last}.\1",
        r"bn_mid\.(\w+)": rf"backbone.body.{last + 1}.\1",
        r"upscale4x\.0\.(\w+)": r"upsampler.stages.0.0.\1",
        r"upscale4x\.3\.(\w+)": r"upsampler.stages.2.0.\1",
        r"conv_output\.(\w+)": r"tail.\1",
    }
    learned = {key: tensor for key, tensor in state.items() if "running_" not in key and "num_batches" not in key}
    return with_biases(renamed(learned, names))


def with_biases(state: State) -> State:
    """Zero biases where a file's convolutions have none."""
    weights = {key: tensor for key, tensor in state.items() if tensor.ndim == 4}
    return {key.replace("weight", "bias"): torch.zeros(len(tensor)) for key, tensor in weights.items()} | state


def from_msrresnet(state: State) -> State:
    names = {
        r"conv_first\.(\w+)": r"backbone.head.0.\1",
        r"body\.(\d+)\.conv1\.(\w+)": r"backbone.body.\1.branch.0.\2",
        r"body\.(\d+)\.conv2\.(\w+)": r"backbone.body.\1.branch.3.\2",
        r"(?:upconv1|upsample1\.upsample_conv)\.(\w+)": r"upsampler.stages.0.0.\1",
        r"(?:upconv2|upsample2\.upsample_conv)\.(\w+)": r"upsampler.stages.2.0.\1",
        r"(?:conv_hr|HRconv)\.(\w+)": r"tail.hidden.\1",
        r"conv_last\.(\w+)": r"tail.last.\1",
    }
    return renamed({key.replace("recon_trunk.", "body."): tensor for key, tensor in state.items()}, names)


def is_msrresnet(state: State) -> bool:
    upsampler = "upconv1.weight" in state or "upsample1.upsample_conv.weight" in state
    body = "body.0.conv1.weight" in state or "recon_trunk.0.conv1.weight" in state
    return upsampler and body and has("conv_first.weight", "conv_last.weight")(state)


RESIDUAL = (
    Layout("MDSR", "network=mdsr", has("head.0.weight", "pre_process.0.0.body.0.weight"), from_mdsr),
    Layout("MSRN", "network=msrn", has("head.0.weight", "body.0.conv_3_1.weight"), from_msrn),
    Layout(
        "MSRN (first release)",
        "network=msrn channels=1 framework.mean=null upsampler.staged=false",
        has("conv_input.weight", "residual1.0.conv_3_1.weight", "bottle.weight"),
        from_first_msrn,
        uncentred=True,
    ),
    Layout("WDSR-B", "network=wdsr_b", has("skip.0.weight_g", "body.0.body.3.weight_g"), from_wdsr),
    Layout("WDSR-A", "network=wdsr_a", has("skip.0.weight_g", "body.0.body.2.weight_g"), from_wdsr),
    Layout(
        "EDSR",
        "network=edsr or network=edsr_baseline",
        has("head.0.weight", "body.0.body.2.weight", "tail.0.0.weight"),
        from_edsr,
    ),
    Layout(
        "EDSR",
        "network=edsr or network=edsr_baseline",
        has("conv_first.weight", "body.0.conv1.weight", "upsample.0.upsample_conv.weight"),
        from_mmediting_edsr,
    ),
    Layout(
        "EDSR",
        "network=edsr or network=edsr_baseline",
        has("conv_first.weight", "body.0.conv1.weight", "conv_after_body.weight"),
        from_basicsr_edsr,
    ),
    Layout("MSRResNet", "network=msrresnet", is_msrresnet, from_msrresnet),
    Layout("CARN-M", "network=carn_m", has("entry.weight", "b1.b1.body.4.weight"), from_carn),
    Layout("CARN", "network=carn", has("entry.weight", "b1.b1.body.2.weight"), from_carn),
    Layout("IMDN", "network=imdn", has("fea_conv.weight", "IMDB1.c5.weight", "LR_conv.weight"), from_imdn),
    Layout(
        "SRResNet with instance normalisation",
        "network=srresnet backbone.norm=instance backbone.activation=leaky_relu upsampler.activation=leaky_relu",
        has("conv_input.weight", "residual.0.in1.weight", "upscale4x.0.weight"),
        from_srresnet,
    ),
)
