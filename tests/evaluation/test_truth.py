"""What is super-resolved does not depend on the truth: with LR as it was found, another HR changes nothing that is given."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from srlab.build import build
from srlab.evaluation.evaluate import score_image
from srlab.evaluation.protocol import Protocol
from srlab.evaluation.video_scoring import score_clip
from srlab.networks.video.network import Read
from srlab.types import LabelledClip, LabelledImage
from tests.conftest import composed
from tests.faces.drawn import face

SIZE, SCALE = 48, 4
JUDGES = ("protocol.dlib=null", "protocol.identity=null", "protocol.mesh=null")
DOMAINS = {
    "classical_y": (3, None),
    "srcnn_y": (1, None),
    "faces": (3, None),
    "depth_levels": (1, 3),
    "wald": (5, 1),
    "full_resolution": (5, 1),
}
"""Channels of the network and of the guide, by protocol."""


def picture(channels: int, seed: int, size: int = SIZE) -> Tensor:
    codes = torch.randint(0, 256, (channels, size, size), generator=torch.Generator().manual_seed(seed))
    return codes / 255


def protocol_of(name: str) -> Protocol:
    overrides = JUDGES if name == "faces" else ()
    protocol = build(composed("test", [f"protocol={name}", "run_dir=.", *overrides]).protocol)
    assert isinstance(protocol, Protocol)
    return protocol


def two_truths(channels: int, guide: int | None) -> tuple[LabelledImage, LabelledImage]:
    """A set's image with its own LR, and the same beside another truth, with other holes and landmarks."""
    beside: dict[str, Any] = {"guide": None if guide is None else picture(guide, 2)}
    one = LabelledImage("set", "one", picture(channels, 0), picture(channels, 1, SIZE // SCALE), 255, **beside)
    holes = torch.ones(1, SIZE, SIZE)
    holes[..., :9] = 0
    return one, replace(one, hr=0.3 + picture(channels, 3) / 2, mask=holes, landmarks=face()[0])


def given(protocol: Protocol, image: LabelledImage, channels: int) -> list[Tensor]:
    """What a network is given of an image."""
    seen: list[Tensor] = []

    def enlarge(*inputs: Tensor) -> Tensor:
        seen.extend(inputs)
        return torch.rand(1, channels, SIZE, SIZE)

    score_image(enlarge, image, protocol, SCALE, channels, {})
    return seen


@pytest.mark.parametrize("name", DOMAINS)
def test_another_truth_changes_nothing_that_a_network_is_given(name: str) -> None:
    channels, guide = DOMAINS[name]
    protocol = protocol_of(name)
    colours = 3 if name == "srcnn_y" else channels
    one, other = (given(protocol, image, channels) for image in two_truths(colours, guide))
    assert len(one) == len(other) == (1 if guide is None else 2)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(one, other, strict=True))


def test_the_range_of_the_truth_reaches_networks_under_its_own_name_alone() -> None:
    one, other = (given(protocol_of("depth_levels_hr"), image, 1) for image in two_truths(1, 3))
    assert not torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


@pytest.mark.parametrize("name", ["vid4_bi", "vid4_bd", "vid4_bd_y", "reds4"])
def test_other_true_frames_change_nothing_that_a_network_of_clips_is_given(name: str) -> None:
    protocol = protocol_of(name)
    channels = 1 if name == "vid4_bd_y" else 3
    seen: list[Tensor] = []

    def stream(read: Read, length: int) -> Iterator[Tensor]:
        seen.append(read(0, length))
        yield torch.rand(1, length, channels, SIZE, SIZE)

    pairs = [two_truths(3, None) for _ in range(6)]
    for frames in zip(*pairs, strict=True):
        score_clip(stream, LabelledClip("set", "clip", frames), protocol, SCALE, channels, {})
    assert torch.equal(*seen)
