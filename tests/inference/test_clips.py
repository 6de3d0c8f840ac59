"""Clips that are enlarged some frames at a time: as the whole, in constant memory, into files of their own kind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.data.clips import Clip, FrameFolder
from srlab.data.images import Header, read_image, write_image
from srlab.data.pixels import to_pixels, to_tensor
from srlab.data.videos import VideoFile
from srlab.errors import InputError
from srlab.inference.clip_memory import Appetite, appetite, frames_within
from srlab.inference.clips import ClipJob, ClipUpscaler, Reader, target_of
from srlab.inference.upscaling import Upscaler
from srlab.networks.interpolation import Interpolation, enlarge
from srlab.networks.video.network import RecurrentNetwork, State
from srlab.types import Pixels, Prediction
from tests.conftest import Command
from tests.data.test_videos import frames, write_video

CPU = torch.device("cpu")


class Fading(RecurrentNetwork):
    """Half of what it is given, and half of what it gave before."""

    def __init__(self) -> None:
        super().__init__(channels=3, scale=2, multiple_of=1)

    def advance(self, lr: Tensor, state: State | None) -> tuple[Prediction, State]:
        results = []
        (before,) = state or (enlarge(lr[:, 0], 2, "nearest"),)
        for frame in lr.unbind(1):
            before = (before + enlarge(frame, 2, "nearest")) / 2
            results.append(before)
        return Prediction(torch.stack(results, 1), {}), (before,)


def folder_of(path: Path, count: int = 5) -> FrameFolder:
    for index, picture in enumerate(frames(count)):
        write_image(path / f"Frame {index:03d}.png", picture)
    return FrameFolder(path.name, path)


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 16])
def test_chunks_carry_their_state_and_equal_the_whole(tmp_path: Path, at_a_time: int) -> None:
    clip = folder_of(tmp_path / "walk")
    target = target_of(clip, tmp_path / "large", 2)
    summary = ClipUpscaler(Fading(), CPU, frames=at_a_time).one(ClipJob(clip, target))
    assert (summary.height, summary.width, summary.error) == (32, 48, "")
    lr = torch.stack([to_tensor(picture) for picture in frames(5)])[None]
    whole = Fading().eval()(lr).sr[0]
    assert target == tmp_path / "large" / "walk_x2"
    assert sorted(path.name for path in target.iterdir()) == [f"Frame {index:03d}.png" for index in range(5)]
    for index in range(5):
        assert np.array_equal(read_image(target / f"Frame {index:03d}.png"), to_pixels(whole[index], 255))
    assert [path.name for path in target.parent.iterdir()] == ["walk_x2"], "nothing unfinished is left"


def test_a_video_file_becomes_one_of_its_kind(tmp_path: Path) -> None:
    source = VideoFile("a", write_video(tmp_path / "a.mkv", frames()))
    target = target_of(source, tmp_path, 2)
    ClipUpscaler(Upscaler(Interpolation(3, 2, "nearest"), [CPU]), CPU).one(ClipJob(source, target))
    large = VideoFile("a_x2", tmp_path / "a_x2.mkv")
    for index in range(6):
        assert np.array_equal(large.image(index), frames()[index].repeat(2, 0).repeat(2, 1))
    assert (len(large), large.stream, large.times) == (6, source.stream, source.times)


def test_frames_of_networks_of_images_are_tiled_and_equal_the_whole(tmp_path: Path) -> None:
    clip, network = folder_of(tmp_path / "walk", 2), Interpolation(3, 2, "bicubic")
    seen: list[torch.Size] = []
    network.register_forward_pre_hook(lambda module, given: seen.append(given[0].shape[-2:]))
    ClipUpscaler(Upscaler(network, [CPU], tile=16), CPU).one(ClipJob(clip, tmp_path / "tiled"))
    assert max(height * width for height, width in seen) < 32 * 48
    ClipUpscaler(Upscaler(network, [CPU], tile=64), CPU).one(ClipJob(clip, tmp_path / "whole"))
    for path in (tmp_path / "whole").iterdir():
        assert np.array_equal(read_image(path), read_image(tmp_path / "tiled" / path.name))


@pytest.mark.parametrize("of_clips", [True, False])
def test_frames_keep_their_depth_and_their_alpha(tmp_path: Path, of_clips: bool) -> None:
    opaque = frames(3)[0].astype(np.uint16) * 257
    alpha = np.zeros((*opaque.shape[:2], 1), np.uint16)
    alpha[:, 24:] = 65535
    write_image(tmp_path / "walk" / "1.png", opaque)
    write_image(tmp_path / "walk" / "2.png", np.concatenate([opaque, alpha], -1))
    clip = FrameFolder("walk", tmp_path / "walk")
    network = Fading() if of_clips else Upscaler(Interpolation(3, 2, "nearest"), [CPU])
    ClipUpscaler(network, CPU).one(ClipJob(clip, tmp_path / "large"))
    first, second = (read_image(tmp_path / "large" / name) for name in ("1.png", "2.png"))
    assert (first.dtype.name, first.shape, second.shape) == ("uint16", (64, 96, 3), (64, 96, 4))
    assert np.array_equal(first, opaque.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(second[..., :3], first)
    assert not second[:, :40, 3].any()
    assert (second[:, 56:, 3] == 65535).all()


def test_memory_decides_how_many_frames_go_at_a_time(tmp_path: Path) -> None:
    need = Appetite(once=100, frame=50, part=20)
    assert need.need(64, frames=4, length=10) == 64 * (100 + 4 * 50 + 3 * 20)
    assert frames_within(need, 8, 8, 10, budget=64 * 365) == 4
    assert frames_within(need, 8, 8, 100, budget=1e9) == 16
    with pytest.raises(InputError, match=r"frames of 8 x 8 take 0\.0 GB, 2 of 10 at a time") as refused:
        frames_within(need, 8, 8, 10, budget=64 * 290)
    assert "raise memory_gb" in str(refused.value)
    clip = folder_of(tmp_path / "walk")
    (refusal,) = ClipUpscaler(Fading(), CPU, memory_gb=0.01).all([ClipJob(clip, tmp_path / "large")])
    assert "raise memory_gb" in refusal.error
    assert not (tmp_path / "large").exists()


def test_an_appetite_is_what_a_network_holds() -> None:
    """A state that is as large as the result, and for each frame LR and SR, each seen twice where it is put together."""
    found = appetite(Fading().eval(), 3)
    state, lr, sr = 4 * 3 * 4, 4 * 3, 4 * 3 * 4
    assert found.part == 0
    assert 1.7 * (lr + sr) <= found.frame <= 1.7 * (3 * lr + 4 * sr)
    assert found.once <= 1.7 * 4 * state


class Endless(Clip):
    """Frames that are made when they are asked for, with what was asked."""

    def __init__(self, length: int) -> None:
        self.name, self.path, self.length, self.asked = "endless", Path("endless"), length, list[int]()

    def __len__(self) -> int:
        return self.length

    def label(self, index: int) -> str:
        return str(index)

    def header(self, index: int) -> Header:
        return Header(8, 8, 3, "uint8")

    def image(self, index: int) -> Pixels:
        self.asked.append(index)
        return np.full((8, 8, 3), index % 256, np.uint8)

    def identity(self, index: int) -> str:
        return str(index)


def test_frames_are_read_once_and_few_are_kept() -> None:
    clip = Endless(200)
    reader = Reader(clip, CPU, kept=12)
    for start in range(0, 200, 4):  # a window of two frames around each chunk, and the chunk again
        reader.read(max(0, start - 2), min(200, start + 6))
        assert reader.read(start, start + 4)[0, 0, 0, 0, 0] == torch.tensor(start % 256 / 255)
        assert len(reader.kept) <= 12
    assert clip.asked == list(range(200))


def test_what_fails_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    good, bad = folder_of(tmp_path / "good"), folder_of(tmp_path / "bad")
    (tmp_path / "bad" / "Frame 003.png").write_bytes(b"no image")
    jobs = [ClipJob(clip, tmp_path / "large" / clip.name) for clip in (bad, good)]
    first, second = ClipUpscaler(Fading(), CPU, frames=2).all(jobs)
    assert "Frame 003.png" in first.error
    assert second.error == ""
    assert [path.name for path in (tmp_path / "large").iterdir()] == ["good"]
    with pytest.raises(InputError, match="frames=0"):
        ClipUpscaler(Fading(), CPU, frames=0)


@pytest.fixture
def shot(tmp_path: Path) -> Callable[..., Path]:
    return lambda name="shots/a.mkv": write_video(_made(tmp_path / name), frames())


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_the_command_enlarges_video_files(command: Command, shot: Callable[..., Path], tmp_path: Path) -> None:
    source = shot()
    before = source.read_bytes()
    arguments = ("input=shots", "output=large", "network=nearest", "scale=2", "tile=16", "precision=32")
    outcome = command("upscale", *arguments)
    assert outcome.status == 0, outcome.err
    assert np.array_equal(VideoFile("a", tmp_path / "large/a_x2.mkv").image(5), frames()[5].repeat(2, 0).repeat(2, 1))
    again = command("upscale", *arguments)
    assert again.status == 2
    assert "nothing is overwritten" in again.err
    assert command("upscale", *arguments, "resume=true").status == 0
    assert source.read_bytes() == before
    refused = command("upscale", "input=shots", "output=other", "network=nearest", "frames=4")
    assert "frames: for networks of clips, and this is one of images" in refused.err
    refused = command("upscale", "input=shots", "output=other", "network=mf_ibp", "tile=16")
    assert "tile: for networks of images, and this is one of clips" in refused.err
    (tmp_path / "shots/b.mp4").write_bytes(b"nothing")
    failed = command("upscale", *arguments, "resume=true")
    assert failed.status == 2
    assert "b.mp4: cannot be read as a video" in failed.err
