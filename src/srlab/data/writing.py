"""Write images in the depth that they have, atomically: a reader sees the whole file or none."""

from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from srlab.data.pixels import channels_last, standard_depth
from srlab.errors import InputError
from srlab.files import write_atomically
from srlab.types import Pixels

# 4:4:4 and little quantisation: an enlarged image that lost its detail to the file format would be in vain.
JPEG = {"quality": 95, "subsampling": 0}


def write_image(path: str | Path, pixels: Pixels, alpha: bool = False) -> None:
    """Write (H, W) or (H, W, C) in its own depth; the suffix of `path` decides the format.

    PNG holds uint8 and uint16 with 1 to 4 channels (2 and 4: alpha), JPEG, WebP and BMP uint8 grey and RGB (WebP also
    RGBA, lossless), TIFF and .npy everything. What a format cannot hold is refused, never converted.
    `alpha`: the last channel is alpha; only a TIFF file needs to be told, whose fourth channel may be a band.
    """
    path = Path(path)
    content = _encode(path, standard_depth(channels_last(pixels)), alpha)
    write_atomically(path, lambda file: file.write(content))


def refuse_unfit(path: Path, dtype: np.dtype[np.generic], channels: int) -> None:
    """Refuse an image that the format of `path` cannot hold (`InputError`)."""
    suffix, depth = path.suffix.lower(), dtype.name
    fits = {
        ".tif": True,
        ".tiff": True,
        ".npy": True,
        ".png": depth != "float32" and channels <= 4,
        ".jpg": depth == "uint8" and channels in (1, 3),
        ".jpeg": depth == "uint8" and channels in (1, 3),
        ".bmp": depth == "uint8" and channels in (1, 3),
        ".webp": depth == "uint8" and channels in (1, 3, 4),
    }
    if not fits.get(suffix, False):
        raise InputError(
            f"{path}: {suffix or 'a file without suffix'} cannot hold {depth} with {channels} channels: "
            "write .tif (any depth, any bands) or .png (8 or 16 bit, 1 to 4 channels)."
        )


def _encode(path: Path, pixels: Pixels, alpha: bool) -> bytes:
    suffix = path.suffix.lower()
    _, _, channels = pixels.shape
    refuse_unfit(path, pixels.dtype, channels)
    squeezed = pixels[..., 0] if channels == 1 else pixels
    buffer = BytesIO()
    if suffix in (".tif", ".tiff"):
        _write_tiff(buffer, pixels, alpha)
    elif suffix == ".npy":
        np.save(buffer, pixels)
    elif suffix == ".png":
        return bytes(imagecodecs.png_encode(squeezed, level=6))
    elif suffix in (".jpg", ".jpeg"):
        Image.fromarray(squeezed).save(buffer, "JPEG", **JPEG)
    elif suffix == ".bmp":
        Image.fromarray(squeezed).save(buffer, "BMP")
    else:
        Image.fromarray(squeezed).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def _write_tiff(buffer: BytesIO, pixels: Pixels, alpha: bool) -> None:
    channels = pixels.shape[-1]
    if channels == 1:
        tifffile.imwrite(buffer, pixels[..., 0], photometric="minisblack")
        return
    colours = 3 if channels >= 3 and (channels == 3 or alpha) else 1
    extra = ["unspecified"] * (channels - colours)
    if alpha:
        extra[-1] = "unassalpha"
    photometric = "rgb" if colours == 3 else "minisblack"
    tifffile.imwrite(buffer, pixels, photometric=photometric, planarconfig="contig", extrasamples=extra)
