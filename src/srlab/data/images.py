"""Read image files of any kind without loss of depth: PNG, JPEG, WebP, BMP, TIFF, NumPy.

An image is an array (H, W, C): uint8, uint16, or float32 with white at 1. Orientation tags (EXIF, TIFF) are obeyed,
palettes resolved, one-bit images become 0 and 255, CMYK becomes RGB, and alpha stays as the last channel unless the
caller drops it. A float image keeps its values, even beyond [0, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srlab.data import tiff
from srlab.data.pixels import channels_last, levels_of, orient, standard_depth, to_pixels, to_tensor, with_channels
from srlab.data.writing import write_image
from srlab.errors import InputError
from srlab.types import Pixels

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".npy"})

__all__ = [
    "SUFFIXES",
    "Header",
    "find_images",
    "levels_of",
    "read_header",
    "read_image",
    "to_pixels",
    "to_tensor",
    "with_channels",
    "write_image",
]

Image.MAX_IMAGE_PIXELS = None  # large images are what srlab is for, and a file is its user's own: no bomb

T = TypeVar("T")

_EXIF_ORIENTATION = 0x0112
# Pillow's mode -> channels in our array; a mode that is not here is converted to RGB.
_CHANNELS = {"1": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "I;16": 1}
_ALPHA = {"LA", "PA", "RGBA"}


@dataclass(frozen=True)
class Header:
    """What an image file says of itself before it is decoded, the way `read_image` would return it.

    Attributes:
        height, width: after the orientation tag.
        channels: alpha included.
        dtype: "uint8", "uint16" or "float32".
        alpha: whether the last channel is alpha.
    """

    height: int
    width: int
    channels: int
    dtype: str
    alpha: bool = False

    @classmethod
    def of(cls, pixels: Pixels) -> "Header":
        """What a file of an image (H, W, C) without alpha would say."""
        height, width, channels = pixels.shape
        return cls(height, width, channels, pixels.dtype.name)

    def without_alpha(self) -> "Header":
        return Header(self.height, self.width, self.channels - self.alpha, self.dtype)

    @property
    def bytes(self) -> int:
        """Size of the decoded array."""
        return self.height * self.width * self.channels * np.dtype(self.dtype).itemsize


def find_images(root: str | Path, recursive: bool = True) -> list[Path]:
    """The image files in a folder, sorted; or the one file that `root` is. Hidden files and folders are passed over.

    Raises:
        InputError: there is no such folder, or no image in it.
    """
    root = Path(root)
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise InputError(
            f"{root}: there is no such file or folder. Give the path of an image, or of a folder of images."
        )
    found = sorted(
        path
        for path in root.glob("**/*" if recursive else "*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    if not found:
        raise InputError(f"{root}: holds no image ({', '.join(sorted(SUFFIXES))}). Give a folder that does.")
    return found


def read_image(path: str | Path, keep_alpha: bool = True) -> Pixels:
    """Decode a file to (H, W, C) uint8, uint16 or float32; raise `InputError` that names it where that fails.

    `keep_alpha=False` drops what the file itself calls alpha: the colours below it are taken as they are stored.
    """
    path = Path(path)
    pixels, alpha = _guarded(path, _read)
    return pixels[..., :-1] if alpha and not keep_alpha else pixels


def read_samples(path: str | Path) -> NDArray[np.generic]:
    """Decode a TIFF file to (H, W, C) in whatever samples it stores, without alpha; `InputError` where that fails."""
    samples, alpha = _guarded(Path(path), tiff.read)
    return samples[..., :-1] if alpha else samples


def read_header(path: str | Path) -> Header:
    """Read the size and kind of a file without decoding its pixels; raise `InputError` where that fails."""
    return _guarded(Path(path), _header)


def _guarded(path: Path, read: Callable[[Path], T]) -> T:
    """Run a reader; decoders raise a dozen kinds of error, the caller needs one that names the file."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: not an image file that can be read; expected one of {', '.join(sorted(SUFFIXES))}.")
    try:
        return read(path)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(f"{path}: cannot be read: {error}.") from error


def _read(path: Path) -> tuple[Pixels, bool]:
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        array, alpha = tiff.read(path)
        return standard_depth(array), alpha
    if suffix == ".npy":
        return standard_depth(channels_last(np.load(path, allow_pickle=False))), False
    with Image.open(path) as image:
        alpha = _has_alpha(image)
        orientation = image.getexif().get(_EXIF_ORIENTATION, 1)
        if image.format == "PNG" and _png_bits(path) == 16:
            array = imagecodecs.png_decode(path.read_bytes())  # Pillow cuts 16-bit colours to 8 bits
        else:
            mode = _target_mode(image)
            array = np.asarray(image if image.mode == mode else image.convert(mode))  # or it would copy itself
    return standard_depth(orient(channels_last(array), orientation)), alpha


def _header(path: Path) -> Header:
    suffix = path.suffix.lower()
    if suffix in (".tif", ".tiff"):
        height, width, channels, dtype, alpha = tiff.header(path)
        return Header(height, width, channels, _depth(dtype), alpha)
    if suffix == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        height, width, channels = channels_last(array).shape
        return Header(height, width, channels, _depth(array.dtype))
    with Image.open(path) as image:
        width, height = image.size
        if exif_of(image, path).get(_EXIF_ORIENTATION, 1) >= 5:
            height, width = width, height
        deep = image.format == "PNG" and _png_bits(path) == 16
        channels = _png_channels(path) if deep else _CHANNELS[_target_mode(image)]
        return Header(height, width, channels, "uint16" if deep or image.mode == "I;16" else "uint8", _has_alpha(image))


def _target_mode(image: Image.Image) -> str:
    """The mode to convert to: its own if our array can hold it."""
    if image.mode in _CHANNELS:
        return image.mode
    return "RGBA" if _has_alpha(image) else "RGB"


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in _ALPHA or (image.mode == "P" and "transparency" in image.info)


def exif_of(image: Image.Image, path: Path) -> Image.Exif:
    """The EXIF of an opened file, of a PNG without decoding it where no text comes after its pixels."""
    plain = image.format == "PNG" and not _png_ends_with_text(path)
    return Image.Image.getexif(image) if plain else image.getexif()  # Pillow's own for PNG decodes all to look there


def _png_ends_with_text(path: Path) -> bool:
    """Whether a chunk that may hold EXIF comes after the first of the pixels."""
    after = False
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            after = after or head[4:] == b"IDAT"
            if after and head[4:] in {b"eXIf", b"iTXt", b"tEXt", b"zTXt"}:
                return True
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    return False


def _png_bits(path: Path) -> int:
    """Bits a sample, from the IHDR chunk (PNG specification, section 11.2.2): byte 24 of the file."""
    with path.open("rb") as file:
        return file.read(25)[24]


def _png_channels(path: Path) -> int:
    """Channels from IHDR's colour type, byte 25: grey, RGB, palette, grey and alpha, RGBA."""
    with path.open("rb") as file:
        return {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}[file.read(26)[25]]


def _depth(dtype: np.dtype[np.generic]) -> str:
    """The dtype that a file of `dtype` samples is read as."""
    return standard_depth(np.empty(0, dtype)).dtype.name
