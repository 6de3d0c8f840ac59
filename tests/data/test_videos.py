"""Video files that are read: any frame, in any order, and what is wrong with them."""

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from srlab.data.clips import clips_below
from srlab.data.videos import VideoFile
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


def test_what_frames_do_not_say_of_their_time_is_counted_on(tmp_path: Path) -> None:
    clip = VideoFile("a", write_video(tmp_path / "a.mkv", frames()))
    whole = list(clip._decoded())
    for frame in whole[2:4]:
        frame.pts = None
    clip._frames, clip._next = iter(whole), 0
    clip.image(5)
    first, second = (clip.times[place] for place in (0, 1))
    assert [clip.times[place] for place in (2, 3)] == pytest.approx([2 * second - first, 3 * second - 2 * first], abs=2)


def test_files_and_folders_are_clips_beside_each_other(tmp_path: Path) -> None:
    write_video(tmp_path / "b.mkv", frames())
    from srlab.data.images import write_image

    for index, picture in enumerate(frames(3)):
        write_image(tmp_path / "a" / f"{index}.png", picture)
    clips = clips_below(tmp_path)
    assert [(span.name, span.length) for span in clips.spans] == [("a", 3), ("b", 6)]
    assert clips.label(5) == "b/000003"
    assert np.array_equal(clips.image(5), frames()[2])
