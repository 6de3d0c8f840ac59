"""Read cubes, images of many bands: MATLAB, NumPy, TIFF and ENVI files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlab.data.images import SUFFIXES, read_image
from srlab.data.pixels import channels_last
from srlab.data.variables import read_mat, read_npy
from srlab.errors import InputError


def read_cube(path: str | Path, key: str | None = None, size: Sequence[int] | None = None) -> NDArray[Any]:
    """The values of a file as they are stored: (H, W, C), or (H, W, 1) for a single band.

    Args:
        path: .mat, .npy, .hdr (ENVI; the header, its data beside it), or any image file.
        key: the variable in a .mat file; None: the only one.
        size: H and W, for a file that holds a table (C, H W) whose pixels go down the columns, as MATLAB counts them.

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
        content = _read_envi(file)
    elif suffix in SUFFIXES:
        content = read_image(file, keep_alpha=False)
    else:
        raise InputError(f"{file} is no .mat, .npy, .hdr or image file: convert it to one of these.")
    if content.dtype.kind not in "uif":
        raise InputError(
            f"{file}: its samples are {content.dtype}, expected numbers: set data.scene.key to the cube's variable."
        )
    if size is not None:
        height, width = size
        if content.ndim != 2 or content.shape[1] != height * width:
            raise InputError(
                f"{file}: its shape is {content.shape}, expected (C, {height} x {width}): see data.scene.size."
            )
        content = content.reshape(-1, width, height).transpose(2, 1, 0)
    try:
        return channels_last(content)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


def _read_envi(header: Path) -> NDArray[Any]:
    try:
        from spectral.io import envi
    except ImportError:
        raise InputError(f"{header} is an ENVI file: pip install 'srlab[hyperspectral]' to read it.") from None
    try:
        return np.asarray(envi.open(str(header)).load())
    except (envi.EnviException, ValueError, OSError) as error:
        raise InputError(f"{header} is no ENVI file that can be read ({error}).") from None
