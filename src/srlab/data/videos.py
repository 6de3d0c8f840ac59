"""Read video files frame by frame, by PyAV (FFmpeg): RGB or grey, 8 or 16 bit, in the file's own colours.

YUV is converted by the matrix and the range that the stream names; where it names none, by BT.709 from 720 lines on and
BT.601 below, as players do. Depths above 8 bit are read as 16 bit; transparency is not read.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from srlab.data.clips import Clip
from srlab.data.images import Header
from srlab.errors import InputError
from srlab.types import Pixels

KEPT_BYTES = 64 * 10**6
"""Of decoded frames, so that one that is asked for again need not be decoded again."""

BT709, BT601, UNSPECIFIED, LIMITED, FULL = 1, 5, 2, 1, 2
"""Numbers of matrices and ranges (ITU-T H.273, and FFmpeg's)."""


@dataclass(frozen=True)
class Stream:
    """What a video stream says of itself.

    Attributes:
        codec, pixel_format: FFmpeg's names; the codec's, whatever decodes it.
        rate: frames a second.
        time_base: the unit of its time stamps, in seconds.
        matrix, range, primaries, transfer: FFmpeg's numbers.
        aspect: width of a pixel by its height, or None.
        rotation: degrees counter-clockwise by which frames are to be turned to be shown.
    """

    codec: str
    pixel_format: str
    rate: Fraction
    time_base: Fraction
    matrix: int
    range: int
    primaries: int
    transfer: int
    aspect: Fraction | None
    rotation: int


class VideoFile(Clip):
    """A video file. Frames that are asked for in their order are decoded once; going back begins anew.

    Args:
        name: of the clip.
        path: the file.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.times: dict[int, int] = {}
        """Time stamps of the frames that were decoded."""
        self._lock = threading.Lock()
        self._recent: OrderedDict[int, Pixels] = OrderedDict()
        self._frames: Iterator[Any] = iter(())
        self._next = -1

    def __len__(self) -> int:
        return self._length

    def label(self, index: int) -> str:
        return f"{index + 1:06d}"

    def header(self, index: int) -> Header:
        return self._header

    def image(self, index: int) -> Pixels:
        with self._lock:
            if index not in self._recent and not 0 <= self._next <= index:
                self._frames, self._next = self._decoded(), 0
                self._recent.clear()
            while index not in self._recent:
                self._advance()
            return self._recent[index]

    def identity(self, index: int) -> str:
        stat = self.path.stat()
        return f"{self.path.resolve()} {stat.st_size} {stat.st_mtime_ns} {index}"

    @cached_property
    def stream(self) -> Stream:
        """What the file says of its first video stream."""
        with opened(self.path) as container:
            stream = container.streams.video[0]
            frame = self._first(container)
            context = stream.codec_context
            matrix = int(frame.colorspace)
            if matrix == UNSPECIFIED:
                matrix = BT709 if frame.height >= 720 else BT601
            return Stream(
                context.codec.canonical_name,
                frame.format.name,
                Fraction(stream.average_rate or stream.guessed_rate or 25),
                Fraction(stream.time_base),
                matrix,
                int(frame.color_range) or (FULL if frame.format.is_rgb or "j" in frame.format.name else LIMITED),
                int(frame.color_primaries),
                int(frame.color_trc),
                stream.sample_aspect_ratio,
                int(frame.rotation) % 360,
            )

    @cached_property
    def _header(self) -> Header:
        with opened(self.path) as container:
            return Header.of(self._pixels(self._first(container)))

    @cached_property
    def _length(self) -> int:
        with opened(self.path) as container:
            stream = container.streams.video[0]
            return int(stream.frames) or sum(packet.size > 0 for packet in container.demux(stream))

    @cached_property
    def _step(self) -> int:
        """What a frame lasts, in units of its time stamps, where it does not say when it is shown."""
        return max(1, round(1 / (self.stream.rate * self.stream.time_base)))

    def _first(self, container: Any) -> Any:
        try:
            frame = next(iter(container.decode(video=0)), None)
        except _errors() as error:
            raise InputError(f"{self.path}: no frame can be decoded: {error}.") from error
        if frame is None:
            raise InputError(f"{self.path}: holds no frame that can be decoded.")
        return frame

    def _decoded(self) -> Iterator[Any]:
        with opened(self.path) as container:
            container.streams.video[0].thread_type = "AUTO"
            yield from container.decode(video=0)

    def _advance(self) -> None:
        try:
            frame, fault = next(self._frames, None), "the file ends before it"
        except _errors() as error:
            frame, fault = None, str(error)
        if frame is None:
            raise InputError(
                f"{self.path}: frame {self._next + 1} of {len(self)} cannot be decoded ({fault}): write the file anew, or "
                f"cut it before that frame."
            )
        pixels = self._pixels(frame)
        before = self.times.get(self._next - 1, -self._step)
        self.times[self._next] = before + self._step if frame.pts is None else frame.pts
        self._recent[self._next] = pixels
        self._next += 1
        while len(self._recent) > max(4, KEPT_BYTES // pixels.nbytes):
            self._recent.popitem(last=False)

    def _pixels(self, frame: Any) -> Pixels:
        stream, deep = self.stream, frame.format.components[0].bits > 8
        grey = frame.format.name.startswith("gray")
        form = {(True, False): "gray", (True, True): "gray16le", (False, False): "rgb24"}.get((grey, deep), "rgb48le")
        array = reformatted(frame, form, stream.matrix, stream.range, FULL).to_ndarray()
        array = array[..., None] if array.ndim == 2 else array
        pixels: Pixels = np.ascontiguousarray(np.rot90(array, stream.rotation // 90))
        return pixels


def opened(path: Path) -> Any:
    """A video file, opened to be read.

    Raises:
        InputError: PyAV is missing, or the file cannot be read, or has no video in it.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise InputError(f"{path} is a video file, and those need PyAV: pip install 'srlab[video]'.") from error
    try:
        container = av.open(str(path))
    except _errors() as error:
        raise InputError(f"{path}: cannot be read as a video: {error}.") from error
    if not container.streams.video:
        container.close()
        raise InputError(f"{path}: has no video stream in it.")
    return container


def _errors() -> tuple[type[Exception], ...]:
    import av

    return av.FFmpegError, OSError, ValueError


def reformatted(frame: Any, form: str, matrix: int, source_range: int, target_range: int) -> Any:
    """A frame in another pixel format, its colours by a matrix between two ranges."""
    from av.video.reformatter import Interpolation

    if frame.format.name == form:
        return frame
    exact = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
    if frame.format.is_rgb and not form.startswith(("yuv", "gray")):  # no matrix between colours of one kind
        return frame.reformat(format=form, interpolation=exact)
    return frame.reformat(
        format=form,
        interpolation=exact,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=source_range,
        dst_color_range=target_range,
    )
