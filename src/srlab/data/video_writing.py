"""Write video files by PyAV (FFmpeg), each like the file that its frames come from: colours, time stamps, codec, sound."""

import logging
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from srlab.data.videos import FULL, VideoFile, opened, reformatted
from srlab.files import UNFINISHED
from srlab.types import Pixels

log = logging.getLogger(__name__)

ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp8": "libvpx-vp9", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
"""Which encoder writes what a source was written by; for all other codecs that lose something, that of h264."""

LOSSLESS = ("ffv1", "ffvhuff", "huffyuv", "magicyuv", "png", "qtrle", "rawvideo", "utvideo")
"""Codecs that lose nothing, in whose stead FFV1 is written."""

WITHOUT_TIMES = ("avi", "mpeg")
"""Containers in which frames lie in their order alone: what is coded out of order would be shown so."""


class VideoWriter:
    """Write frames into a video file, which is there whole at the end, or not at all; sound goes along as it is.

    Args:
        path: of the file; its ending names the container.
        like: whose codec, colours, time stamps and sound are taken.
        height, width: of the frames.
        crf: the encoder's quality: lower is better and larger; lossless codecs do without.
    """

    def __init__(self, path: Path, like: VideoFile, height: int, width: int, crf: int = 16) -> None:
        self.path, self.source, self.like = path, like, like.stream
        self.temporary = path.with_name(f".{path.stem}.{os.getpid()}{UNFINISHED}{path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.container = _created(self.temporary)
        codec = self._encoder()
        self.video = self.container.add_stream(codec, rate=self.like.rate)
        self.video.width, self.video.height = width, height
        self.video.pix_fmt = self._pixel_format(codec, height, width)
        self.video.options = {"crf": str(crf)} if codec in ENCODERS.values() else {}
        if self.container.format.name in WITHOUT_TIMES:
            self.video.options |= {"bf": "0"}
        context = self.video.codec_context
        context.time_base = self.like.time_base
        context.colorspace, context.color_range = self.like.matrix, self.like.range
        context.color_primaries, context.color_trc = self.like.primaries, self.like.transfer
        if self.like.aspect:
            context.sample_aspect_ratio = self.like.aspect
        self.sound = opened(like.path)
        tracks = self.sound.streams.audio
        self.tracks = {track.index: self.container.add_stream_from_template(track) for track in tracks}
        self.packets = self.sound.demux(tracks) if tracks else iter(())
        self.waiting = next(self.packets, None)
        self.written = 0

    def write(self, pixels: Pixels) -> None:
        """Add the next frame (H, W, C), in the source's depth."""
        import av

        form = {(1, 1): "gray", (1, 2): "gray16le", (3, 1): "rgb24", (3, 2): "rgb48le"}[
            pixels.shape[-1], pixels.dtype.itemsize
        ]
        array: Any = np.ascontiguousarray(pixels[..., 0] if "gray" in form else pixels)
        frame = av.VideoFrame.from_ndarray(array, format=form)
        frame = reformatted(frame, self.video.pix_fmt, self.like.matrix, FULL, self.like.range)
        frame.pts, frame.time_base = self.source.times.get(self.written, self.written), self.like.time_base
        self._add_sound(until=float(frame.pts * frame.time_base))
        for packet in self.video.encode(frame):
            self.container.mux(packet)
        self.written += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for packet in self.video.encode():
                    self.container.mux(packet)
                self._add_sound(until=float("inf"))
            self.container.close()
            self.sound.close()
            if kind is None:
                with self.temporary.open("rb") as file:
                    os.fsync(file.fileno())
                self.temporary.replace(self.path)
        finally:
            self.temporary.unlink(missing_ok=True)

    def _add_sound(self, until: float) -> None:
        while self.waiting is not None:
            packet = self.waiting
            if packet.dts is not None:
                if float(packet.dts * packet.time_base) > until:
                    return
                packet.stream = self.tracks[packet.stream.index]
                self.container.mux(packet)
            self.waiting = next(self.packets, None)

    def _encoder(self) -> str:
        """That of the source's codec, where the container takes it, else one that it takes."""
        from av.codec import Codec

        if self.path.suffix.lower() == ".y4m":
            return "wrapped_avframe"  # frames as they are: the container knows no codec
        own = "ffv1" if self.like.codec in LOSSLESS else ENCODERS.get(self.like.codec, "libx264")
        taken = self.container.supported_codecs
        fitting = [name for name in (own, "libx264", "libvpx-vp9") if Codec(name, "w").canonical_name in taken]
        return fitting[0] if fitting else own

    def _pixel_format(self, codec: str, height: int, width: int) -> str:
        """The source's, or the encoder's next to it; colours at half the height or width need even sides."""
        import av
        from av.codec.codec import find_best_pix_fmt_of_list

        form = self.like.pixel_format
        if any(component.is_alpha for component in av.VideoFormat(form).components):
            log.warning("%s: its transparency is lost: all of the result is opaque.", self.source.path)
        odd = (height % 2 and "420" in form) or (width % 2 and ("420" in form or "422" in form))
        form = form.replace("420", "444").replace("422", "444") if odd else form
        known = av.Codec(codec, "w").video_formats
        if not known or form in {each.name for each in known}:
            return form
        best, _ = find_best_pix_fmt_of_list([each.name for each in known], form, False)
        return best.name if best else form


def _created(path: Path) -> Any:
    import av

    return av.open(str(path), "w")
