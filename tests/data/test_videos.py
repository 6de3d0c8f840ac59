"""Video files: what is written is read again, codes, colours, times and sound."""

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srlab.data.clips import clips_below
from srlab.data.videos import VideoFile, VideoWriter, opened
from srlab.errors import InputError
from srlab.types import Pixels

av = pytest.importorskip("av", reason="video files need PyAV: pip install 'srlab[video]'")
HEIGHT, WIDTH, RATE = 32, 48, Fraction(30000, 1001)


def frames(count: int = 6) -> list[Pixels]:
    blocks = np.random.default_rng(0).integers(30, 220, (count, HEIGHT // 8, WIDTH // 8, 3))
    return list(np.kron(blocks, np.ones((1, 8, 8, 1))).astype(np.uint8))


def write_video(path: Path, pictures: list[Pixels], codec: str = "ffv1", form: str = "bgr0", matrix: int = 0) -> Path:
    """Written by PyAV alone, with a second of silence."""
    container: Any = av.open(str(path), "w")
    video = container.add_stream(codec, rate=RATE)
    video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, form
    video.options = {"crf": "0"} if codec == "libx264" else {}
    if matrix:
        video.codec_context.colorspace, video.codec_context.color_range = matrix, 1
    sound = container.add_stream("pcm_s16le" if path.suffix == ".mkv" else "aac", rate=8000)
    sound.layout = "mono"
    silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
    silence.rate, silence.pts = 8000, 0
    for packet in [*sound.encode(silence), *sound.encode()]:
        container.mux(packet)
    for pixels in pictures:
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        if matrix:
            frame = frame.reformat(format=form, dst_colorspace=matrix, src_color_range=2, dst_color_range=1)
        for packet in video.encode(frame):
            container.mux(packet)
    for packet in video.encode():
        container.mux(packet)
    container.close()
    return path


def test_frames_are_read_in_any_order(tmp_path: Path) -> None:
    pictures = frames()
    clip = VideoFile("a", write_video(tmp_path / "a.mkv", pictures))
    assert (len(clip), clip.header(0).height, clip.header(0).width, clip.stream.rate) == (6, HEIGHT, WIDTH, RATE)
    for index in (0, 1, 5, 2, 2, 0, 4):
        assert np.array_equal(clip.image(index), pictures[index])
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda i=i: found.append(np.array_equal(clip.image(i), pictures[i]))) for i in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6


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


def test_files_that_are_no_videos_or_are_cut_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"a\.mp4: cannot be read as a video"):
        len(VideoFile("a", tmp_path / "a.mp4"))
    whole = write_video(tmp_path / "b.mp4", frames(), "libx264", "yuv444p")
    clip = VideoFile("b", whole)
    assert len(clip) == 6
    clip.__dict__["_length"] = 8  # what a damaged index says
    with pytest.raises(InputError, match=r"b\.mp4: frame 7 of 8 cannot be decoded"):
        clip.image(7)


def test_files_and_folders_are_clips_beside_each_other(tmp_path: Path) -> None:
    write_video(tmp_path / "b.mkv", frames())
    from srlab.data.images import write_image

    for index, picture in enumerate(frames(3)):
        write_image(tmp_path / "a" / f"{index}.png", picture)
    clips = clips_below(tmp_path)
    assert [(span.name, span.length) for span in clips.spans] == [("a", 3), ("b", 6)]
    assert clips.label(5) == "b/000003"
    assert np.array_equal(clips.image(5), frames()[2])
