"""Arrays from MATLAB's and NumPy's files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import io
from scipy.io.matlab import MatReadError

from srlab.errors import InputError


def read_mat(file: Path, key: str | None) -> NDArray[Any]:
    """A variable of a .mat file.

    Args:
        file: of any version; those of version 7.3 take the extra `hyperspectral`.
        key: the variable's name, `structure.field` for one within a structure; None: the only one.

    Raises:
        InputError: the file cannot be read, or has no such variable, or several and no key.
    """
    try:
        variables = _fields({name: value for name, value in io.loadmat(file).items() if not name.startswith("__")})
    except NotImplementedError:
        variables = _read_hdf5(file)
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


def read_npy(file: Path) -> NDArray[Any]:
    """The array in a .npy file.

    Raises:
        InputError: it holds none.
    """
    try:
        content: NDArray[Any] = np.load(file)
    except ValueError as error:
        raise InputError(
            f"{file} is not a plain NumPy array ({error}): save it with np.save from a float array."
        ) from None
    return content


def _read_hdf5(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a .mat file of version 7.3, which stores them with their axes reversed."""
    try:
        import h5py
    except ImportError:
        raise InputError(
            f"{file} is a version 7.3 file (HDF5): pip install 'srlab[hyperspectral]', or save it again in MATLAB with "
            f"save(..., '-v7')."
        ) from None
    variables: dict[str, NDArray[Any]] = {}

    def keep(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and not name.startswith("#"):  # what cells refer to
            variables[name.replace("/", ".")] = np.asarray(node).T

    with h5py.File(file) as content:
        content.visititems(keep)
    return variables


def _fields(variables: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """All that are no structures, and the fields of those that are: structure.field."""
    found: dict[str, NDArray[Any]] = {}
    for name, value in variables.items():
        if value.dtype.names and value.size == 1:
            fields = {field: np.asarray(value.ravel()[0][field]) for field in value.dtype.names}
            found |= _fields({f"{name}.{field}": content for field, content in fields.items()})
        else:
            found[name] = value
    return found
