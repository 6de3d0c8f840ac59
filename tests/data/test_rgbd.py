"""Depth maps beside photographs: pairs by name, holes, other guides."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from srlab.build import build
from srlab.data.guides import Guides
from srlab.data.rgbd import Motorcycle, OtherGuide, rgbd_folder, scene
from srlab.data.rgbd_choices import MotorcycleData, RGBDData
from srlab.degradation.downscale import Downscale
from srlab.errors import InputError
from tests.conftest import composed

STREAM: dict[str, Any] = {"scale": 2, "channels": 1, "batch_size": 3, "patch": 8, "iterations": 2, "seed": 0}


def draw(root: Path, names: dict[str, str], depth: np.ndarray | None = None) -> Path:
    """Maps and photographs of 40 x 48 by their names; each scene's photograph is of one grey."""
    for index, (of_map, of_photograph) in enumerate(names.items()):
        for folder, name in (("depth", of_map), ("rgb", of_photograph)):
            (root / folder).mkdir(parents=True, exist_ok=True)
            pixels = np.full((40, 48, 3), 10 * index, np.uint8) if folder == "rgb" else depth
            if pixels is None:
                pixels = np.arange(40 * 48).reshape(40, 48) % 255
            Image.fromarray(pixels.astype(np.uint8)).save(root / folder / f"{name}.png")
    return root


NAMES = {f"RGBD_0{n}_output_depth": f"RGBD_0{n}_ouput_color" for n in range(1, 7)}


@pytest.mark.parametrize("name", ["RGBD_01_output_depth", "RGBD_01_ouput_color", "RGBD_01-HR_gt", "RGBD_01_rgb"])
def test_a_scene_is_what_map_and_photograph_share(name: str) -> None:
    assert scene(name) == "RGBD_01"


def test_pairs_are_found_and_every_fifth_scene_is_held_out(tmp_path: Path) -> None:
    data = RGBDData(root=str(draw(tmp_path / "Lu", NAMES)), degradation=Downscale(2), **STREAM)
    assert data.train is not None
    assert [data.train.label(index) for index in range(len(data.train))] == ["RGBD_02", "RGBD_03", "RGBD_04", "RGBD_05"]
    data.setup("test")
    images = list(data.test_dataloader())
    assert [(image.dataset, image.name) for image in images] == [("lu", "RGBD_01"), ("lu", "RGBD_06")]
    assert images[1].guide is not None
    assert images[1].guide.unique().tolist() == pytest.approx([50 / 255])
    assert images[1].mask is not None
    assert images[1].mask.min() == 1


@pytest.mark.parametrize(("guides", "grey"), [("other", 10 / 255), ("blank", 128 / 255)])
def test_guides_are_exchanged_in_training_and_tests(tmp_path: Path, guides: Guides, grey: float) -> None:
    root = str(draw(tmp_path / "lu", NAMES))
    data = RGBDData(root=root, test_root=root, guides=guides, degradation=Downscale(2), **STREAM)
    data.setup("test")
    data.setup("fit")
    image = next(iter(data.test_dataloader()))
    assert image.guide is not None
    assert image.guide.shape == (3, 40, 48)
    assert image.guide.unique().tolist() == pytest.approx([grey])
    for batch in data.train_dataloader():
        assert batch["guide"].shape == (3, 3, 16, 16)
        assert (guides == "blank") == (batch["guide"].unique().tolist() == pytest.approx([grey]))


def test_another_scene_of_another_size_is_mirrored_and_cut(tmp_path: Path) -> None:
    source = rgbd_folder(str(draw(tmp_path / "lu", dict(list(NAMES.items())[:2]))))
    small = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    Image.fromarray(small).save(tmp_path / "lu/rgb/RGBD_02_ouput_color.png")
    other = OtherGuide(source).image(0)
    assert other.shape == (40, 48, 3)
    np.testing.assert_array_equal(other[:20, :30], small)
    np.testing.assert_array_equal(other[20:], other[:20][::-1])


def test_holes_are_filled_with_the_nearest_depth_and_masked(tmp_path: Path) -> None:
    depth = np.full((40, 48), 50)
    depth[:, 20:] = 90
    depth[:, 18:25] = 0
    root = draw(tmp_path / "set", {"a": "a"}, depth)
    source = rgbd_folder(str(root), hole=0)
    assert source.mask is not None
    assert set(np.unique(source.image(0))) == {50, 90}
    np.testing.assert_array_equal(source.image(0)[0, 17:26, 0], [50, 50, 50, 50, 50, 90, 90, 90, 90][:9])
    np.testing.assert_array_equal(source.mask.image(0)[..., 0], np.where(depth == 0, 0, 255))
    assert rgbd_folder(str(root)).image(0).min() == 0, "without a code for holes zero is a depth"


def test_float_maps_are_divided_by_their_white(tmp_path: Path) -> None:
    (tmp_path / "nyu/depth").mkdir(parents=True)
    (tmp_path / "nyu/rgb").mkdir()
    np.save(tmp_path / "nyu/depth/1000.npy", np.full((20, 20), 2.5))
    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(tmp_path / "nyu/rgb/1000.png")
    assert rgbd_folder(str(tmp_path / "nyu"), white=10).image(0).mean() == pytest.approx(0.25)


def test_millimetres_of_16_bit_are_the_same_depth_as_metres(tmp_path: Path) -> None:
    metres = np.linspace(0.5, 9.5, 40 * 48).reshape(40, 48)
    millimetres = (1000 * metres).astype(np.uint16)
    draw(tmp_path / "nyu", {"a": "a"})
    Image.fromarray(millimetres).save(tmp_path / "nyu/depth/a.png")
    source = rgbd_folder(str(tmp_path / "nyu"), white=10000)
    assert source.header(0).dtype == source.image(0).dtype == "float32"
    np.testing.assert_allclose(source.image(0)[..., 0], metres / 10, atol=1e-4)
    assert rgbd_folder(str(tmp_path / "nyu")).image(0).dtype == "uint16"
    data = RGBDData(test_root=str(tmp_path / "nyu"), white=10000, degradation=Downscale(2), **STREAM)
    data.setup("test")
    image = next(iter(data.test_dataloader()))
    assert image.levels == 0
    protocol = build(composed("test", ["protocol=depth_cm"]).protocol)
    with pytest.raises(InputError, match=r"set data\.white to the code of 1000"):
        protocol.prepare(replace(image, levels=65535), 2, 1)
    case = protocol.prepare(image, 2, 1)
    assert protocol.score(case.hr + 0.005, case)["rmse"] == pytest.approx(5), "0.005 of 10 m"


@pytest.mark.parametrize(
    ("depth", "hole", "told"),
    [
        (np.full((40, 48), 12.5), None, "from 12.5 to 12.5, expected 0 to its white, 10"),
        (np.where(np.arange(48) < 3, -1, np.full((40, 48), 2.0)), None, "from -1 to 2"),
        (np.where(np.arange(48) < 3, -1, np.full((40, 48), 2.0)), -1, None),
        (np.full((40, 48), -1.0), -1, "no pixel of known depth"),
        (np.full((40, 48), np.nan), None, "no pixel of known depth"),
    ],
)
def test_depths_that_no_result_could_have_are_told_before_work_starts(
    tmp_path: Path, depth: np.ndarray, hole: float | None, told: str | None
) -> None:
    draw(tmp_path / "nyu", {"a": "a"})
    (tmp_path / "nyu/depth/a.png").unlink()
    np.save(tmp_path / "nyu/depth/a.npy", depth)
    data = RGBDData(test_root=str(tmp_path / "nyu"), white=10, hole=hole, degradation=Downscale(2), **STREAM)
    if told is None:
        data.setup("test")
        return
    with pytest.raises(InputError, match=f"these cannot be used:\n.*{told}"):
        data.setup("test")


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    root = draw(tmp_path / "lu", {**NAMES, "RGBD_07_output_depth": "RGBD_09_ouput_color"})
    assert len(rgbd_folder(str(root)).complaints) == 2
    assert "has no guide partner" in rgbd_folder(str(root)).complaints[0]
    Image.fromarray(np.zeros((40, 48, 3), np.uint8)).save(root / "depth/RGBD_01_output_depth.png")
    with pytest.raises(InputError, match="3 channels, and depth has one"):
        rgbd_folder(str(root)).header(0)
    with pytest.raises(ValueError, match="name a folder"):
        RGBDData(degradation=Downscale(2), **STREAM)
    with pytest.raises(ValueError, match="own, other or blank"):
        RGBDData(root=str(root), guides="none", degradation=Downscale(2), **STREAM)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one scene"):
        MotorcycleData(guides="other", degradation=Downscale(2), **STREAM)


def test_the_motorcycle_is_scikit_images_and_its_parts_do_not_overlap() -> None:
    left, _, disparity = skimage.data.stereo_motorcycle()  # type: ignore[no-untyped-call]
    whole, part = Motorcycle(), Motorcycle((66, 100))
    assert whole.guide is not None
    assert whole.mask is not None
    known = np.isfinite(disparity)
    np.testing.assert_array_equal(whole.mask.image(0)[..., 0] > 0, known)
    assert 1 - known.mean() == pytest.approx(0.073, abs=1e-3)
    np.testing.assert_allclose(whole.image(0)[..., 0][known], disparity[known] / 64)
    np.testing.assert_array_equal(whole.guide.image(0), left)
    assert part.header(0).width + Motorcycle((0, 66)).header(0).width == left.shape[1]
    np.testing.assert_array_equal(part.stored(0), whole.stored(0)[:, -part.header(0).width :])
    data = MotorcycleData(degradation=Downscale(2), **STREAM)
    data.setup("fit")
    image = next(iter(data.val_dataloader()))
    assert image.mask is not None
    assert 0 < 1 - image.mask.mean() < 0.2
    assert torch.isfinite(image.hr).all()
