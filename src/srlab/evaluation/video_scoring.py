"""Score one clip, frame by frame as they come: what is held at a time does not grow with its length."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.evaluation.evaluate import Scored, all_numbers
from srlab.evaluation.metrics import Metric
from srlab.evaluation.protocol import Case, Protocol
from srlab.evaluation.results import Score
from srlab.evaluation.video import ClipProtocol
from srlab.evaluation.video_metrics import Frame, TemporalMetric
from srlab.networks.video.network import Read
from srlab.types import LabelledClip, LabelledImage

Stream = Callable[[Read, int], Iterator[Tensor]]
"""What reads the frames of an LR clip, and its length -> parts of its SR (1, t, C, H, W), from the first on."""

KEPT, KEPT_BYTES = 24, 0.5e9
"""Frames with their LR that are held (fewer of large ones), since a network reads ahead of what it gives, and some again."""

PROFILE = 256
"""Frames of a temporal profile."""


@dataclass(frozen=True)
class ScoredClip(Scored):
    """A clip's scores, and the frame in its middle, which stands for it in pictures.

    Attributes:
        frame_score: that frame's first metric.
        profiles: the row in the middle of each frame, below each other, as a picture (C, T, W) by what it is of: "LR" (whose
            columns are repeated), "bicubic", "SR", "HR".
    """

    frame_score: float
    profiles: Mapping[str, Tensor]

    @property
    def headline(self) -> float:
        return self.frame_score


class Cases:
    """The cases of a clip's frames, each made when it is asked for, some of them kept.

    Args:
        clip: of the frames.
        protocol, scale, channels: see `Protocol.prepare`.
    """

    def __init__(self, clip: LabelledClip, protocol: ClipProtocol, scale: int, channels: int) -> None:
        self.clip, self.protocol, self.scale, self.channels = clip, protocol, scale, channels
        self.kept: OrderedDict[int, Case] = OrderedDict()
        self.seconds = 0.0
        """That it took to read."""

    def __getitem__(self, index: int) -> Case:
        if index not in self.kept:
            self.kept[index] = case = self.protocol.prepare(self.clip.frames[index], self.scale, self.channels)
            while len(self.kept) > max(2, min(KEPT, KEPT_BYTES // case.hr.nbytes)):
                self.kept.popitem(last=False)
        return self.kept[index]

    def read(self, start: int, stop: int) -> Tensor:
        """LR (1, t, C, h, w) of some frames."""
        started = time.perf_counter()
        lr = torch.stack([self[index].lr for index in range(start, stop)], 1)
        self.seconds += time.perf_counter() - started
        return lr


def score_clip(
    stream: Stream,
    clip: LabelledClip,
    protocol: Protocol,
    scale: int,
    channels: int,
    metrics: Mapping[str, Metric],
    keep: Callable[[LabelledImage, Tensor], None] | None = None,
) -> ScoredClip:
    """Make LR, super-resolve it, and score the result.

    Args:
        stream: super-resolves; it alone is timed.
        clip: as it comes from its set.
        protocol: how LR is made and SR is scored; its PSNR and SSIM come first.
        scale: the network's.
        channels: the network's.
        metrics: further metrics, by name: of frames, or of their motion.
        keep: is given each frame of the set and its SR (C, H, W).

    Raises:
        InputError: the clip, the network, the protocol and the metrics do not fit.
    """
    protocol = for_clips(protocol)
    moving = {name: metric for name, metric in metrics.items() if isinstance(metric, TemporalMetric)}
    of_frames = {name: metric for name, metric in metrics.items() if name not in moving}
    pictures = protocol.pictures() if of_frames else None
    scored, middle = protocol.scored_frames(clip), len(clip.frames) // 2
    cases, profile = Cases(clip, protocol, scale, channels), Profile()
    values: dict[str, list[float]] = {name: [] for name in (*protocol.metric_names, *metrics)}
    before: Frame | None = None
    shown: tuple[Tensor, Case, float] | None = None
    whole = True
    watch = Watch(stream(cases.read, len(clip.frames)))
    for index, sr in enumerate(frames_of(watch)):
        case = cases[index]
        found = protocol.score(sr, case)
        if keep is not None:
            keep(clip.frames[index], sr[0])
        if index in scored:
            whole = all_numbers(sr, case) and whole
            frame = Frame(*protocol.whole(sr, case))
            if pictures is not None:
                found |= {name: metric(*pictures(sr, case)) for name, metric in of_frames.items()}
            if before is not None:
                steps = {name: metric.between(before, frame, protocol.border(case)) for name, metric in moving.items()}
                found |= {name: value for name, value in steps.items() if value is not None}
            before = frame
            for name, value in found.items():
                values[name].append(value)
        if index == middle:
            shown = sr, case, found[protocol.metric_names[0]]
        if index < PROFILE:
            enlarged = case.lr.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
            profile.add({"LR": enlarged, "bicubic": protocol.baseline(case), "SR": sr, "HR": case.hr}, protocol)
    if shown is None or len(profile) < min(PROFILE, len(clip.frames)):
        raise InputError(f"{clip.dataset}/{clip.name}: fewer SR frames came than the clip's {len(clip.frames)}.")
    facts = {name: metric.facts for name, metric in metrics.items()}
    facts |= {name: protocol.facts(name) for name in protocol.metric_names}
    scores = [
        Score(
            *(clip.dataset, clip.name, name),
            *(fmean(each) if whole else math.nan, facts[name].unit, watch.seconds - cases.seconds),
        )
        for name, each in values.items()
        if each
    ]
    sr, case, frame_score = shown
    return ScoredClip(scores, sr, case, protocol, frame_score, profile.pictures())


def for_clips(protocol: Protocol) -> ClipProtocol:
    """A protocol, which must be one of clips (`InputError`)."""
    if not isinstance(protocol, ClipProtocol):
        raise InputError(
            f"protocol={protocol.name} is not for clips: take vid4_bi, vid4_bd or another of conf/protocol's for video."
        )
    return protocol


def require_scorable(
    image: LabelledImage | LabelledClip,
    protocol: Protocol,
    scale: int,
    channels: int,
    metrics: Mapping[str, Metric],
) -> None:
    """Refuse an image, or a clip by its first frame, that could not be scored (`InputError`); nothing is super-resolved.

    Args:
        image: as it comes from its set.
        protocol: how LR is made and SR is scored.
        scale: the network's.
        channels: the network's.
        metrics: further metrics, by name.
    """
    moving = [name for name, metric in metrics.items() if isinstance(metric, TemporalMetric)]
    if isinstance(image, LabelledClip):
        for_clips(protocol).scored_frames(image)
        image = image.frames[0]
    elif moving:
        raise InputError(f"{', '.join(moving)} compares frames of a clip, and {image.name} is an image: leave it out.")
    if len(metrics) > len(moving):
        protocol.pictures()  # or it refuses
    protocol.prepare(image, scale, channels)


def frames_of(parts: Iterator[Tensor]) -> Iterator[Tensor]:
    """Each frame (1, C, H, W) on the CPU of parts (1, t, C, H, W)."""
    for part in parts:
        yield from part.detach().cpu().unbind(1)


class Watch(Iterator[Tensor]):
    """An iterator, and how many seconds it has taken."""

    def __init__(self, parts: Iterator[Tensor]) -> None:
        self.parts, self.seconds = parts, 0.0

    def __next__(self) -> Tensor:
        started = time.perf_counter()
        try:
            return next(self.parts).cpu()  # waits for the device
        finally:
            self.seconds += time.perf_counter() - started


class Profile:
    """The row in the middle of each frame, below each other: what flickers is a ragged edge there."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Tensor]] = {}

    def __len__(self) -> int:
        return len(next(iter(self.rows.values()), []))

    def add(self, frames: Mapping[str, Tensor], protocol: Protocol) -> None:
        for name, frame in frames.items():
            picture = protocol.shown(frame)
            self.rows.setdefault(name, []).append(picture[:, picture.shape[-2] // 2].float())

    def pictures(self) -> dict[str, Tensor]:
        """(C, T, W) by name."""
        return {name: torch.stack(rows, 1) for name, rows in self.rows.items()}


def recorded(frames: Sequence[LabelledImage]) -> Stream:
    """Frames that another program made, as what super-resolves: they are scored by `score_clip` as a network's are.

    Args:
        frames: as many as the clip's, each in `hr`.
    """

    def stream(read: Read, length: int) -> Iterator[Tensor]:
        if len(frames) != length:
            raise InputError(f"{len(frames)} frames were made of a clip of {length}: give one for each.")
        for frame in frames:
            yield frame.hr[None, None]

    return stream


def framewise(enlarge: Callable[..., Tensor]) -> Stream:
    """What enlarges an image (1, C, h, w), frame by frame."""

    def stream(read: Read, length: int) -> Iterator[Tensor]:
        for index in range(length):
            yield enlarge(read(index, index + 1)[:, 0])[:, None]

    return stream
