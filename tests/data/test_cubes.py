"""Cubes from files of every kind, and scenes that are parted into what is trained on and what is tested."""

from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import pytest
import tifffile
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
        ("scene.npy", (4, 4), r"its shape is \(18, 16, 5\), expected \(C, 4 x 4\), or 4 and 4 beside an axis of bands"),
    ):
        with pytest.raises(InputError, match=problem):
            read_cube(tmp_path / file, None, size)


@pytest.mark.parametrize("interleave", ["bil", "bip", "bsq"])
@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("samples", [np.uint8, np.int16, np.uint16, np.float32])
def test_envi_in_every_layout(tmp_path: Path, interleave: str, order: int, samples: Any) -> None:
    cube = (CUBE // 8).astype(samples)
    envi.save_image(str(tmp_path / "a.hdr"), cube, dtype=samples, interleave=interleave, byteorder=order, ext="unusual")
    np.testing.assert_array_equal(read_cube(tmp_path / "a.unusual"), cube)  # the header is beside it
    (tmp_path / "a.unusual").rename(tmp_path / "a.dat")
    np.testing.assert_array_equal(read_cube(tmp_path / "a.hdr"), cube)
    (tmp_path / "a.hdr").rename(tmp_path / "a.dat.hdr")
    np.testing.assert_array_equal(read_cube(tmp_path / "a.dat"), cube)


def test_envi_headers_say_what_samples_mean(tmp_path: Path) -> None:
    holed = CUBE.copy()
    holed[3, 4] = 65535
    envi.save_image(str(tmp_path / "a.hdr"), holed, dtype=np.uint16, interleave="bip", ext="img")
    plain = (tmp_path / "a.hdr").read_text()
    for added, wanted in (
        ("reflectance scale factor = 1000", CUBE / 1000),
        ("data gain values = {1,2,3,4,5}\ndata offset values = {5,4,3,2,1}", CUBE * [1, 2, 3, 4, 5] + [5, 4, 3, 2, 1]),
    ):
        (tmp_path / "a.hdr").write_text(f"{plain}\n{added}\ndata ignore value = 65535\n")
        wanted = wanted.copy()
        wanted[3, 4] = 0  # nothing was measured there
        np.testing.assert_allclose(read_cube(tmp_path / "a.hdr"), wanted, rtol=1e-6)
    for change, problem in (
        (("bands = 5", "bands = 7"), "data file is shorter than the header says"),
        (("ENVI Standard", "ENVI Spectral Library"), "holds spectra without an image"),
        (("interleave = bip", ""), 'no ENVI file that can be read .*"interleave" missing'),
    ):
        (tmp_path / "a.hdr").write_text(plain.replace(*change))
        with pytest.raises(InputError, match=problem):
            read_cube(tmp_path / "a.hdr")
    (tmp_path / "a.img").unlink()
    (tmp_path / "a.hdr").write_text(plain)
    with pytest.raises(InputError, match=r"no data file of its name is beside it: set data.scene.path"):
        read_cube(tmp_path / "a.hdr")


@pytest.mark.parametrize("samples", ["u2", ">u2", "i2", "i4", "f4", "f8"])
def test_tiff_of_any_samples_and_layout(tmp_path: Path, samples: str) -> None:
    cube = CUBE.astype(samples)
    order: Literal[">", "<"] = ">" if samples.startswith(">") else "<"
    file = tmp_path / "cube.tif"
    for planes, stored in (("contig", cube), ("separate", cube.transpose(2, 0, 1)), (None, cube.transpose(2, 0, 1))):
        tifffile.imwrite(file, stored, photometric="minisblack", planarconfig=planes, byteorder=order)
        np.testing.assert_array_equal(read_cube(file), cube)
    # more bands than rows, as pages that do not say that they are bands
    many = np.random.default_rng(2).integers(0, 9, (18, 16, 40)).astype(samples)
    tifffile.imwrite(file, many.transpose(2, 0, 1), photometric="minisblack", byteorder=order)
    np.testing.assert_array_equal(read_cube(file, size=(18, 16)), many)


def test_structures_and_other_axes(tmp_path: Path) -> None:
    io.savemat(tmp_path / "old.mat", {"scene": {"cube": CUBE, "white": 2000}})
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file["scene/cube"], file["scene/white"], file["#refs#/a"] = CUBE.T, [2000], [0]
    with (tmp_path / "new.mat").open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    for name in ("old.mat", "new.mat"):
        np.testing.assert_array_equal(read_cube(tmp_path / name, "scene.cube"), CUBE)
        with pytest.raises(InputError, match=r"has the variables scene.cube, scene.white, not None"):
            read_cube(tmp_path / name)
    for axis in (0, 1, 2):
        np.save(tmp_path / "moved.npy", np.moveaxis(CUBE, -1, axis))
        np.testing.assert_array_equal(read_cube(tmp_path / "moved.npy", size=(18, 16)), CUBE)


def test_samples_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    holed = CUBE.astype(np.float32)
    holed[2, 3, :2] = np.nan
    np.save(tmp_path / "scene.npy", holed)
    with pytest.raises(InputError, match=r"2 of its 1440 samples are no numbers \(nan, inf\): put 0"):
        _ = Scene(str(tmp_path / "scene.npy"), 2).cube


@pytest.mark.parametrize("scale", [2, 3, 5, 7])
def test_a_scene_is_cut_to_whole_lr_pixels(tmp_path: Path, path: str, scale: int) -> None:
    pan = np.random.default_rng(1).random((18 * scale, 16 * scale))
    np.save(tmp_path / "pan.npy", pan)
    for scene in (
        Scene(path, scale, guide_bands=[[0, 5]]),
        Scene(path, scale, white=1, guide=str(tmp_path / "pan.npy")),
    ):
        height, width = 18 // scale * scale, 16 // scale * scale
        assert scene.cube.shape == (height, width, 5)
        assert guide_of(scene).shape == (height, width, 1)
    # the guide, seen by the cube's sensor from the middle of each pixel: a gradient stays where it is
    slope = np.add.outer(np.arange(18.0 * scale), np.zeros(16 * scale))
    np.save(tmp_path / "pan.npy", slope)
    rows = guide_of(Scene(path, scale, white=1, guide=str(tmp_path / "pan.npy")))[:, 0, 0]
    np.testing.assert_allclose(rows[4:-5], (np.arange(len(rows)) * scale + (scale - 1) / 2)[4:-5], rtol=1e-5)


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
