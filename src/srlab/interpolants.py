"""The kernels of image interpolation, as MATLAB has them (Keys 1981 for the cubic, Duchon 1979 for Lanczos).

Each maps distances in pixels, of any shape, to weights, which its user normalises. They are NumPy's: weights are
constants of a network, and must stay so where torch traces it.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Kernel = Literal["nearest", "bilinear", "bicubic", "lanczos2", "lanczos3"]
Floats = NDArray[np.float64]


def box(x: Floats) -> Floats:
    return ((x >= -0.5) & (x < 0.5)).astype(np.float64)


def triangle(x: Floats) -> Floats:
    return np.where(np.abs(x) < 1, 1 - np.abs(x), 0.0)


def cubic(x: Floats) -> Floats:
    a = np.abs(x)
    near = 1.5 * a**3 - 2.5 * a**2 + 1
    far = -0.5 * a**3 + 2.5 * a**2 - 4 * a + 2
    return np.where(a <= 1, near, np.where(a <= 2, far, 0.0))


def lanczos2(x: Floats) -> Floats:
    return np.where(np.abs(x) < 2, np.sinc(x) * np.sinc(x / 2), 0.0)


def lanczos3(x: Floats) -> Floats:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


KERNELS: dict[str, tuple[Callable[[Floats], Floats], float]] = {
    "nearest": (box, 0.5),
    "bilinear": (triangle, 1.0),
    "bicubic": (cubic, 2.0),
    "lanczos2": (lanczos2, 2.0),
    "lanczos3": (lanczos3, 3.0),
}
"""Each kernel's function and half its support."""
