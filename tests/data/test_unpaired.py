"""Unpaired batches: two independent streams, without a scene in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from srlab.data.images import write_image
from srlab.data.stream import image_at, key
from srlab.data.unpaired import UnpairedData
from srlab.degradation.downscale import Downscale
from srlab.errors import InputError
from srlab.types import Batch

Draw = Callable[..., Path]
ITERATIONS = 12


def data(tmp_path: Path, hr: str = "HR", lr: str = "LR", **changes: Any) -> UnpairedData:
    numbers = {"scale": 2, "channels": 3, "batch_size": 3, "patch": 6, "iterations": ITERATIONS, "seed": 0}
    roots = {"hr_root": str(tmp_path / hr), "lr_root": str(tmp_path / lr)}
    return UnpairedData(degradation=Downscale(2), cache_dir=str(tmp_path / "cache"), **{**roots, **numbers, **changes})


def batches(module: UnpairedData) -> list[Batch]:
    return [module.on_after_batch_transfer(raw, 0) for raw in module.train_dataloader()]


def same(one: list[Batch], other: list[Batch]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(torch.equal(a.hr, b.hr) and torch.equal(a.real_lr, b.real_lr) for a, b in pairs)  # type: ignore[arg-type]


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Four HR images and their LR partners, each of one grey value: 10 times its number, LR one more."""
    for number in range(1, 5):
        write_image(tmp_path / "HR" / f"000{number}.png", np.full((16, 20, 3), 10 * number, np.uint8))
        write_image(tmp_path / "LR" / f"000{number}x2.png", np.full((8, 10, 3), 10 * number + 1, np.uint8))
    return tmp_path


def scenes(images: torch.Tensor) -> list[int]:
    """The number of the scene that each image is of."""
    return [int(value) // 10 for value in (images[:, 0, 0, 0] * 255).round().tolist()]


def test_no_batch_holds_a_scene_twice_and_partners_are_never_read(sets: Path) -> None:
    before = batches(data(sets))
    assert before[0].lr.shape == before[0].real_lr.shape == (3, 3, 6, 6)  # type: ignore[union-attr]
    assert before[0].hr.shape == (3, 3, 12, 12)
    from_hr = {scene for batch in before for scene in scenes(batch.hr)}
    from_lr = {scene for batch in before for scene in scenes(batch.real_lr)}  # type: ignore[arg-type]
    assert (from_lr, from_hr) == ({1, 2}, {3, 4})
    for number in (1, 2):  # the HR partners of the LR that was served
        write_image(sets / "HR" / f"000{number}.png", np.zeros((16, 20, 3), np.uint8))
    assert same(before, batches(data(sets)))


def test_the_two_orders_are_independent_and_reproducible(tmp_path: Path, draw: Draw) -> None:
    for number in range(6):
        draw(tmp_path / "HR" / f"h{number}.png", 16, 20)
        draw(tmp_path / "LR" / f"l{number}.png")
    orders = [[image_at(seed, position, 6) for position in range(36)] for seed in (0, key(0, "real_lr"))]
    assert all(sorted(order[:6]) == list(range(6)) for order in orders)
    together = sum(a == b for a, b in zip(*orders, strict=True))
    assert 0 < together < 18  # 6 are expected where neither knows of the other
    straight = batches(data(tmp_path))
    assert same(straight, batches(data(tmp_path)))
    assert not same(straight, batches(data(tmp_path, seed=1)))
    resumed = data(tmp_path)
    resumed.start_iteration = 5
    assert same(straight[5:], batches(resumed))
    draw(tmp_path / "LR" / "another.png")
    changed = batches(data(tmp_path))
    assert all(torch.equal(a.hr, b.hr) for a, b in zip(straight, changed, strict=True))  # HR knows nothing of LR
    assert not same(straight, changed)


def test_folders_that_cannot_be_unpaired_are_refused(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "HR" / "a.png", 16, 20)
    with pytest.raises(InputError, match=r"a\.png is in data\.hr_root and in data\.lr_root"):
        data(tmp_path, lr="HR")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        data(tmp_path, lr="empty")
    draw(tmp_path / "LR" / "a.png")
    with pytest.raises(InputError, match="show one scene"):
        data(tmp_path)
    draw(tmp_path / "small" / "b.png", 4, 12)
    with pytest.raises(InputError, match=r"data\.patch=4 or lower"):
        data(tmp_path, lr="small").setup("fit")
