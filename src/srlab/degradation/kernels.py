"""Blur kernels from files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import io
from scipy.io.matlab import MatReadError

from srlab.data.images import SUFFIXES, read_image
from srlab.errors import InputError


def load_kernels(path: str, key: str | None = None) -> list[NDArray[np.float64]]:
    """Read one kernel (K, K) or several (N, K, K), or a MATLAB cell of them, each normalised to sum 1.

    Args:
        path: a .npy file, a .mat file of version 7 or older, or a picture of one kernel, with 0 where it is black.
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
        try:
            content = np.load(file)
        except ValueError as error:
            raise InputError(
                f"{file} is not a plain NumPy array ({error}): save it with np.save from a float array."
            ) from None
    elif file.suffix == ".mat":
        content = _read_mat(file, key)
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


def _read_mat(file: Path, key: str | None) -> NDArray[np.generic]:
    try:
        variables = {name: value for name, value in io.loadmat(file).items() if not name.startswith("__")}
    except NotImplementedError:
        raise InputError(
            f"{file} is a version 7.3 file (HDF5): save it again in MATLAB with save(..., '-v7')."
        ) from None
    except (ValueError, TypeError, MatReadError) as error:
        raise InputError(
            f"{file} is not a MATLAB file ({error}): save it again in MATLAB with save(..., '-v7')."
        ) from None
    if key is None and len(variables) == 1:
        return np.asarray(next(iter(variables.values())))
    if key not in variables:
        raise InputError(
            f"{file} has the variables {', '.join(sorted(variables))}, not {key!r}: set key to one of them."
        )
    return np.asarray(variables[key])


def _split(content: NDArray[np.generic]) -> list[NDArray[np.generic]]:
    if content.dtype == object:  # a cell array
        return [np.asarray(cell) for cell in content.flatten()]
    return [content] if content.ndim == 2 else list(content)
