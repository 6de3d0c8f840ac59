"""Images written in bands are what other readers make of them: pixels, profile, EXIF, resolution."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageCms

from srlab.data.images import read_image, to_pixels
from srlab.data.metadata import Metadata, read_metadata
from srlab.data.streaming import Form, strips, write_bands
from srlab.errors import InputError
from srlab.types import Pixels

RNG = np.random.default_rng(0)


def smooth(height: int, width: int, channels: int, dtype: str) -> Pixels:
    """A picture with noise in it: every filter of PNG is the best of some row."""
    y, x = np.mgrid[:height, :width]
    planes = [np.sin(y / 9 + place) * np.cos(x / 7) * 0.4 + 0.5 for place in range(channels)]
    image = np.stack(planes, -1) + RNG.normal(0, 0.02, (height, width, channels)) * (y[..., None] % 3)
    if dtype == "float32":
        return np.asarray(image, np.float32)
    return to_pixels(torch.from_numpy(image).movedim(-1, 0), 255 if dtype == "uint8" else 65535)


def bands(pixels: Pixels, heights: tuple[int, ...]) -> Iterator[Pixels]:
    top = place = 0
    while top < len(pixels):
        yield pixels[top : top + heights[place % len(heights)]]
        top += heights[place % len(heights)]
        place += 1


def written(path: Path, pixels: Pixels, alpha: bool = False, metadata: Metadata | None = None) -> Path:
    height, width, channels = pixels.shape
    form = Form(height, width, channels, pixels.dtype, alpha)
    write_bands(path, form, bands(pixels, (70, 3, 128, 1)), metadata)
    return path


def test_strips_are_of_equal_height_and_lose_no_row() -> None:
    pixels = smooth(333, 4, 1, "uint8")
    found = list(strips(bands(pixels, (70, 3, 128, 1)), 64))
    assert [len(strip) for strip in found] == [64] * 5 + [13]
    np.testing.assert_array_equal(np.concatenate(found), pixels)


@pytest.mark.parametrize("height", [1, 64, 301])
@pytest.mark.parametrize(
    ("suffix", "channels", "dtype"),
    [
        *((".png", channels, dtype) for channels in (1, 2, 3, 4) for dtype in ("uint8", "uint16")),
        *((".tif", channels, dtype) for channels in (1, 3, 5) for dtype in ("uint8", "uint16", "float32")),
        (".npy", 3, "float32"),
        (".webp", 3, "uint8"),
        (".webp", 4, "uint8"),
        (".bmp", 1, "uint8"),
    ],
)
def test_pixels_are_kept(tmp_path: Path, suffix: str, channels: int, dtype: str, height: int) -> None:
    pixels = smooth(height, 37, channels, dtype)
    np.testing.assert_array_equal(read_image(written(tmp_path / f"x{suffix}", pixels)), pixels)


def test_alpha_of_a_tiff_is_named(tmp_path: Path) -> None:
    with tifffile.TiffFile(written(tmp_path / "x.tif", smooth(100, 20, 4, "uint8"), alpha=True)) as file:
        assert file.pages.first.extrasamples == (tifffile.EXTRASAMPLE.UNASSALPHA,)
        assert file.pages.first.photometric == tifffile.PHOTOMETRIC.RGB


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("height", [5, 64, 128, 301])
def test_a_jpeg_in_strips_is_the_jpeg_of_the_whole(tmp_path: Path, channels: int, height: int) -> None:
    pixels = smooth(height, 37, channels, "uint8")
    path = written(tmp_path / "strips.jpg", pixels)
    whole = tmp_path / "whole.jpg"
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(whole, quality=95, subsampling=0)
    np.testing.assert_array_equal(read_image(path), read_image(whole))
    other = imagecodecs.jpeg_decode(path.read_bytes())  # another decoder sees no damage
    assert other.shape[:2] == (height, 37)


def test_png_is_about_as_small_as_libpngs(tmp_path: Path) -> None:
    pixels = smooth(300, 300, 3, "uint8")
    theirs = len(imagecodecs.png_encode(pixels, level=6))
    assert written(tmp_path / "x.png", pixels).stat().st_size < 1.1 * theirs


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_profile_exif_and_resolution_go_with_the_image(tmp_path: Path, suffix: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    exif.get_ifd(0x8769).update({0xA002: 37, 0xA003: 50})
    source = tmp_path / f"source{suffix}"
    pixels = smooth(50, 37, 3, "uint8")
    options: dict[str, Any] = {"icc_profile": profile, "exif": exif.tobytes()} | (
        {} if suffix == ".webp" else {"dpi": (300, 200)}
    )
    if suffix == ".tif":
        extra = [(271, "s", 0, "Maker", True)]
        tifffile.imwrite(
            source, pixels, iccprofile=profile, resolution=(300, 200), resolutionunit=2, extratags=extra, metadata=None
        )
    else:
        Image.fromarray(pixels).save(source, **options)
    target = written(tmp_path / f"target{suffix}", smooth(74, 100, 3, "uint8"), metadata=read_metadata(source, 2))
    with Image.open(target) as image:
        assert image.size == (100, 74)
        assert image.info["icc_profile"] == profile
        assert image.getexif()[0x010F] == "Maker"
        if suffix != ".webp":
            assert tuple(round(float(dots)) for dots in image.info["dpi"]) == (300, 200)
        if suffix != ".tif":
            assert image.getexif()[0x0112] == 1, "the pixels are upright"
            # the source was on its side: 50 wide and 37 high once upright
            assert dict(image.getexif().get_ifd(0x8769)) == {0xA002: 100, 0xA003: 74}
    assert read_metadata(target).profile == profile


def test_nothing_is_left_of_an_image_that_fails(tmp_path: Path) -> None:
    def failing() -> Iterator[Pixels]:
        yield smooth(70, 37, 3, "uint8")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        write_bands(tmp_path / "x.png", Form(140, 37, 3, np.dtype(np.uint8)), failing())
    assert not list(tmp_path.iterdir())
    for path, dtype in (("x.jpg", "uint16"), ("x.png", "float32"), ("x.xyz", "uint8")):
        with pytest.raises(InputError, match="cannot hold"):
            write_bands(tmp_path / path, Form(1, 1, 3, np.dtype(dtype)), iter(()))
    with pytest.raises(InputError, match="65500 pixels a side"):
        write_bands(tmp_path / "x.jpg", Form(70000, 1, 3, np.dtype(np.uint8)), iter(()))
