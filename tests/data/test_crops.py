"""Samples: a function of seed and position; aligned; and LR that equals the crop of the whole LR image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from srlab.borders import Borders
from srlab.data.crops import Crops, cut, dihedral
from srlab.data.images import Header, write_image
from srlab.data.pixels import to_tensor
from srlab.data.sources import DeadLeaves, Files, Folder, Paired
from srlab.data.stream import Positions, image_at, key, keys
from srlab.degradation.base import Degradation
from srlab.degradation.downscale import Downscale
from srlab.types import Pixels

Draw = Callable[..., Path]


def test_keys_are_named_and_spread() -> None:
    assert len(set(keys(8, 0, "crop", 7))) == 8
    names = [(seed, purpose, number) for seed in range(8) for purpose in ("a", "b") for number in range(128)]
    drawn = [key(*name) for name in names]
    assert len(set(drawn)) == len(names)
    assert all(0 <= k < 2**63 for k in drawn)
    assert np.mean(drawn) / 2**63 == pytest.approx(0.5, abs=0.04)


def test_every_epoch_is_a_fresh_permutation() -> None:
    epochs = [[image_at(3, epoch * 50 + i, 50) for i in range(50)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert [image_at(4, i, 50) for i in range(50)] != epochs[0]


def test_batches_of_ranks_make_the_batch_of_one() -> None:
    one = list(Positions(5, 8))
    two = [list(Positions(5, 4, rank=rank, world=2)) for rank in range(2)]
    assert [first + second for first, second in zip(*two, strict=True)] == one
    assert [position for batch in one for position in batch] == list(range(40))
    resumed = Positions(5, 8, start=3)
    assert list(resumed) == one[3:]
    assert len(resumed) == 5


@pytest.mark.parametrize(
    ("ours", "theirs"), [("symmetric", "symmetric"), ("replicate", "edge"), ("reflect", "reflect")]
)
def test_borders_are_numpys(ours: Borders, theirs: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    padded = np.pad(pixels, ((20, 20), (20, 20), (0, 0)), mode=theirs)  # type: ignore[call-overload]
    for top, left, size in [(-20, -20, 46), (-3, 2, 6), (4, -1, 5), (1, 1, 4), (5, 6, 20)]:
        expected = padded[top + 20 : top + 20 + size, left + 20 : left + 20 + size]
        np.testing.assert_array_equal(cut(pixels, top, left, size, ours), expected)
    expected = np.pad(pixels[:1, :2], ((5, 5), (5, 4), (0, 0)), mode=theirs)  # type: ignore[call-overload]
    np.testing.assert_array_equal(cut(pixels[:1, :2], -5, -5, 11, ours), expected)


def test_eight_ways_to_turn() -> None:
    pixels = np.arange(9, dtype=np.uint8).reshape(3, 3, 1)
    turned = {dihedral(pixels, way).tobytes() for way in range(8)}
    rotations = [np.rot90(image, k) for image in (pixels, pixels[:, ::-1]) for k in range(4)]
    assert turned == {np.ascontiguousarray(image).tobytes() for image in rotations}


class Holding(Files):
    """One image in memory."""

    def __init__(self, pixels: Pixels) -> None:
        super().__init__("held", [Path("held.png")])
        self.pixels = pixels

    def header(self, index: int) -> Header:
        return Header.of(self.pixels)

    def image(self, index: int) -> Pixels:
        return self.pixels


def degrade(degradation: Degradation, sample: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    lr, hr, _ = degradation.make_pair(sample["hr"][None], sample["seed"][None], sample["levels"][None])
    return lr[0], hr[0]


@pytest.mark.parametrize("borders", ["symmetric", "replicate", "reflect"])
@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_an_lr_crop_is_the_crop_of_the_whole_lr_image(scale: int, dtype: str, borders: Borders) -> None:
    rng = np.random.default_rng(1)
    height, width = 13 * scale + 1, 15 * scale + scale - 1
    pixels: Pixels = rng.random((height, width, 3), dtype=np.float32)
    if dtype != "float32":
        pixels = (pixels * np.iinfo(dtype).max).astype(dtype)
    degradation = Downscale(scale, borders=borders)
    crops = Crops(Holding(pixels), 0, scale, 3, 6, degradation.margin, borders, augment=False)
    hr = to_tensor(pixels)[:, : 13 * scale, : 15 * scale]
    levels = crops[0]["levels"]
    whole = degradation(hr[None], torch.zeros(1, dtype=torch.int64), levels[None]).lr[0]
    places = {(y, x): whole[:, y : y + 6, x : x + 6] for y in range(8) for x in range(10)}
    seen = set()
    for position in range(120):
        lr_crop, hr_crop = degrade(degradation, crops[position])
        at = [place for place, expected in places.items() if torch.equal(lr_crop, expected)]
        assert len(at) == 1
        y, x = at[0]
        expected_hr = hr[:, y * scale : (y + 6) * scale, x * scale : (x + 6) * scale]
        assert torch.equal(hr_crop, expected_hr)
        seen.add(at[0])
    assert {y for y, _ in seen} == set(range(8))
    assert {x for _, x in seen} == set(range(10))


def test_pairs_stay_aligned_in_every_turn(tmp_path: Path) -> None:
    lr = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    hr = lr.repeat(3, 0).repeat(3, 1)
    write_image(tmp_path / "HR" / "a.png", np.pad(hr, ((0, 2), (0, 1), (0, 0))))
    write_image(tmp_path / "LR" / "ax3.png", lr)
    crops = Crops(Paired(str(tmp_path / "HR"), str(tmp_path / "LR")), 0, 3, 3, 5, margin=12)
    samples = [crops[position] for position in range(60)]
    for sample in samples:
        enlarged = sample["lr"].repeat_interleave(3, 1).repeat_interleave(3, 2)
        assert torch.equal(enlarged, sample["hr"])
    plain = Crops(crops.source, 0, 3, 3, 5, augment=False)
    ways = {way for p in range(60) for way in range(8) if np.array_equal(
        dihedral(plain[p]["lr"].movedim(0, -1).numpy(), way), samples[p]["lr"].movedim(0, -1).numpy()
    )}  # fmt: skip
    assert ways == set(range(8))


def test_a_sample_depends_on_seed_and_position_alone(tmp_path: Path, draw: Draw) -> None:
    for i in range(4):
        draw(tmp_path / f"{i}.png", 20 + i, 24)
    source = Folder(str(tmp_path))
    one, again, other = (Crops(source, seed, 2, 3, 4, margin=8) for seed in (0, 0, 1))
    backwards = {position: again[position] for position in reversed(range(30))}
    for position in range(30):
        assert all(torch.equal(value, backwards[position][name]) for name, value in one[position].items())
    assert any(not torch.equal(one[p]["hr"], other[p]["hr"]) for p in range(30))
    assert len({int(one[p]["seed"]) for p in range(30)}) == 30


@pytest.mark.parametrize(
    ("stored", "channels", "levels"), [(3, 1, 0), (1, 3, 255), (1, 1, 255), (5, 5, 255), (3, 3, 255)]
)
def test_channels_and_depth_of_samples(tmp_path: Path, draw: Draw, stored: int, channels: int, levels: int) -> None:
    draw(tmp_path / "a.tif", 12, 12, stored)
    sample = Crops(Folder(str(tmp_path)), 0, 2, channels, 4)[0]
    assert sample["hr"].shape == (channels, 8, 8)
    assert sample["hr"].dtype == torch.float32
    assert int(sample["levels"]) == levels  # luma is float: it is not rounded to 8 bit


def test_dead_leaves_make_samples() -> None:
    sample = Crops(DeadLeaves(0, 2, 32), 0, 2, 3, 8, margin=8)[1]
    assert sample["hr"].shape == (3, 32, 32)
    assert 0 <= float(sample["hr"].min()) < float(sample["hr"].max()) <= 1
