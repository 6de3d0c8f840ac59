"""Blur kernels from files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srlab.data.images import SUFFIXES, read_image
from srlab.data.variables import read_mat, read_npy
from srlab.errors import InputError


def load_kernels(path: str, key: str | None = None) -> list[NDArray[np.float64]]:
    """Read one kernel (K, K) or several (N, K, K), or a MATLAB cell of them, each normalised to sum 1.

    Args:
        path: a .npy file, a .mat file, or a picture of one kernel, with 0 where it is black.
        key: the variable in a .mat file; the only one when None.

    Raises:
        InputError: for a file that cannot be read, has several variables and no key, or holds no kernels.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(
            f"kernels are expected in the file {file}, which does not exist: set path to a .npy or .mat file."
        )
    if file.suffix == ".npy":
        content = read_npy(file)
    elif file.suffix == ".mat":
        content = read_mat(file, key)
    elif file.suffix.lower() in SUFFIXES:
        content = read_image(file, keep_alpha=False).mean(axis=-1)
    else:
        raise InputError(
            f"kernels are expected in a .npy or .mat file or in a picture, got {file.name}: convert it with np.save."
        )
    kernels = [np.asarray(kernel, dtype=np.float64) for kernel in _split(content)]
    for kernel in kernels:
        if kernel.ndim != 2 or not np.isfinite(kernel).all() or kernel.sum() <= 0:
            raise InputError(
                f"{file} holds an array {kernel.shape} that is no blur kernel: expected (K, K), finite, sum > 0."
            )
    return [kernel / kernel.sum() for kernel in kernels]


def _split(content: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    if content.dtype == object:  # a cell array
        return [np.asarray(cell) for cell in content.flatten()]
    return [content] if content.ndim == 2 else list(content)
