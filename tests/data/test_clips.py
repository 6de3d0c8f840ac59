"""Clips: found in folders, cut to samples of frames in a row, and degraded alike in all frames."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.data import sources
from srlab.data.clip_choices import ClipData
from srlab.data.clips import Clips, FrameFolder, clips_below, find_clips
from srlab.data.images import Header, read_header, write_image
from srlab.degradation.base import Degradation
from srlab.degradation.bd import BD
from srlab.degradation.blur import IsotropicBlur
from srlab.errors import InputError

HEIGHT, WIDTH, LENGTH = 40, 48, 9


def scene(seed: int = 0, channels: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture larger than a frame: a camera goes over it, a pixel down and two to the right a frame."""
    return np.random.default_rng(seed).integers(0, 256, (80, 90, channels)).astype(np.uint8)


def write_clip(
    folder: Path, seed: int = 0, length: int = LENGTH, step: int = 1, name: str = "Frame {:03d}.png"
) -> None:
    picture = scene(seed)
    for t in range(length):
        write_image(folder / name.format(t + 1), picture[t * step :, 2 * t * step :][:HEIGHT, :WIDTH])


def data(folder: Path, degradation: Degradation, **options: object) -> ClipData:
    settings: dict[str, object] = {
        "scale": degradation.scale, "channels": 3, "batch_size": 3, "patch": 4, "iterations": 4, "seed": 1, "frames": 5
    }  # fmt: skip
    settings |= {"root": str(folder), "val_root": str(folder)} | options
    return ClipData(degradation=degradation, **settings)  # type: ignore[arg-type]


def batches(module: ClipData) -> list[dict[str, Tensor]]:
    module.setup("fit")
    return list(module.train_dataloader())


def test_clips_are_folders_of_frames_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write_clip(tmp_path / "set" / "walk")
    write_clip(tmp_path / "set" / "city", length=12, name="hr{}.png")
    write_clip(tmp_path / "set" / "deep" / "000", length=2)
    write_clip(tmp_path / "set" / ".hidden")
    clips = clips_below(tmp_path / "set")
    assert [(span.name, span.length) for span in clips.spans] == [("city", 12), ("deep_000", 2), ("walk", LENGTH)]
    assert [clips.label(index) for index in (0, 1, 9, 11, 12)] == [
        "city/hr1", "city/hr2", "city/hr10", "city/hr12", "deep_000/Frame 001"
    ]  # fmt: skip
    assert np.array_equal(clips.image(9), scene()[9:, 18:][:HEIGHT, :WIDTH])
    assert [clip.name for clip in find_clips(tmp_path / "set" / "walk")] == ["walk"]
    assert [span.name for span in clips_below(tmp_path / "set", ["walk"]).spans] == ["walk"]
    with pytest.raises(InputError, match="holds no calendar, but city, deep_000, walk"):
        clips_below(tmp_path / "set", ["calendar"])


def test_a_sample_is_frames_in_a_row_from_one_place(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for which in range(2):
        for t in range(LENGTH):  # a pixel says where it is, and in which frame
            frame = np.stack([rows, columns, np.full_like(rows, 100 * which + t)], -1).astype(np.uint8)
            write_image(tmp_path / str(which) / f"{t}.png", frame)
    module = data(tmp_path, BD(2), augment=False, batch_size=5, iterations=2)
    found = []
    for batch in batches(module):
        made = module.on_after_batch_transfer(batch, 0)
        assert made.lr.shape == (5, 5, 3, 4, 4)
        assert made.hr.shape == (5, 5, 3, 8, 8)
        for clip in (made.hr * 255).round().int():
            top, left, first = clip[0, :, 0, 0].tolist()
            assert (top % 2, left % 2) == (0, 0), "on whole LR pixels"
            assert torch.equal(clip[:, 0], torch.arange(top, top + 8)[None, :, None].expand(5, 8, 8))
            assert torch.equal(clip[:, 1], torch.arange(left, left + 8)[None, None].expand(5, 8, 8))
            assert torch.equal(clip[:, 2], torch.arange(first, first + 5)[:, None, None].expand(5, 8, 8))
            found.append(first)
    assert sorted(found) == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104], "each run once, before any comes again"


def test_augmented_samples_are_turned_alike_and_half_of_them_backwards(tmp_path: Path) -> None:
    write_clip(tmp_path / "a", step=0)  # nothing moves: frames of a sample differ only by a mistake
    module = data(tmp_path, BD(2), iterations=8)
    for batch in batches(module):
        assert torch.equal(batch["hr"], batch["hr"][:, :1].expand_as(batch["hr"]))
    write_clip(tmp_path / "b" / "c")
    forwards = 0
    for batch in batches(data(tmp_path / "b", BD(2), iterations=16, patch=20)):  # the whole frame, but for its margin
        for clip in batch["hr"].mean((2, 3, 4)):
            means = [scene()[t:, 2 * t :][:HEIGHT, :WIDTH].mean() / 255 for t in range(LENGTH)]
            first = min(range(LENGTH), key=lambda t: abs(means[t] - clip[0]))
            second = min(range(LENGTH), key=lambda t: abs(means[t] - clip[1]))
            forwards += second > first
    assert 12 <= forwards <= 36


def test_all_frames_are_degraded_alike_and_as_the_whole_frame_is(tmp_path: Path) -> None:
    write_clip(tmp_path / "a", step=0)
    blurred = data(tmp_path, IsotropicBlur(2, [0.5, 3.0], 7))
    batch = blurred.on_after_batch_transfer(batches(blurred)[0], 0)
    assert batch.parameters["kernel"].shape == (3, 7, 7)
    assert torch.equal(batch.lr, batch.lr[:, :1].expand_as(batch.lr))
    assert len(batch.parameters["blur_sigma"].unique()) == 3
    module = data(tmp_path, BD(4), augment=False, patch=3)
    whole = BD(4).reduce(torch.from_numpy(scene()[:HEIGHT, :WIDTH]).permute(2, 0, 1)[None].float() / 255, 255)[0]
    corners = whole.unfold(1, 3, 1).unfold(2, 3, 1).permute(1, 2, 0, 3, 4).reshape(-1, 3, 3, 3)
    for made in (module.on_after_batch_transfer(each, 0) for each in batches(module)):
        for lr in made.lr[:, 0]:
            assert any(torch.equal(lr, corner) for corner in corners)


def test_samples_are_the_same_after_a_restart(tmp_path: Path) -> None:
    write_clip(tmp_path / "a")
    whole = batches(data(tmp_path, BD(2)))
    later = data(tmp_path, BD(2))
    later.start_iteration = 2
    for ours, theirs in zip(batches(later), whole[2:], strict=True):
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_pairs_of_clips_are_cut_alike(tmp_path: Path) -> None:
    write_clip(tmp_path / "hr" / "a")
    for t in range(LENGTH):
        small = scene()[t:, 2 * t :][:HEIGHT:2, :WIDTH:2]
        write_image(tmp_path / "lr" / "a" / f"{t:08d}.png", small)
    module = data(tmp_path / "hr", BD(2), lr_root=str(tmp_path / "lr"), augment=False)
    assert module.made_by == "files"
    batch = module.on_after_batch_transfer(batches(module)[0], 0)
    assert torch.equal(batch.lr, batch.hr[..., ::2, ::2])


def test_whole_clips_are_read_frame_by_frame(tmp_path: Path) -> None:
    write_clip(tmp_path / "set" / "b", length=3)
    write_clip(tmp_path / "set" / "a")
    module = data(tmp_path / "set", BD(2), root=None)
    module.setup("test")
    clips = list(module.test_dataloader())
    assert [(clip.dataset, clip.name, len(clip.frames)) for clip in clips] == [("set", "a", LENGTH), ("set", "b", 3)]
    assert clips[0].frames[2].name == "a/Frame 003"
    assert torch.equal(
        (clips[0].frames[-1].hr * 255).byte(), torch.from_numpy(scene()[8:, 16:][:HEIGHT, :WIDTH]).permute(2, 0, 1)
    )


def test_what_cannot_be_used_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    write_clip(tmp_path / "short", length=3)
    write_clip(tmp_path / "long")
    with pytest.raises(InputError, match=r"short: has 3 frames, fewer than a sample's data\.frames=5"):
        batches(data(tmp_path, BD(2)))
    skipping = data(tmp_path, BD(2), on_bad_file="skip")
    assert len(batches(skipping)) == 4
    write_image(tmp_path / "long" / "Frame 004.png", scene()[:30, :30])
    with pytest.raises(InputError, match=r"Frame 004\.png is 30 x 30 x 3 uint8, but the clip's first frame"):
        batches(data(tmp_path, BD(2), names=["long"]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no clip"):
        clips_below(tmp_path / "empty")
    with pytest.raises(ValueError, match=r"data\.test_root"):
        data(tmp_path, BD(2), val_root=None)
    with pytest.raises(InputError, match="is no video file"):
        clips_below(tmp_path / "long" / "Frame 001.png")
    write_clip(tmp_path / "lr" / "long", length=2)
    with pytest.raises(InputError, match="has 9 frames, and its LR clip 2"):
        batches(data(tmp_path, BD(2), names=["long"], lr_root=str(tmp_path / "lr")))


def test_frames_that_are_left_out_part_a_clip(tmp_path: Path) -> None:
    write_clip(tmp_path / "a")
    (tmp_path / "a" / "Frame 004.png").write_bytes(b"no image")
    module = data(tmp_path, BD(2), on_bad_file="skip")
    module.setup("fit")
    assert isinstance(module.train, Clips)
    prepared = module._load("train")[0]
    assert [tuple(run) for run in module.train.runs(prepared)] == [("a", 0, 3), ("a", 3, 8)]
    assert len(module.labelled(module._load("val"))) == 0, "a clip with a gap is not tested"


def test_clips_that_validate_are_not_trained_on(tmp_path: Path) -> None:
    for name in ("000", "001", "002"):
        write_clip(tmp_path / name)
    module = data(tmp_path, BD(2), val_root=None, val_names=["001"])
    assert isinstance(module.train, Clips)
    assert [span.name for span in module.train.spans] == ["000", "002"]
    assert module.val is module.test
    with pytest.raises(ValueError, match="share 001"):
        data(tmp_path, BD(2), val_root=None, val_names=["001"], names=["000", "001"])


def test_a_folder_of_frames_says_where_a_frame_is(tmp_path: Path) -> None:
    write_clip(tmp_path / "a", length=2)
    assert FrameFolder("a", tmp_path / "a").where(1) == str(tmp_path / "a" / "Frame 002.png")


def test_gaps_in_the_numbers_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_clip(tmp_path / "whole")
    for index in (0, 5, 10):
        write_image(tmp_path / "every_fifth" / f"hr{index}.png", scene())
    clips_below(tmp_path)
    assert not caplog.records
    for index in (1, 2, 4):
        write_image(tmp_path / "gap" / f"x4_{index:02d}.png", scene())
    assert clips_below(tmp_path, ["gap"]).spans[0].length == 3
    assert "between x4_02 and x4_04 frames are missing" in caplog.text


def test_the_first_frames_header_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_clip(tmp_path / "a")
    read: list[str] = []

    def reading(path: Path) -> Header:
        read.append(path.name)
        return read_header(path)

    monkeypatch.setattr(sources, "read_header", reading)
    clip = clips_below(tmp_path).clips[0]
    for index in range(len(clip)):
        clip.header(index)
    assert len(read) == len(clip) + 1
