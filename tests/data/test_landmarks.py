"""Landmarks go with their faces: through cache, crops, turns and batches, and to scoring alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from srlab.data.crops import Crops, dihedral, dihedral_points
from srlab.data.images import Header
from srlab.data.module import SuperResolutionData
from srlab.data.source import Part, Source
from srlab.degradation.downscale import Downscale
from srlab.faces.layout import PERMUTATION_68
from srlab.types import Batch, Pixels

SIZE = 24


class Dots(Source):
    """Black images, each landmark i a pixel of value i + 1; the third face's landmarks are not known."""

    name = "dots"

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        places = np.stack([random.permutation(SIZE * SIZE)[:68] for _ in range(3)])
        self.landmarks: NDArray[np.float32] | None = np.stack((places % SIZE, places // SIZE), -1).astype(np.float32)
        self.places = places
        self.landmarks[2] = np.nan

    def __len__(self) -> int:
        return 3

    def label(self, index: int) -> str:
        return str(index)

    def header(self, index: int) -> Header:
        return Header(SIZE, SIZE, 1, "uint8")

    def image(self, index: int) -> Pixels:
        pixels = np.zeros(SIZE * SIZE, np.uint8)
        pixels[self.places[index]] = np.arange(1, 69)
        return pixels.reshape(SIZE, SIZE, 1)

    def identity(self, index: int) -> str:
        return f"dots {index}"


@pytest.mark.parametrize("way", range(8))
def test_landmarks_lie_where_their_pixels_went_and_change_names_in_a_mirror(way: int) -> None:
    source = Dots()
    assert source.landmarks is not None
    turned = dihedral(source.image(0), way)
    x, y = dihedral_points(source.landmarks[0], way, SIZE).astype(int).T
    names = PERMUTATION_68 if way in (1, 2, 4, 7) else range(68)
    assert turned[y, x, 0].tolist() == [name + 1 for name in names]


def test_landmarks_are_in_pixels_of_their_crop() -> None:
    crops = Crops(Dots(), seed=0, scale=2, channels=1, patch=8, margin=3, augment=False)
    seen = 0
    for position in range(12):
        sample = crops[position]
        hr = sample["hr"][0, 3:-3, 3:-3] * 255
        if sample["landmarks"].isnan().any():
            continue
        for point, (x, y) in enumerate(sample["landmarks"].int().tolist()):
            if 0 <= x < 16 and 0 <= y < 16:
                assert hr[y, x] == point + 1
                seen += 1
    assert seen > 100


def test_mirrored_crops_are_never_turned() -> None:
    source = Dots()
    whole = {way: dihedral(source.image(0), way).tobytes() for way in range(2)}
    crops = Crops(Part(source, [0]), seed=0, scale=2, channels=1, patch=SIZE // 2, augment="mirror")
    found = {(crops[position]["hr"] * 255).byte().numpy().tobytes() for position in range(20)}
    assert found == set(whole.values())


def data(tmp_path: Path, cache_gb: float) -> SuperResolutionData:
    return SuperResolutionData(
        degradation=Downscale(scale=2),
        train=Dots(),
        val=Part(Dots(), [2, 1]),
        scale=2,
        channels=1,
        batch_size=8,
        patch=SIZE // 2,
        iterations=2,
        seed=0,
        cache_gb=cache_gb,
        cache_dir=str(tmp_path),
        augment="mirror",
    )


@pytest.mark.parametrize("cache_gb", [0.0, 1.0])
def test_a_batch_has_landmarks_and_nan_for_unknown_faces(tmp_path: Path, cache_gb: float) -> None:
    module = data(tmp_path, cache_gb)
    module.setup("fit")
    batch = module.on_after_batch_transfer(next(iter(module.train_dataloader())), 0)
    assert isinstance(batch, Batch)
    assert batch.landmarks is not None
    assert batch.landmarks.shape == (8, 68, 2)
    unknown = batch.landmarks.isnan().flatten(1)
    assert torch.equal(unknown.any(1), unknown.all(1))
    assert 0 < int(unknown.any(1).sum()) < 8


@pytest.mark.parametrize("cache_gb", [0.0, 1.0])
def test_a_whole_image_has_its_landmarks(tmp_path: Path, cache_gb: float) -> None:
    module = data(tmp_path, cache_gb)
    module.setup("validate")
    unknown, image = module.val_dataloader()
    assert unknown.landmarks is not None
    assert unknown.landmarks.isnan().all()
    assert image.landmarks is not None
    assert Dots().landmarks is not None
    np.testing.assert_array_equal(image.landmarks.numpy(), Dots().landmarks[1])  # type: ignore[index]


def test_an_unknown_way_to_augment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.augment=turn: choose true, false or mirror"):
        SuperResolutionData(
            degradation=Downscale(scale=2),
            scale=2,
            channels=1,
            batch_size=1,
            patch=4,
            iterations=1,
            seed=0,
            augment="turn",  # type: ignore[arg-type]
        )
