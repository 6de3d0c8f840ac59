"""Cubes from files of every kind, and scenes that are parted into what is trained on and what is tested."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import io
from spectral.io import envi

from srlab.data.cube_files import read_cube
from srlab.data.cube_scene import Scene
from srlab.data.cubes import CubeData, Strips
from srlab.degradation.mtf import MTF
from srlab.errors import InputError

CUBE = np.random.default_rng(0).integers(0, 2000, (18, 16, 5), dtype=np.uint16)
STREAM: dict[str, Any] = {"channels": 5, "batch_size": 2, "patch": 3, "iterations": 4, "seed": 0}


def data(scene: Scene, **options: Any) -> CubeData:
    return CubeData(scene=scene, scale=scene.scale, degradation=MTF(scene.scale), **STREAM, **options)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """(18, 16, 5), stored as it is."""
    np.save(tmp_path / "scene.npy", CUBE)
    return str(tmp_path / "scene.npy")


def test_every_kind_of_file(tmp_path: Path, path: str) -> None:
    io.savemat(tmp_path / "old.mat", {"cube": CUBE, "other": 1})
    table = CUBE.transpose(2, 1, 0).reshape(5, -1)  # bands x pixels, down the columns
    io.savemat(tmp_path / "table.mat", {"Y": table})
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file["cube"] = CUBE.T
    with (tmp_path / "new.mat").open("r+b") as raw:  # MATLAB's own header, of version 7.3
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    envi.save_image(str(tmp_path / "scene.hdr"), CUBE)
    for file, key, size in (
        ("scene.npy", None, None),
        ("old.mat", "cube", None),
        ("table.mat", None, (18, 16)),
        ("new.mat", "cube", None),
        ("scene.hdr", None, None),
    ):
        np.testing.assert_array_equal(read_cube(tmp_path / file, key, size), CUBE, err_msg=file)


def test_files_that_cannot_be_read_are_named(tmp_path: Path, path: str) -> None:
    io.savemat(tmp_path / "two.mat", {"cube": CUBE, "other": 1})
    (tmp_path / "bad.hdr").write_text("nothing")
    np.save(tmp_path / "words.npy", np.array(["a"]))
    for file, size, problem in (
        ("none.mat", None, "does not exist"),
        ("two.mat", None, "has the variables cube, other"),
        ("bad.hdr", None, "no ENVI file"),
        ("words.npy", None, "expected numbers"),
        ("scene.npy", (4, 4), r"its shape is \(18, 16, 5\), expected \(C, 4 x 4\)"),
    ):
        with pytest.raises(InputError, match=problem):
            read_cube(tmp_path / file, None, size)


def test_trained_and_tested_rows_are_apart(path: str) -> None:
    module = data(Scene(path, 2, white=2000), train_rows=[0, 9], test_rows=[10, 16])
    assert module.train
    assert not isinstance(module.test, list | None)
    trained, tested = module.train.image(0), module.test.image(0)  # type: ignore[union-attr]
    np.testing.assert_allclose(trained, CUBE[:8] / 2000, rtol=1e-6)  # whole LR pixels of nine rows
    np.testing.assert_allclose(tested, CUBE[10:16] / 2000, rtol=1e-6)
    assert module.train.guide is None
    with pytest.raises(InputError, match="share rows"):
        data(Scene(path, 2), train_rows=[0, 9], test_rows=[8, 16])
    with pytest.raises(InputError, match=r"test_rows=\[4, 4\]"):
        data(Scene(path, 2), test_rows=[4, 4])
    assert data(Scene(path, 2)).train is None


def test_another_scene_is_tested_in_the_same_unit_and_with_its_own_guide(tmp_path: Path, path: str) -> None:
    other, guides = tmp_path / "other.npy", [tmp_path / "pan.npy", tmp_path / "other_pan.npy"]
    np.save(other, CUBE // 2)
    for place, guide in enumerate(guides):
        np.save(guide, np.full((36, 32), 100.0 * (place + 1)))
    mine, theirs = map(str, guides)
    module = data(Scene(path, 2, white=2000, guide=mine), test_path=str(other), test_guide=theirs)
    assert isinstance(module.test, Strips)
    np.testing.assert_allclose(module.test.image(0), CUBE // 2 / 2000, rtol=1e-6)
    assert module.test.guide is not None
    np.testing.assert_allclose(module.test.guide.image(0), 200 / 2000, rtol=1e-6)
    with pytest.raises(InputError, match=r"set data\.scene\.white for both"):
        data(Scene(path, 2), test_path=str(other))
    with pytest.raises(InputError, match=r"pan\.npy is the guide of .*scene\.npy: set data\.test_guide"):
        data(Scene(path, 2, white=2000, guide=mine), test_path=str(other))
    with pytest.raises(InputError, match="share rows"):
        data(Scene(path, 2, white=2000), train_rows=[0, 9], test_rows=[8, 16], test_path=path)


def test_values_beyond_white_are_told(tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Scene(path, 2, white=float(CUBE.max())).whole.max() == 1
    assert not caplog.records
    assert Scene(path, 2, white=float(np.median(CUBE))).whole.max() > 1
    assert "of its values lie below 0 or above white" in caplog.text


def guide_of(scene: Scene) -> NDArray[np.float32]:
    assert scene.other is not None
    return scene.other


def test_guides_that_are_made(tmp_path: Path, path: str) -> None:
    made = Scene(path, 2, white=1, guide_bands=[[0, 2], [2, 5]], crop=8)
    np.testing.assert_allclose(guide_of(made), np.stack([CUBE[..., :2].mean(2), CUBE[..., 2:].mean(2)], 2)[:8, :8])
    response = np.array([[1.0, 0, 3, 0, 0]])
    for stored in (response, response.T):
        np.save(tmp_path / "response.npy", stored)
        scene = Scene(path, 2, white=1, response=str(tmp_path / "response.npy"))
        np.testing.assert_allclose(guide_of(scene)[..., 0], (CUBE[..., 0] + 3.0 * CUBE[..., 2]) / 4)
    np.save(tmp_path / "response.npy", np.ones((1, 4)))
    with pytest.raises(InputError, match="cube has 5 bands: resample"):
        guide_of(Scene(path, 2, response=str(tmp_path / "response.npy")))
    with pytest.raises(InputError, match=r"\[3, 6\] is no range"):
        guide_of(Scene(path, 2, guide_bands=[[3, 6]]))
    with pytest.raises(InputError, match="all say what the guide is"):
        Scene(path, 2, guide_bands=[[0, 1]], guide="PAN")


def test_a_real_guide_is_reduced_to_the_cube(tmp_path: Path) -> None:
    pan = np.random.default_rng(1).random((36, 32))
    io.savemat(tmp_path / "scene.mat", {"MS": CUBE / 2000, "PAN": pan})
    scene = Scene(str(tmp_path / "scene.mat"), 2, key="MS", white=1, guide="PAN")
    wanted = MTF(2, 0.15).reduce(torch.from_numpy(pan)[None, None])[0, 0]
    np.testing.assert_allclose(guide_of(scene)[..., 0], wanted.numpy(), rtol=1e-5)
    with pytest.raises(InputError, match="expected 72 x 64, scale=4 times the cube"):
        guide_of(Scene(str(tmp_path / "scene.mat"), 4, key="MS", guide="PAN"))


def test_batches_have_the_guide_of_their_crop(tmp_path: Path, path: str) -> None:
    np.save(tmp_path / "other.npy", CUBE)
    scene = Scene(path, 2, white=2000, guide_bands=[[0, 5]])
    module = data(scene, train_rows=[0, 16], test_path=str(tmp_path / "other.npy"))
    module.setup("fit")
    batch = next(iter(module.train_dataloader()))
    made = module.on_after_batch_transfer(batch, 0)
    assert made.lr.shape == (2, 5, 3, 3)
    assert made.hr.shape == (2, 5, 6, 6)
    assert made.guide.shape == (2, 1, 6, 6)
    assert torch.allclose(made.guide, made.hr.mean(1, keepdim=True), atol=1e-6)


def test_guides_are_exchanged_and_blanked(path: str) -> None:
    scene = Scene(path, 2, white=2000, guide_bands=[[0, 5]])
    own, other, blank = (data(scene, test_rows=[4, 10], guides=guides).test for guides in ("own", "other", "blank"))
    guides = []
    for source in (own, other, blank):
        assert isinstance(source, Strips)
        assert source.guide is not None
        guides.append(source.guide.image(0))
        np.testing.assert_array_equal(source.image(0), own.image(0))  # type: ignore[union-attr]
    np.testing.assert_array_equal(guides[1], np.rot90(guides[0], 2))
    assert guides[2].shape == guides[0].shape
    assert not guides[2].any()
    with pytest.raises(ValueError, match=r"data.guides='none'"):
        data(scene, guides="none")
