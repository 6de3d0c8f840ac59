"""Test sets in the layouts in which they are found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from srlab.data.benchmarks import find_benchmarks, set_name
from srlab.data.images import write_image
from srlab.data.sources import Files
from srlab.errors import InputError

Draw = Callable[..., Path]


def labels(source: Files) -> list[str]:
    return [source.label(i) for i in range(len(source))]


def test_plain_folder(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "Manga109" / "ARMS.png")
    (only,) = find_benchmarks(str(tmp_path / "Manga109"), 2)
    assert (only.name, labels(only), only.lr) == ("manga109", ["ARMS"], None)


@pytest.mark.parametrize("lr", ["LR_bicubic/X2", "LR_bicubic_X2"])
def test_hr_and_lr_folders(tmp_path: Path, lr: str, draw: Draw) -> None:
    for name in ("Set5", "B100"):
        draw(tmp_path / name / "HR" / "baby.png", 8, 12)
        draw(tmp_path / name / lr / "babyx2.png", 4, 6)
    sets = find_benchmarks(str(tmp_path), 2)
    assert [source.name for source in sets] == ["b100", "set5"]
    assert all(source.lr is None for source in sets)
    (chosen,) = find_benchmarks(str(tmp_path), 2, names=["Set5"], lr_root=str(tmp_path))
    assert chosen.lr is not None
    assert chosen.lr.where(0).endswith("Set5/" + lr + "/babyx2.png")
    (alone,) = find_benchmarks(str(tmp_path / "Set5" / "HR"), 2, lr_root=str(tmp_path / "Set5" / lr))
    assert alone.name == "set5"
    assert alone.lr is not None
    assert labels(alone) == ["baby"]
    with pytest.raises(InputError, match="scale 3"):
        find_benchmarks(str(tmp_path), 3, lr_root=str(tmp_path))


def test_basicsr(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "Set14" / "original" / "zebra.png", 9, 13)
    draw(tmp_path / "Set14" / "GTmod12" / "zebra.png", 8, 12)
    draw(tmp_path / "Set14" / "LRbicx2" / "zebra.png", 4, 6)
    (plain,) = find_benchmarks(str(tmp_path / "Set14"), 2)
    assert plain.image(0).shape == (9, 13, 3)
    (paired,) = find_benchmarks(str(tmp_path / "Set14"), 2, lr_root=str(tmp_path / "Set14"))
    assert paired.image(0).shape == (8, 12, 3)  # whose LR these files are


@pytest.mark.parametrize("name", ["Urban100", "Set5"])
def test_selfexsr(tmp_path: Path, name: str, draw: Draw) -> None:
    """Urban100 under image_SRF_2 is half as large as the set is: its HR is under image_SRF_4."""
    for factor, size in ((2, 8), (4, 16)):
        for kind in ("HR", "LR", "bicubic", "glasner"):
            draw(tmp_path / name / f"image_SRF_{factor}" / f"img_001_SRF_{factor}_{kind}.png", size, size)
    (found,) = find_benchmarks(str(tmp_path), 2)
    assert (found.name, labels(found)) == (name.lower(), ["img_001"])
    assert found.header(0).height == (16 if name == "Urban100" else 8)
    (inside,) = find_benchmarks(str(tmp_path / name / "image_SRF_4"), 4)
    assert (inside.name, labels(inside)) == (name.lower(), ["img_001"])


def test_aliases_and_refusals(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "BSDS100" / "1.png")
    (found,) = find_benchmarks(str(tmp_path), 2, names=["B100"])
    assert found.name == "b100"
    assert set_name(tmp_path / "BSD100" / "HR") == "b100"
    with pytest.raises(InputError, match=r"holds no Set5, but b100"):
        find_benchmarks(str(tmp_path), 2, names=["Set5"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds images"):
        find_benchmarks(str(tmp_path / "empty"), 2)


@pytest.mark.parametrize(("name", "count"), [("Set5", 5), ("Set14", 14)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_real_sets(data_root: Path, name: str, count: int, scale: int) -> None:
    root = str(data_root / "photos")
    (found,) = find_benchmarks(root, scale, names=[name], lr_root=root)
    assert len(found) == count
    assert not found.complaints
    assert found.lr is not None
    for i in range(count):
        hr, lr = found.header(i), found.lr.header(i)
        assert (hr.height // scale, hr.width // scale) == (lr.height, lr.width)


def test_hidden_junk_is_passed_over(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "Set5" / "a.png")
    write_image(tmp_path / "Set5" / "._a.png", Files("x", [tmp_path / "Set5" / "a.png"]).image(0))
    (found,) = find_benchmarks(str(tmp_path), 2)
    assert labels(found) == ["a"]
