"""Image files: every kind, no loss of depth, upright, and errors that name the file."""

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from srlab.data.images import read_header, read_image
from srlab.data.writing import write_image
from srlab.errors import InputError
from srlab.types import Pixels

H, W = 24, 31


def noise(channels: int, dtype: str, seed: int = 0) -> Pixels:
    rng = np.random.default_rng(seed)
    if dtype == "float32":
        return rng.random((H, W, channels), dtype=np.float32)
    return rng.integers(0, np.iinfo(dtype).max, (H, W, channels), endpoint=True).astype(dtype)


LOSSLESS = [
    *[(".png", c, d) for c in (1, 2, 3, 4) for d in ("uint8", "uint16")],
    *[(".tif", c, d) for c in (1, 2, 3, 4, 5, 31) for d in ("uint8", "uint16", "float32")],
    *[(".npy", c, d) for c in (1, 3, 31) for d in ("uint8", "uint16", "float32")],
    *[(".bmp", c, "uint8") for c in (1, 3)],
    *[(".webp", c, "uint8") for c in (3, 4)],
]


@pytest.mark.parametrize(("suffix", "channels", "dtype"), LOSSLESS)
def test_no_loss_of_depth(tmp_path: Path, suffix: str, channels: int, dtype: str) -> None:
    pixels = noise(channels, dtype)
    if suffix == ".webp" and channels == 4:
        pixels[..., 3] = 7  # WebP drops the colours below full transparency
    path = tmp_path / f"image{suffix}"
    write_image(path, pixels)
    read = read_image(path)
    assert read.dtype == pixels.dtype
    np.testing.assert_array_equal(read, pixels)
    header = read_header(path)
    assert (header.height, header.width, header.channels, header.dtype) == (H, W, channels, dtype)
    assert header.bytes == pixels.nbytes
    assert header.alpha == (suffix in (".png", ".webp") and channels in (2, 4))
    assert list(tmp_path.iterdir()) == [path]


def test_sixteen_bit_rgb_png_of_another_writer(tmp_path: Path) -> None:
    """Pillow reads such a file as 8 bit: the low byte must survive."""
    pixels = noise(3, "uint16")
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), pixels)


def test_jpeg_is_close(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(H), np.arange(W)).astype(np.uint8)[..., None].repeat(3, -1) * 3
    write_image(tmp_path / "a.jpg", ramp)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - ramp).max() <= 4


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr"])
def test_other_modes_become_colours(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(noise(3, "uint8")).convert(mode)
    path = tmp_path / ("a.png" if mode in "1P" else "a.jpg")
    image.save(path)
    expected = np.asarray(Image.open(path).convert("L" if mode == "1" else "RGB"))
    np.testing.assert_array_equal(read_image(path).squeeze(), expected)
    assert read_header(path).channels == (1 if mode == "1" else 3)


def test_palette_with_transparency_is_rgba(tmp_path: Path) -> None:
    image = Image.fromarray(noise(3, "uint8")).convert("P")
    image.save(tmp_path / "a.png", transparency=0)
    pixels = read_image(tmp_path / "a.png")
    assert pixels.shape == (H, W, 4)
    np.testing.assert_array_equal(pixels[..., 3] == 0, np.asarray(image) == 0)
    assert read_image(tmp_path / "a.png", keep_alpha=False).shape == (H, W, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_orientation_is_honoured(tmp_path: Path, suffix: str, orientation: int) -> None:
    image = Image.fromarray(noise(3, "uint8"))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(path, np.asarray(image), photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    else:
        image.save(path, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(path))
    np.testing.assert_array_equal(read_image(path), np.asarray(upright))
    assert (read_header(path).width, read_header(path).height) == upright.size


@pytest.mark.parametrize("orientation", [1, 6])
def test_sixteen_bit_png_is_turned_too(tmp_path: Path, orientation: int) -> None:
    pixels = noise(1, "uint16")
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels[..., 0]).save(tmp_path / "a.png", exif=exif)
    expected = pixels if orientation == 1 else np.rot90(pixels, -1)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("layout", ["contig", "separate", "pages", "imagej", "tiled", "bigendian"])
def test_tiff_layouts(tmp_path: Path, layout: str) -> None:
    pixels, path = noise(7, "uint16"), tmp_path / "a.tif"
    bands_first = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    if layout == "contig":
        tifffile.imwrite(path, pixels, photometric="minisblack", planarconfig="contig", compression="deflate")
    elif layout == "separate":
        tifffile.imwrite(path, bands_first, photometric="minisblack", planarconfig="separate")
    elif layout == "pages":
        tifffile.imwrite(path, bands_first, photometric="minisblack")
    elif layout == "imagej":
        tifffile.imwrite(path, bands_first, imagej=True)
    elif layout == "tiled":
        tifffile.imwrite(path, pixels, photometric="minisblack", planarconfig="contig", tile=(16, 16))
    else:
        tifffile.imwrite(path, pixels, photometric="minisblack", planarconfig="contig", byteorder=">")
    np.testing.assert_array_equal(read_image(path), pixels)
    assert read_header(path).channels == 7


def test_tiff_palette_and_inverted_grey(tmp_path: Path) -> None:
    image = Image.fromarray(noise(3, "uint8")).convert("P")
    image.save(tmp_path / "p.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "p.tif"), np.asarray(image.convert("RGB")))
    assert read_header(tmp_path / "p.tif").channels == 3
    grey = noise(1, "uint8")
    tifffile.imwrite(tmp_path / "g.tif", grey[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(read_image(tmp_path / "g.tif"), 255 - grey)


def test_alpha_in_tiff_is_known(tmp_path: Path) -> None:
    pixels = noise(4, "uint8")
    write_image(tmp_path / "rgba.tif", pixels, alpha=True)
    write_image(tmp_path / "bands.tif", pixels)
    np.testing.assert_array_equal(read_image(tmp_path / "rgba.tif", keep_alpha=False), pixels[..., :3])
    np.testing.assert_array_equal(read_image(tmp_path / "bands.tif", keep_alpha=False), pixels)


def test_float64_and_bool(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((5, 6))
    np.save(tmp_path / "f.npy", values)
    np.testing.assert_array_equal(read_image(tmp_path / "f.npy")[..., 0], values.astype(np.float32))
    np.save(tmp_path / "b.npy", values > 0.5)
    assert set(np.unique(read_image(tmp_path / "b.npy"))) == {0, 255}
    np.save(tmp_path / "i.npy", np.zeros((5, 6), np.int32))
    with pytest.raises(InputError, match=r"i\.npy.*int32.*expected uint8"):
        read_header(tmp_path / "i.npy")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp", ".npy"])
def test_a_truncated_file_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    write_image(path, noise(3, "uint8"))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match="cut"):
        read_image(path)


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"not a picture")
    (tmp_path / "a.txt").write_text("text")
    for name in ("a.png", "a.txt", "absent.png"):
        with pytest.raises(InputError, match=name):
            read_image(tmp_path / name)
        with pytest.raises(InputError, match=name):
            read_header(tmp_path / name)


@pytest.mark.parametrize(
    ("suffix", "channels", "dtype"),
    [(".png", 5, "uint8"), (".png", 3, "float32"), (".jpg", 3, "uint16"), ("", 3, "uint8")],
)
def test_a_format_that_cannot_hold_it_is_refused(tmp_path: Path, suffix: str, channels: int, dtype: str) -> None:
    with pytest.raises(InputError, match=r"write \.tif"):
        write_image(tmp_path / f"a{suffix}", noise(channels, dtype))
    assert not list(tmp_path.iterdir())


def test_an_image_of_four_hundred_megapixels_is_no_bomb(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 25000, 16000, 8, 2, 0, 0, 0)
    start = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + start + struct.pack(">I", 0) + b"IDAT" + bytes(4))
    found = read_header(tmp_path / "large.png")
    assert (found.height, found.width, found.channels) == (16000, 25000, 3)


@pytest.mark.parametrize("place", [33, -12])
def test_the_orientation_of_a_png_is_found_before_and_after_its_pixels(tmp_path: Path, place: int) -> None:
    write_image(tmp_path / "upright.png", noise(3, "uint8"))
    exif = Image.Exif()
    exif[0x0112] = 6
    content = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(content)) + b"eXIf" + content + struct.pack(">I", zlib.crc32(b"eXIf" + content))
    plain = (tmp_path / "upright.png").read_bytes()
    (tmp_path / "turned.png").write_bytes(plain[:place] + chunk + plain[place:])
    header = read_header(tmp_path / "turned.png")
    assert (header.height, header.width) == (W, H) == read_image(tmp_path / "turned.png").shape[:2]
