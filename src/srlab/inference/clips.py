"""Enlarge clips: folders of frames into folders, video files into files of their kind, some frames at a time.

What is held does not grow with a clip's length, save what a network of both directions keeps of the way back.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

import numpy as np
import torch
from torch import Tensor

from srlab.data.clips import Clip, FrameFolder
from srlab.data.images import read_header
from srlab.data.metadata import read_metadata
from srlab.data.pixels import levels_of, to_pixels, to_tensor
from srlab.data.streaming import Form, write_bands
from srlab.data.video_writing import VideoWriter
from srlab.data.videos import VideoFile
from srlab.degradation.resize import resize
from srlab.errors import InputError
from srlab.files import UNFINISHED
from srlab.inference.clip_memory import Appetite, appetite, frames_within
from srlab.inference.enlarge import enlarge_clip
from srlab.inference.memory import memory_budget
from srlab.inference.upscaling import Summary, Upscaler
from srlab.networks.video.network import VideoNetwork
from srlab.types import Pixels

Sink = Callable[[Iterator[Pixels]], None]
"""Takes a frame as its bands (h, W, C), from top to bottom."""


@dataclass(frozen=True)
class ClipJob:
    """A clip, and the folder or file that its enlargement becomes."""

    clip: Clip
    target: Path


@dataclass
class ClipUpscaler:
    """A network with how clips go through it.

    Attributes:
        network: of clips, in evaluation mode, on its device; or what enlarges images, to which a clip's frames are such.
        device: where the network is.
        bfloat16: compute in bfloat16.
        frames: at a time; None: 16, or as many as the memory allows.
        crf: quality of video files, for encoders that lose some: lower is better and larger.
        memory_gb: what the process may hold; None: half of what is free.
    """

    network: VideoNetwork | Upscaler
    device: torch.device
    bfloat16: bool = False
    frames: int | None = None
    crf: int = 16
    memory_gb: float | None = None
    appetites: dict[int, Appetite] = field(default_factory=dict, init=False)
    """By the number of channels."""

    def __post_init__(self) -> None:
        if self.frames is not None and self.frames < 1:
            raise InputError(f"frames={self.frames}: give 1 or more, or null.")
        if not 0 <= self.crf <= 63:
            raise InputError(f"crf={self.crf}: give 0 (best) to 63.")

    def all(self, jobs: list[ClipJob], advanced: Callable[[], None] = lambda: None) -> Iterator[Summary]:
        """Enlarge all; what fails is told and stops nothing else. `advanced` is called after each frame."""
        for job in jobs:
            try:
                yield self.one(job, advanced)
            except (InputError, OSError, MemoryError, ValueError) as error:
                yield Summary(str(job.clip.path), str(job.target), error=str(error) or type(error).__name__)

    def one(self, job: ClipJob, advanced: Callable[[], None] = lambda: None) -> Summary:
        """Enlarge a clip into another of the same kind, depth and, for files, colours, times and sound."""
        started, header = time.perf_counter(), job.clip.header(0)
        size = math.floor(header.height * self.network.scale), math.floor(header.width * self.network.scale)
        with sink(job, size, self.network.scale, self.crf) as write:
            for frame in self.enlarged(job.clip):
                write(frame)
                advanced()
        seconds = time.perf_counter() - started
        return Summary(str(job.clip.path), str(job.target), header.height, header.width, seconds=seconds)

    def enlarged(self, clip: Clip) -> Iterator[Iterator[Pixels]]:
        """The bands of each frame of the result, in the clip's own depth, to be taken before the next frame is."""
        if isinstance(self.network, Upscaler):
            for index in range(len(clip)):
                clip.header(index)  # refuses a frame of another kind
                pixels, alpha = clip.image(index), clip.alpha(index)
                whole: Pixels = pixels if alpha is None else np.concatenate([pixels, alpha], -1)
                yield self.network.bands(whole, alpha is not None, [], lambda done: None)
            return
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            frames = self.at_a_time(clip)
            reader, levels, done = Reader(clip, self.device, kept=3 * frames), levels_of(clip.image(0)), 0
            for part in enlarge_clip(self.network, reader.read, len(clip), frames):
                for place, frame in enumerate(part[0], done):
                    yield iter([with_alpha(to_pixels(frame, levels), clip.alpha(place))])
                done += part.shape[1]

    def at_a_time(self, clip: Clip) -> int:
        """How many frames go through the network at once.

        Raises:
            InputError: the memory does not allow so many as were asked for, or one.
        """
        assert isinstance(self.network, VideoNetwork)
        if self.frames is not None and self.memory_gb is None:
            return self.frames
        header = clip.header(0)
        if header.channels not in self.appetites:
            self.appetites[header.channels] = appetite(self.network, header.channels)
        need, budget = self.appetites[header.channels], memory_budget(self.device, self.memory_gb)
        frames = frames_within(need, header.height, header.width, len(clip), budget)
        return min(frames, self.frames or frames)


def with_alpha(colours: Pixels, alpha: Pixels | None) -> Pixels:
    """A frame's result (H, W, C) with the frame's own alpha, if it has one, enlarged by bicubic interpolation."""
    if alpha is None:
        return colours
    enlarged = resize(to_tensor(alpha)[None], size=(colours.shape[0], colours.shape[1]))[0].clamp(0, 1)
    whole: Pixels = np.concatenate([colours, to_pixels(enlarged, levels_of(alpha))], -1)
    return whole


class Reader:
    """Frames of a clip as tensors, some of them kept, since they are read ahead and again.

    Args:
        clip: of the frames.
        device: where they are to be.
        kept: frames.
    """

    def __init__(self, clip: Clip, device: torch.device, kept: int) -> None:
        self.clip, self.device, self.most = clip, device, kept
        self.kept: OrderedDict[int, Pixels] = OrderedDict()

    def read(self, start: int, stop: int) -> Tensor:
        """(1, stop - start, C, h, w) float32."""
        return torch.stack([to_tensor(self._frame(index)) for index in range(start, stop)])[None].to(self.device)

    def _frame(self, index: int) -> Pixels:
        if index not in self.kept:
            self.kept[index] = self.clip.image(index)
            while len(self.kept) > self.most:
                self.kept.popitem(last=False)
        return self.kept[index]


@contextmanager
def sink(job: ClipJob, size: tuple[int, int], scale: float, crf: int) -> Iterator[Sink]:
    """What takes the enlarged frames one after the other; the target is there whole at the end, or not at all."""
    if isinstance(job.clip, VideoFile):
        with VideoWriter(job.target, job.clip, *size, crf) as writer:
            yield lambda bands: writer.write(np.concatenate(list(bands)))
        return
    assert isinstance(job.clip, FrameFolder)
    sources = iter(job.clip.paths)
    folder = job.target.with_name(f".{job.target.name}{UNFINISHED}")
    rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def write(bands: Iterator[Pixels]) -> None:
        source = next(sources)
        header = read_header(source)
        form = Form(*size, header.channels, np.dtype(header.dtype), header.alpha)
        write_bands(folder / source.name, form, bands, read_metadata(source, scale))

    try:
        yield write
        folder.rename(job.target)
    finally:
        rmtree(folder, ignore_errors=True)


def target_of(clip: Clip, output: Path, scale: float) -> Path:
    """Where a clip's enlargement goes: `<output>/<clip>_x<scale>`, with the ending of a file."""
    suffix = clip.path.suffix if isinstance(clip, VideoFile) else ""
    return output / f"{clip.name}_x{scale:g}{suffix}"
