"""The audit names all that is wrong at once; decoded images are kept where they fit, and nowhere else."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from srlab.data.audit import Needs
from srlab.data.cache import Cached, CacheLimits, prepare, ram_bytes
from srlab.data.images import write_image
from srlab.data.source import Source
from srlab.data.sources import Files, Folder, Paired
from srlab.errors import InputError
from srlab.types import Pixels

Draw = Callable[..., Path]

NEEDS = Needs(scale=2, channels=3, smallest_lr=4, reason="(data.patch=4): set data.patch lower")
RAM, DISK, NOWHERE = (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO, "srlab"):
        yield


def limits(folder: Path, sizes: tuple[float, float]) -> CacheLimits:
    return CacheLimits(*sizes, folder / "cache")


def mixed(root: Path, draw: Draw) -> Folder:
    """Images of all depths, sizes and channels that one set may mix."""
    draw(root / "a.png", 8, 12)
    draw(root / "b.png", 31, 17, 1)
    write_image(root / "c.tif", np.random.default_rng(0).random((9, 11, 3), dtype=np.float32))
    write_image(root / "d.png", np.random.default_rng(0).integers(0, 65536, (10, 13, 3)).astype(np.uint16))
    return Folder(str(root))


@pytest.mark.parametrize(("sizes", "place"), [(RAM, "in RAM"), (DISK, "memory-mapped"), (NOWHERE, "decoded anew")])
def test_same_pixels_wherever_they_are(
    tmp_path: Path, draw: Draw, caplog: pytest.LogCaptureFixture, sizes: tuple[float, float], place: str
) -> None:
    source = mixed(tmp_path / "set", draw)
    ready = prepare(source, NEEDS, limits(tmp_path, sizes), "stop", "train")
    for i in range(len(source)):
        assert ready.image(i).dtype == source.image(i).dtype
        np.testing.assert_array_equal(ready.image(i), source.image(i))
    (line,) = [record.getMessage() for record in caplog.records]
    decoded = sum(source.image(i).nbytes for i in range(len(source)))
    assert place in line
    assert "4 images" in line
    assert ram_bytes(ready) == (decoded if place == "in RAM" else 0)
    assert (tmp_path / "cache").exists() == (place == "memory-mapped")


def test_the_stated_sizes_are_obeyed(tmp_path: Path, draw: Draw) -> None:
    source = mixed(tmp_path / "set", draw)
    size = sum(source.image(i).nbytes for i in range(4)) / 1e9
    for ram, disk, kind in [(size, 0.0, np.ndarray), (size * 0.999, size, np.memmap), (0.0, size * 0.999, None)]:
        ready = prepare(source, NEEDS, limits(tmp_path, (ram, disk)), "stop", "train")
        assert (type(ready.store) if isinstance(ready, Cached) else None) is kind


def test_pairs_are_kept_together(tmp_path: Path, draw: Draw) -> None:
    for i in range(3):
        draw(tmp_path / "HR" / f"{i}.png", 16, 20)
        draw(tmp_path / "LR" / f"{i}x2.png", 8, 10)
    source = Paired(str(tmp_path / "HR"), str(tmp_path / "LR"))
    for sizes in (RAM, DISK, NOWHERE):
        ready = prepare(source, NEEDS, limits(tmp_path, sizes), "stop", "train")
        assert ready.lr is not None
        assert source.lr is not None
        for i in range(3):
            np.testing.assert_array_equal(ready.image(i), source.image(i))
            np.testing.assert_array_equal(ready.lr.image(i), source.lr.image(i))


class Counting(Files):
    """Files that count how often they are decoded."""

    decoded = 0

    def image(self, index: int) -> Pixels:
        self.decoded += 1
        return super().image(index)


def test_a_mapped_file_is_found_again_until_a_file_changes(tmp_path: Path, draw: Draw) -> None:
    path = draw(tmp_path / "a.png")
    for expected in (1, 0):
        source = Counting("set", [path])
        prepare(source, NEEDS, limits(tmp_path, DISK), "stop", "train")
        assert source.decoded == expected
    draw(path, 10, 10)
    source = Counting("set", [path])
    assert prepare(source, NEEDS, limits(tmp_path, DISK), "stop", "train").image(0).shape == (10, 10, 3)
    assert source.decoded == 1


def test_old_entries_make_room(tmp_path: Path, draw: Draw) -> None:
    paths = [draw(tmp_path / f"{i}.png", 20, 20) for i in range(3)]
    one = 20 * 20 * 3
    for path in paths:
        prepare(Files("set", [path]), NEEDS, limits(tmp_path, (0.0, 2.5 * one / 1e9)), "stop", "train")
    held = sum(file.stat().st_size for file in (tmp_path / "cache").rglob("pixels.bin"))
    assert held == 2 * one
    newest = Counting("set", [paths[2]])
    prepare(newest, NEEDS, limits(tmp_path, DISK), "stop", "train")
    assert newest.decoded == 0


def faulty(root: Path, draw: Draw) -> Source:
    """Good images, and one of each kind of bad ones."""
    draw(root / "good1.png", 16, 16)
    draw(root / "good2.png", 16, 16)
    draw(root / "small.png", 6, 40)
    draw(root / "bands.tif", 16, 16, 5)
    cut = draw(root / "cut.png", 64, 64)
    cut.write_bytes(cut.read_bytes()[:-2000])
    (root / "text.jpg").write_text("no image")
    write_image(root / "nan.tif", np.full((16, 16, 3), np.nan, np.float32))
    write_image(root / "white255.tif", np.full((16, 16, 3), 255, np.float32))
    return Folder(str(root))


BAD = ("small.png", "bands.tif", "cut.png", "text.jpg", "nan.tif", "white255.tif")


@pytest.mark.parametrize("sizes", [RAM, DISK, NOWHERE])
def test_every_bad_file_is_named_at_once(tmp_path: Path, draw: Draw, sizes: tuple[float, float]) -> None:
    source = faulty(tmp_path / "set", draw)
    for _ in range(2):  # the second time from the mapped file
        with pytest.raises(InputError) as caught:
            prepare(source, NEEDS, limits(tmp_path, sizes), "stop", "train")
        message = str(caught.value)
        assert all(name in message for name in BAD)
        assert "good" not in message
        assert "6 x 40, expected at least 8 x 8 (data.patch=4): set data.patch lower" in message
        assert "5 channels, expected 3 or 1: set channels=5" in message
        assert "white at 1" in message
        assert "on_bad_file=skip" in message


@pytest.mark.parametrize("sizes", [RAM, DISK, NOWHERE])
def test_bad_files_are_skipped_on_request(
    tmp_path: Path, draw: Draw, caplog: pytest.LogCaptureFixture, sizes: tuple[float, float]
) -> None:
    source = faulty(tmp_path / "set", draw)
    for _ in range(2):
        caplog.clear()
        ready = prepare(source, NEEDS, limits(tmp_path, sizes), "skip", "train")
        assert [ready.label(i) for i in range(len(ready))] == ["good1", "good2"]
        np.testing.assert_array_equal(ready.image(1), Files("x", [tmp_path / "set" / "good2.png"]).image(0))
        assert all(name in caplog.text for name in BAD)


def test_pairs_that_do_not_fit_are_named(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "HR" / "fits.png", 17, 16)  # an HR image may have up to scale - 1 more rows
    draw(tmp_path / "LR" / "fits.png", 8, 8)
    draw(tmp_path / "HR" / "wide.png", 16, 16)
    draw(tmp_path / "LR" / "wide.png", 8, 9)
    draw(tmp_path / "HR" / "grey.png", 16, 16)
    draw(tmp_path / "LR" / "grey.png", 8, 8, 1)
    draw(tmp_path / "HR" / "lone.png", 16, 16)
    source = Paired(str(tmp_path / "HR"), str(tmp_path / "LR"))
    with pytest.raises(InputError) as caught:
        prepare(source, NEEDS, limits(tmp_path, RAM), "stop", "train")
    message = str(caught.value)
    assert "wide.png: is 16 x 16, so that at scale 2 its LR image must be 8 x 8, but that is 8 x 9" in message
    assert "grey.png: has 3 channels, but its LR image 1" in message
    assert "lone.png: has no LR partner" in message
    assert "fits.png" not in message
    ready = prepare(source, NEEDS, limits(tmp_path, RAM), "skip", "train")
    assert [ready.label(i) for i in range(len(ready))] == ["fits"]


def test_nothing_left_is_an_error_also_when_skipping(tmp_path: Path, draw: Draw) -> None:
    draw(tmp_path / "small.png", 4, 4)
    with pytest.raises(InputError, match="No image is left"):
        prepare(Folder(str(tmp_path)), NEEDS, limits(tmp_path, RAM), "skip", "train")
