"""Our weights in the layouts of published files, for programs that read those: the inverse of the importers."""

from collections.abc import Callable

import torch

from srlab.networks.backbones.rcan import RCAN
from srlab.networks.backbones.rrdb import RRDBNet
from srlab.networks.backbones.swinir import SwinIR
from srlab.networks.community import Community
from srlab.networks.layout import State, renamed, to_unit_range
from srlab.networks.network import Network

DRAWN_AT = 64
"""The height and width for which files of SwinIR hold the masks of its shifted windows."""


def published_state(network: Network) -> State:
    """The weights of a network under the names of the published files of its design.

    What such a file does not say (a mean, a damping, the activations) is the design's own; see `srlab.inference.exchange`
    for the proof that a file is read as the network that was written.

    Raises:
        ValueError: no published layout is known for the design.
    """
    if isinstance(network, Community):
        return network.module.state_dict()
    backbone = getattr(network, "backbone", None)
    for design, to_published in PUBLISHED.items():
        if isinstance(backbone, design):
            return to_published(network)
    raise ValueError(
        f"No published layout is known for {type(network).__name__} of {type(backbone).__name__}: take one of "
        f"{', '.join(design.__name__ for design in PUBLISHED)}, or format=srlab, or format=onnx."
    )


def to_esrgan(network: Network) -> State:
    """As BasicSR names it; its networks work on [0, 1]."""
    state = network.state_dict()
    last = max(int(key.split(".")[2]) for key in state if key.startswith("backbone.body."))
    names = {
        r"backbone\.head\.(\w+)": r"conv_first.\1",
        rf"backbone\.body\.{last}\.(\w+)": r"conv_body.\1",
        r"tail\.hidden\.(\w+)": r"conv_hr.\1",
        r"tail\.last\.(\w+)": r"conv_last.\1",
    }
    for stage in (0, 1, 2):  # between the convolutions lie their activations
        names[rf"upsampler\.stages\.{2 * stage}\.1\.(\w+)"] = rf"conv_up{stage + 1}.\1"
    for block in (1, 2, 3):
        ours = rf"backbone\.body\.(\d+)\.body\.{block - 1}\."
        names[ours + r"fusion\.(\w+)"] = rf"body.\1.rdb{block}.conv5.\2"
        for place in (1, 2, 3, 4):
            names[ours + rf"dense\.layers\.{place - 1}\.0\.(\w+)"] = rf"body.\1.rdb{block}.conv{place}.\2"
    return renamed(state, names)


def to_rcan(network: Network) -> State:
    """As the authors' code names it: images of 0 to 255 less a mean, or of [0, 1] without one."""
    mean = getattr(network, "mean", torch.zeros(1)).detach().cpu().flatten()
    state = network.state_dict()
    block = r"backbone\.body\.(\d+)\.body\.(\d+)\.branch\."
    names = {
        block + r"3\.gate\.(\d)\.(\w+)": r"body.\1.body.\2.body.3.conv_du.\3.\4",
        block + r"(\d)\.(\w+)": r"body.\1.body.\2.body.\3.\4",
        r"backbone\.body\.(\d+)\.body\.(\d+)\.(\w+)": r"body.\1.body.\2.\3",
        r"backbone\.body\.(\d+)\.(\w+)": r"body.\1.\2",
        r"backbone\.head\.(\w+)": r"head.0.\1",
        r"upsampler\.stages\.(\d)\.0\.(\w+)": r"tail.0.\1.\2",
        r"tail\.(\w+)": r"tail.1.\1",
    }
    if not mean.any():
        return renamed(state, names)
    state = to_unit_range(state, 1 / 255, ["backbone.head"], ["tail"])
    keep = torch.eye(len(mean))[..., None, None]
    shifts = {f"{name}.weight": keep.clone() for name in ("sub_mean", "add_mean")}
    shifts |= {"sub_mean.bias": -255 * mean, "add_mean.bias": 255 * mean}
    return renamed(state, names) | shifts


def to_swinir(network: Network) -> State:
    """As the authors' code names SwinIR-light, with the index and the masks that it keeps beside what was learned."""
    backbone = network.backbone
    assert isinstance(backbone, SwinIR)
    block, theirs = r"backbone\.groups\.(\d+)\.layers\.(\d+)\.", r"layers.\1.residual_group.blocks.\2."
    state = renamed(
        network.state_dict(),
        {
            r"backbone\.head\.(\w+)": r"conv_first.\1",
            r"backbone\.head_norm\.(\w+)": r"patch_embed.norm.\1",
            block + r"attention\.0\.(\w+)": theirs + r"norm1.\3",
            block + r"attention\.1\.position_bias": theirs + r"attn.relative_position_bias_table",
            block + r"attention\.1\.qkv\.(\w+)": theirs + r"attn.qkv.\3",
            block + r"attention\.1\.project\.(\w+)": theirs + r"attn.proj.\3",
            block + r"perceptron\.0\.(\w+)": theirs + r"norm2.\3",
            block + r"perceptron\.1\.(\w+)": theirs + r"mlp.fc1.\3",
            block + r"perceptron\.3\.(\w+)": theirs + r"mlp.fc2.\3",
            r"backbone\.groups\.(\d+)\.last\.(\w+)": r"layers.\1.conv.\2",
            r"backbone\.norm\.(\w+)": r"norm.\1",
            r"backbone\.last\.(\w+)": r"conv_after_body.\1",
            r"upsampler\.stages\.0\.0\.(\w+)": r"upsample.0.\1",
        },
    )
    size = -(-DRAWN_AT // backbone.multiple_of) * backbone.multiple_of
    for group, layers in enumerate(backbone.groups):
        for place, layer in enumerate(layers.layers):  # type: ignore[arg-type]
            attention, name = layer.attention[1], f"layers.{group}.residual_group.blocks.{place}"
            state[f"{name}.attn.relative_position_index"] = attention.offsets.cpu()
            if attention.shift:
                apart = attention.apart(size, size, torch.device("cpu"))
                state[f"{name}.attn_mask"] = torch.where(apart, -100.0, 0.0)
    return state


PUBLISHED: dict[type, Callable[[Network], State]] = {RRDBNet: to_esrgan, RCAN: to_rcan, SwinIR: to_swinir}
