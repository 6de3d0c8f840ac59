"""Where images come from: folders, pairs, DIV2K's layout, the built-in photographs, dead leaves."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from srlab.data.pairs import bare_name
from srlab.data.sources import DIV2K, DeadLeaves, Folder, Paired, SkimagePhotos
from srlab.errors import InputError

Draw = Callable[..., Path]


def test_folder_is_sorted_recursive_and_drops_alpha(tmp_path: Path, draw: Draw) -> None:
    for name in ("b.png", "a/c.png", "a.jpg"):
        draw(tmp_path / name)
    draw(tmp_path / "rgba.png", channels=4)
    draw(tmp_path / ".hidden" / "x.png")
    (tmp_path / "notes.txt").write_text("no image")
    source = Folder(str(tmp_path))
    assert [source.label(i) for i in range(len(source))] == ["c", "a", "b", "rgba"]
    assert source.image(3).shape == (8, 12, 3)
    assert source.header(3).channels == 3
    assert len(Folder(str(tmp_path), recursive=False)) == 3
    assert len(Folder([str(tmp_path / "a"), str(tmp_path)])) == 5


def test_an_empty_or_absent_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no image"):
        Folder(str(tmp_path))
    with pytest.raises(InputError, match="no such file or folder"):
        Folder(str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("stem", "bare"),
    [
        ("0001", "0001"),
        ("0001x2", "0001"),
        ("000001_x4", "000001"),
        ("0001x4m", "0001"),
        ("baby_HR", "baby"),
        ("baby_LRBI_x2", "baby"),
        ("img_001_SRF_2_LR", "img_001"),
        ("img_001_SRF_2_HR", "img_001"),
        ("x2", "x2"),
        ("fleurhr", "fleurhr"),
        ("ppt3", "ppt3"),
    ],
)
def test_suffixes(stem: str, bare: str) -> None:
    assert bare_name(stem) == bare


@pytest.mark.parametrize("pattern", ["{}.png", "{}x2.png", "{}_x2.png", "{}_LR.png", "{}-lr.bmp", "{}_SRF_2_LR.png"])
def test_pairs_by_name(tmp_path: Path, pattern: str, draw: Draw) -> None:
    for name in ("one", "two", "sub/three"):
        draw(tmp_path / "HR" / f"{name}.png")
        draw(tmp_path / "LR" / pattern.format(name), 4, 6)
    source = Paired(str(tmp_path / "HR"), str(tmp_path / "LR"))
    assert source.lr is not None
    pairs = {source.label(i): bare_name(source.lr.label(i)) for i in range(len(source))}
    assert pairs == {"one": "one", "two": "two", "three": "three"}
    assert not source.complaints
    assert source.lr.image(0).shape == (4, 6, 3)


def test_files_without_partner_or_with_two_are_named(tmp_path: Path, draw: Draw) -> None:
    for name in ("a", "b", "c"):
        draw(tmp_path / "HR" / f"{name}.png")
    for name in ("ax2", "a_x4", "bx2", "dx2"):
        draw(tmp_path / "LR" / f"{name}.png")
    source = Paired(str(tmp_path / "HR"), str(tmp_path / "LR"))
    assert [source.label(i) for i in range(len(source))] == ["b"]
    complaints = "\n".join(source.complaints)
    assert "c.png: has no LR partner" in complaints
    assert "dx2.png: has no HR partner" in complaints
    assert "one name" in complaints
    assert "ax2.png" in complaints


def div2k(root: Path, draw: Draw) -> None:
    for i in (1, 2):
        draw(root / "DIV2K_train_HR" / f"{i:04d}.png", 8, 12)
        draw(root / "DIV2K_train_LR_bicubic" / "X2" / f"{i:04d}x2.png", 4, 6)
        draw(root / "Flickr2K" / "Flickr2K_HR" / f"{i:06d}.png", 8, 12)
        draw(root / "Flickr2K" / "Flickr2K_LR_bicubic" / "X2" / f"{i:06d}x2.png", 4, 6)
    draw(root / "DIV2K_valid_HR" / "0801.png")


def test_div2k_and_flickr2k(tmp_path: Path, draw: Draw) -> None:
    div2k(tmp_path, draw)
    source = DIV2K(str(tmp_path))
    assert [source.label(i) for i in range(len(source))] == ["0001", "0002", "000001", "000002"]
    assert source.lr is None
    paired = DIV2K(str(tmp_path), track="bicubic", scale=2)
    assert paired.lr is not None
    assert [paired.lr.label(i) for i in range(4)] == ["0001x2", "0002x2", "000001x2", "000002x2"]
    assert not paired.complaints
    assert len(DIV2K(str(tmp_path), "valid")) == 1
    with pytest.raises(InputError, match="no such file or folder"):
        DIV2K(str(tmp_path), track="unknown")
    with pytest.raises(InputError, match="DIV2K_train_HR or Flickr2K_HR"):
        DIV2K(str(tmp_path / "DIV2K_train_HR"))


def test_the_built_in_photographs() -> None:
    source = SkimagePhotos()
    assert len(source) == 6
    sizes = {source.label(i): source.image(i).shape for i in range(len(source))}
    assert sizes["astronaut"] == (512, 512, 3)
    assert sizes["camera"] == (512, 512, 1)
    assert sizes["coffee"] == (400, 600, 3)


def test_dead_leaves_are_a_function_of_seed_and_index() -> None:
    source, again, other = DeadLeaves(0, 3, 64), DeadLeaves(0, 3, 64), DeadLeaves(1, 3, 64)
    again.image(0)
    np.testing.assert_array_equal(source.image(2), again.image(2))
    assert (source.image(2) != other.image(2)).mean() > 0.5
    assert (source.image(1) != source.image(2)).mean() > 0.5
    assert source.image(0).shape == (64, 64, 3)
    assert source.identity(0) != other.identity(0)


def test_dead_leaves_look_natural() -> None:
    """Power falls as 1/f^2 (Field 1987), edges are in it, and all of the range is used but no more."""
    images = [DeadLeaves(5, 12, 128).image(i).astype(float).mean(-1) / 255 for i in range(12)]
    window = np.outer(np.hanning(128), np.hanning(128))
    power = np.sum([np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2 for image in images], axis=0)
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
    bands = [(0.03 * 1.5**i, 0.03 * 1.5 ** (i + 1)) for i in range(6)]
    means = [np.log(np.mean(power[(radius >= low) & (radius < high)])) for low, high in bands]
    slope = np.polyfit([np.log((low * high) ** 0.5) for low, high in bands], means, 1)[0]
    assert -3.2 < slope < -1.4
    gradients = np.concatenate([np.diff(image, axis=1).ravel() for image in images])
    kurtosis = np.mean(gradients**4) / np.mean(gradients**2) ** 2
    assert kurtosis > 6  # Gaussian noise of any spectrum has 3; photographs have 10 and more
    assert 0.2 < np.mean(images) < 0.7
    assert np.std(images) > 0.1
