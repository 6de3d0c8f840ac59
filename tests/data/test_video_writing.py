"""Video files that are written: like their sources, in every container, or not at all."""

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srlab.data.video_writing import VideoWriter
from srlab.data.videos import VideoFile, opened
from srlab.types import Pixels
from tests.data.test_videos import HEIGHT, RATE, WIDTH, frames, write_video

av = pytest.importorskip("av", reason="video files need PyAV: pip install 'srlab[video]'")


def test_a_lossless_file_is_written_as_it_was_read(tmp_path: Path) -> None:
    source = VideoFile("a", write_video(tmp_path / "a.mkv", frames()))
    with VideoWriter(tmp_path / "new" / "b.mkv", source, HEIGHT, WIDTH) as writer:
        for index in range(len(source)):
            writer.write(source.image(index))
    copy = VideoFile("b", tmp_path / "new" / "b.mkv")
    assert all(np.array_equal(copy.image(index), source.image(index)) for index in range(6))
    assert copy.stream == source.stream
    assert copy.times == source.times
    with opened(copy.path) as container:
        sound = container.streams.audio[0]
        assert sum(packet.size for packet in container.demux(sound)) == 2 * 1024, "16-bit samples"
    assert [path.name for path in copy.path.parent.iterdir()] == ["b.mkv"]


@pytest.mark.parametrize(("matrix", "luma"), [(1, (0.2126, 0.7152, 0.0722)), (5, (0.299, 0.587, 0.114))])
def test_colours_are_those_of_the_streams_matrix(tmp_path: Path, matrix: int, luma: tuple[float, ...]) -> None:
    colour = np.array([200, 60, 30], np.uint8)
    picture = np.ascontiguousarray(np.broadcast_to(colour, (HEIGHT, WIDTH, 3)))
    path = write_video(tmp_path / "a.mp4", [picture] * 3, "libx264", "yuv444p", matrix)
    with opened(path) as container:
        y = np.asarray(next(container.decode(video=0)).to_ndarray()[0, 0, 0])
    assert abs(float(y) - (16 + 219 / 255 * float(np.dot(luma, colour)))) <= 1
    source = VideoFile("a", path)
    assert source.stream.matrix == matrix
    assert np.abs(source.image(1).astype(int) - colour).max() <= 2
    with VideoWriter(tmp_path / "b.mp4", source, 2 * HEIGHT, 2 * WIDTH, crf=0) as writer:
        for index in range(3):
            writer.write(source.image(index).repeat(2, 0).repeat(2, 1))
    copy = VideoFile("b", tmp_path / "b.mp4")
    assert (copy.stream.matrix, copy.stream.range, copy.stream.rate) == (matrix, 1, RATE)
    assert np.abs(copy.image(2).astype(int) - colour).max() <= 3
    assert copy.header(0).height == 2 * HEIGHT


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    source = VideoFile("a", write_video(tmp_path / "a.mkv", frames()))

    def fail_midway() -> None:
        with VideoWriter(tmp_path / "b.mkv", source, HEIGHT, WIDTH) as writer:
            writer.write(source.image(0))
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fail_midway()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


def encoded(path: Path, codec: str, form: str, pictures: list[Pixels], milliseconds: list[int]) -> VideoFile:
    """A file without sound, its frames shown at these times."""
    container: Any = av.open(str(path), "w")
    video = container.add_stream(codec, rate=25)
    video.height, video.width, video.pix_fmt = *pictures[0].shape[:2], form
    regular = milliseconds == [40 * place for place in range(len(pictures))]
    unit = Fraction(1, 25 if regular else 1000)  # containers without time stamps know the rate alone
    video.codec_context.time_base = unit
    for pixels, time in zip(pictures, milliseconds, strict=True):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=form)
        frame.pts, frame.time_base = round(time / (1000 * unit)), unit
        container.mux(video.encode(frame))
    container.mux(video.encode())
    container.close()
    return VideoFile("a", path)


def copied(source: VideoFile, path: Path) -> tuple[VideoFile, list[float]]:
    """A copy, and how far each of its frames is from the source's, on the mean, in 8-bit codes."""
    first = source.image(0)
    with VideoWriter(path, source, first.shape[0], first.shape[1], crf=1) as writer:
        for index in range(len(source)):
            writer.write(source.image(index))
    copy = VideoFile("b", path)
    assert len(copy) == len(source)
    unit = 257 if first.dtype == np.uint16 else 1
    pairs = [(copy.image(index), source.image(index)) for index in range(len(source))]
    return copy, [float(np.abs(ours.astype(int) - theirs.astype(int)).mean() / unit) for ours, theirs in pairs]


CASES = {
    "mjpeg.avi": ("mjpeg", "yuvj420p", "h264"),
    "raw.avi": ("rawvideo", "bgr24", "ffv1"),
    "raw.y4m": ("rawvideo", "yuv420p", "rawvideo"),
    "lossless.avi": ("huffyuv", "rgb24", "ffv1"),
    "grey16.mkv": ("ffv1", "gray16le", "ffv1"),
    "deep.mkv": ("ffv1", "gbrp16le", "ffv1"),
    "prores.mov": ("prores_ks", "yuv422p10le", "h264"),
    "old.webm": ("libvpx", "yuv420p", "vp9"),
    "new.mp4": ("libsvtav1", "yuv420p", "av1"),
    "older.mpg": ("mpeg2video", "yuv420p", "h264"),
}
"""Codec and pixel format of a source, and the codec of what is written like it."""


@pytest.mark.parametrize("name", sorted(CASES))
def test_every_container_holds_what_is_written_like_its_source(tmp_path: Path, name: str) -> None:
    codec, form, expected = CASES[name]
    large = [picture.repeat(2, 0).repeat(2, 1) for picture in frames()]
    try:
        source = encoded(tmp_path / name, codec, form, large, [40 * place for place in range(6)])
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this FFmpeg has no {codec}")
    copy, off = copied(source, tmp_path / f"copy_{name}")
    assert copy.stream.codec == expected
    assert copy.header(0).dtype == source.header(0).dtype
    assert max(off) == 0 if expected in ("ffv1", "rawvideo") and form != "yuv420p" else max(off) < 5
    steps = np.diff([float(time * copy.stream.time_base) for time in copy.times.values()])
    assert steps == pytest.approx([0.04] * 5, abs=0.002)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_frames_that_are_shown_for_unequal_times_stay_so(tmp_path: Path, suffix: str) -> None:
    times = [0, 40, 120, 130, 500, 540]
    source = encoded(tmp_path / f"a{suffix}", "libx264", "yuv444p", frames(), times)
    copy, _ = copied(source, tmp_path / f"b{suffix}")
    shown = [float(1000 * time * copy.stream.time_base) for time in copy.times.values()]
    assert shown == pytest.approx(times, abs=0.5)


@pytest.mark.parametrize("count", [1, 3])
def test_odd_sides_and_single_frames(tmp_path: Path, count: int) -> None:
    """Half-size colours have no odd sides in H.264: they are written at full size."""
    odd = [picture[:33, :47] for picture in (one.repeat(2, 0) for one in frames(count))]
    source = encoded(tmp_path / "a.mkv", "ffv1", "yuv420p", odd, [40 * place for place in range(count)])
    with VideoWriter(tmp_path / "b.mkv", source, 33, 47) as writer:
        for index in range(count):
            writer.write(source.image(index))
    copy = VideoFile("b", tmp_path / "b.mkv")
    assert (len(copy), copy.stream.pixel_format) == (count, "yuv444p")
    assert np.abs(copy.image(0).astype(int) - source.image(0)).mean() < 2


def test_lost_transparency_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = encoded(tmp_path / "a.mkv", "ffv1", "bgra", frames(2), [0, 40])
    with caplog.at_level(logging.WARNING):
        _, off = copied(source, tmp_path / "b.mkv")
    assert "its transparency is lost" in caplog.text
    assert max(off) == 0
