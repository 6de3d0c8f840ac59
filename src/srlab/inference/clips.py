"""Enlarge clips: folders of frames into folders, video files into files of their kind, some frames at a time.

What is held does not grow with a clip's length, save what a network of both directions keeps of the way back.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import torch
from torch import Tensor

from srlab.data.clips import Clip, FrameFolder
from srlab.data.metadata import read_metadata
from srlab.data.pixels import levels_of, to_pixels, to_tensor
from srlab.data.streaming import Form, write_bands
from srlab.data.videos import VideoFile, VideoWriter
from srlab.errors import InputError
from srlab.files import UNFINISHED
from srlab.inference.enlarge import enlarge_clip
from srlab.inference.upscaling import Summary
from srlab.networks.network import Network
from srlab.types import Pixels

FRAMES, FRAMES_BYTES = 16, 0.5e9
"""At a time, where nothing else is said: so many, or as many as their SR takes so much room."""

Sink = Callable[[Pixels], None]


@dataclass(frozen=True)
class ClipJob:
    """A clip, and the folder or file that its enlargement becomes."""

    clip: Clip
    target: Path


@dataclass(frozen=True)
class ClipUpscaler:
    """A network with how clips go through it.

    Attributes:
        network: of clips, or of images, which takes them frame by frame; in evaluation mode, on its device.
        device: where it is.
        bfloat16: compute in bfloat16.
        frames: at a time; None: 16, or fewer of large ones.
        crf: quality of video files, for encoders that lose some: lower is better and larger.
    """

    network: Network
    device: torch.device
    bfloat16: bool = False
    frames: int | None = None
    crf: int = 16

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
        started, clip, scale = time.perf_counter(), job.clip, self.network.scale
        header = clip.header(0)
        size = header.height * scale, header.width * scale
        frames = self.frames or max(1, min(FRAMES, int(FRAMES_BYTES // (4 * header.channels * size[0] * size[1]))))
        levels, reader = levels_of(clip.image(0)), Reader(clip, self.device, kept=3 * frames)
        autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)
        with sink(job, size, scale, self.crf) as write, autocast:
            for part in enlarge_clip(self.network, reader.read, len(clip), frames):
                for frame in part[0]:
                    write(to_pixels(frame, levels))
                    advanced()
        seconds = time.perf_counter() - started
        return Summary(str(clip.path), str(job.target), header.height, header.width, seconds=seconds)


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
def sink(job: ClipJob, size: tuple[int, int], scale: int, crf: int) -> Iterator[Sink]:
    """What takes the enlarged frames one after the other; the target is there whole at the end, or not at all."""
    if isinstance(job.clip, VideoFile):
        with VideoWriter(job.target, job.clip, *size, crf) as writer:
            yield writer.write
        return
    assert isinstance(job.clip, FrameFolder)
    sources = iter(job.clip.paths)
    folder = job.target.with_name(f".{job.target.name}{UNFINISHED}")
    rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)

    def write(pixels: Pixels) -> None:
        source = next(sources)
        form = Form(*size, pixels.shape[2], pixels.dtype)
        write_bands(folder / source.name, form, iter([pixels]), read_metadata(source, scale))

    try:
        yield write
        folder.rename(job.target)
    finally:
        rmtree(folder, ignore_errors=True)


def target_of(clip: Clip, output: Path, scale: int) -> Path:
    """Where a clip's enlargement goes: `<output>/<clip>_x<scale>`, with the ending of a file."""
    suffix = clip.path.suffix if isinstance(clip, VideoFile) else ""
    return output / f"{clip.name}_x{scale}{suffix}"
