"""Read cubes, images of many bands: MATLAB, NumPy, TIFF and ENVI files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlab.data.envi import envi_header, read_envi
from srlab.data.images import SUFFIXES, read_image, read_samples
from srlab.data.pixels import channels_last
from srlab.data.variables import read_mat, read_npy
from srlab.errors import InputError


def read_cube(path: str | Path, key: str | None = None, size: Sequence[int] | None = None) -> NDArray[Any]:
    """The values of a file as they are stored: (H, W, C), or (H, W, 1) for a single band.

    Args:
        path: .mat, .npy, ENVI (the header, .hdr, or the data it stands beside), TIFF of any samples, or another image file.
        key: the variable in a .mat file, `structure.field` for one within a structure; None: the only one.
        size: H and W, for a file whose bands are not the last axis, or that holds a table (C, H W) whose pixels go down
            the columns, as MATLAB counts them.

    Raises:
        InputError: there is no such file, it cannot be read, or it holds no cube.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise InputError(f"a cube is expected in {file}, which does not exist: set data.scene.path.")
    suffix = file.suffix.lower()
    if suffix == ".mat":
        content = read_mat(file, key)
    elif suffix == ".npy":
        content = read_npy(file)
    elif suffix == ".hdr":
        content = read_envi(file)
    elif suffix in (".tif", ".tiff"):
        content = read_samples(file)
    elif suffix in SUFFIXES:
        content = read_image(file, keep_alpha=False)
    elif header := envi_header(file):
        content = read_envi(header, file)
    else:
        raise InputError(
            f"{file} is no .mat, .npy, .hdr or image file, and has no ENVI header beside it: convert it to one of these."
        )
    if content.dtype.kind not in "uif":
        raise InputError(
            f"{file}: its samples are {content.dtype}, expected numbers: set data.scene.key to the cube's variable."
        )
    try:
        return channels_last(content if size is None else _arranged(content, *size))
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _arranged(content: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Bands on any axis, or (C, H W) down the columns -> (H, W, C); (H, W) stays."""
    shape = content.shape
    if shape == (height, width):
        return content
    if content.ndim == 2 and shape[1] == height * width:
        return content.reshape(-1, width, height).transpose(2, 1, 0)
    for axis in (2, 0, 1) if content.ndim == 3 else ():
        if shape[:axis] + shape[axis + 1 :] == (height, width):
            return np.moveaxis(content, axis, -1)
    raise InputError(
        f"its shape is {shape}, expected (C, {height} x {width}), or {height} and {width} beside an axis of bands: see "
        f"data.scene.size."
    )
