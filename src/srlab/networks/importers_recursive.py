"""Layouts of recursive and iterative networks: DRRN, MemNet, DBPN, SRFBN."""

import re

import torch

from srlab.networks.layout import Layout, State, has, renamed, reordered, to_unit_range, without_mean


def from_drrn(state: State) -> State:
    """Trained with in-place ReLUs, which rectify the identity, too; a buffer says so to our network."""
    names = {
        r"input\.weight": "backbone.blocks.0.entry.weight",
        r"conv1\.weight": "backbone.blocks.0.unit.1.weight",
        r"conv2\.weight": "backbone.blocks.0.unit.3.weight",
        r"output\.weight": "tail.weight",
    }
    return renamed(state, names) | {"backbone.blocks.0.rectified": torch.tensor(True)}


def from_memnet(state: State) -> State:
    block, unit = r"dense_memory\.(\d+)\.", r"recursive_unit\.(\d+)\.relu_conv"
    names = {
        r"feature_extractor\.bn\.(\w+)": r"backbone.extract.0.\1",
        r"feature_extractor\.conv\.(\w+)": r"backbone.extract.2.\1",
        r"reconstructor\.bn\.(\w+)": r"backbone.last.0.\1",
        r"reconstructor\.conv\.(\w+)": r"tail.\1",
        block + r"gate_unit\.bn\.(\w+)": r"backbone.memories.\1.gate.0.\2",
        block + r"gate_unit\.conv\.(\w+)": r"backbone.memories.\1.gate.2.\2",
    }
    for ours, theirs in enumerate((1, 2)):
        names[block + unit + rf"{theirs}\.bn\.(\w+)"] = rf"backbone.memories.\1.norms.\2.{ours}.\3"
        names[block + unit + rf"{theirs}\.conv\.(\w+)"] = rf"backbone.memories.\1.convolutions.\2.{ours}.\3"
    ours_state = renamed(state, names)
    if "weights" in ours_state:  # the file's network divides by their sum at each call
        weights = ours_state.pop("weights").flatten()
        ours_state["ensemble.weights"] = weights / weights.sum()
    return ours_state


def from_dbpn(state: State) -> State:
    names = {
        r"feat0\.conv\.(\w+)": r"backbone.stem.0.\1",
        r"feat0\.act\.(\w+)": r"backbone.stem.1.\1",
        r"feat1\.conv\.(\w+)": r"backbone.stem.2.0.\1",
        r"feat1\.act\.(\w+)": r"backbone.stem.2.1.\1",
        r"output_conv\.conv\.(\w+)": r"tail.\1",
    }
    stages = {int(found[1]) for key in state if (found := re.match(r"up(\d+)\.", key))}
    for stage in stages:
        for way, other in (("up", "down"), ("down", "up")):
            ours = f"backbone.projections.{way}.{stage - 1}"
            names |= {rf"{way}{stage}\.conv\.conv\.(\w+)": rf"{ours}.fusion.0.\1"}
            names |= {rf"{way}{stage}\.conv\.act\.(\w+)": rf"{ours}.fusion.1.\1"}
            for step, part in enumerate(("project", "back", "correct"), start=1):
                goes_up = (way if part != "back" else other) == "up"
                layer = rf"{way}{stage}\.{way}_conv{step}\."
                inner = "0.stages.0" if goes_up else "0"
                names[layer + (r"deconv" if goes_up else r"conv") + r"\.(\w+)"] = rf"{ours}.{part}.{inner}.\1"
                names[layer + r"act\.(\w+)"] = rf"{ours}.{part}.1.\1"
    ours_state = renamed(state, names)
    width = state["feat1.conv.weight"].shape[0]
    fused = [key for key in ours_state if key.endswith("fusion.0.weight")]
    for key in [*fused, "tail.weight"]:  # the file puts the newest features first
        ours_state = reordered(ours_state, key, lambda groups: groups[::-1], width)
    return ours_state


def from_srfbn(state: State) -> State:
    state, range_ = without_mean(state)
    names = {
        r"conv_in\.(\d)\.(\w+)": r"backbone.stem.\1.\2",
        r"feat_in\.(\d)\.(\w+)": r"backbone.stem.2.\1.\2",
        r"block\.compress_(in|out)\.(\d)\.(\w+)": r"backbone.block.compress_\1.\2.\3",
        r"block\.upBlocks\.(\d+)\.0\.(\w+)": r"backbone.block.up.\1.0.stages.0.\2",
        r"block\.upBlocks\.(\d+)\.1\.(\w+)": r"backbone.block.up.\1.1.\2",
        r"block\.downBlocks\.(\d+)\.(\d)\.(\w+)": r"backbone.block.down.\1.\2.\3",
        r"out\.0\.(\w+)": r"backbone.up.0.stages.0.\1",
        r"out\.1\.(\w+)": r"backbone.up.1.\1",
        r"conv_out\.0\.(\w+)": r"tail.\1",
        r"conv_out\.(\w+)": r"tail.\1",
    }
    groups = {int(found[1]) for key in state if (found := re.match(r"block\.upBlocks\.(\d+)\.", key))}
    for group in groups:
        names[rf"block\.uptranBlocks\.{group}\.(\d)\.(\w+)"] = rf"backbone.block.fuse_low.{group + 1}.\1.\2"
        names[rf"block\.downtranBlocks\.{group}\.(\d)\.(\w+)"] = rf"backbone.block.fuse_high.{group + 1}.\1.\2"
    return to_unit_range(renamed(state, names), range_, ["backbone.stem.0"], ["tail"])


def is_drrn(state: State) -> bool:
    return set(state) == {"input.weight", "conv1.weight", "conv2.weight", "output.weight"}


def is_small_srfbn(state: State) -> bool:
    return is_srfbn(state) and state["feat_in.0.weight"].shape[0] == 32


is_srfbn = has("conv_in.0.weight", "feat_in.0.weight", "block.compress_in.0.weight")

RECURSIVE = (
    Layout("DRRN", "network=drrn", is_drrn, from_drrn),
    Layout(
        "MemNet, each recursion with its own weights",
        "network=memnet backbone.shared=false",
        has("feature_extractor.conv.weight", "dense_memory.0.gate_unit.conv.weight"),
        from_memnet,
    ),
    Layout("DBPN", "network=dbpn", has("feat0.conv.weight", "up1.up_conv1.deconv.weight"), from_dbpn),
    Layout("SRFBN-S", "network=srfbn_s", is_small_srfbn, from_srfbn),
    Layout("SRFBN", "network=srfbn", is_srfbn, from_srfbn),
)
