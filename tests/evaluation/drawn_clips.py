"""Clips that are drawn, and what a protocol says of what was made of them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.build import build
from srlab.evaluation.video import ClipProtocol
from srlab.evaluation.video_scoring import Stream, recorded, score_clip
from srlab.types import LabelledClip, LabelledImage
from tests.conftest import composed

SIZE = 64


def shipped(name: str, *changes: str) -> ClipProtocol:
    protocol = build(composed("test", [f"protocol={name}", "run_dir=.", *changes]).protocol)
    assert isinstance(protocol, ClipProtocol)
    return protocol


def clip_of(pictures: Sequence[Tensor], levels: int = 0) -> LabelledClip:
    return LabelledClip(
        "made", "one", [LabelledImage("made", f"one/{t}", p, None, levels) for t, p in enumerate(pictures)]
    )


def scores(stream: Stream, clip: LabelledClip, protocol: ClipProtocol, **metrics: object) -> dict[str, float]:
    found = score_clip(stream, clip, protocol, 4, len(clip.frames[0].hr), metrics)  # type: ignore[arg-type]
    assert {(score.dataset, score.image) for score in found.scores} == {("made", "one")}
    return {score.metric: score.value for score in found.scores}


def moving(length: int = 7, down: int = 0, right: int = 2, channels: int = 1) -> list[Tensor]:
    """What a camera sees that goes over a smooth picture by whole pixels."""
    picture = torch.rand(1, channels, 24, 30, generator=torch.Generator().manual_seed(0))
    picture = F.interpolate(picture, scale_factor=5, mode="bicubic").clamp(0, 1)[0]
    return [picture[:, t * down :, t * right :][:, :SIZE, :SIZE] for t in range(length)]


def given(pictures: Sequence[Tensor]) -> Stream:
    return recorded(clip_of(pictures).frames)
