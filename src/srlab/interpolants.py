"""The kernels of image interpolation, as MATLAB has them (Keys 1981 for the cubic, Duchon 1979 for Lanczos).

Each maps distances in pixels, of any shape, to weights, which its user normalises.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Kernel = Literal["nearest", "bilinear", "bicubic", "lanczos2", "lanczos3"]


def box(x: Tensor) -> Tensor:
    return ((x >= -0.5) & (x < 0.5)).to(x.dtype)


def triangle(x: Tensor) -> Tensor:
    return (1 - x.abs()).clamp(min=0)


def cubic(x: Tensor) -> Tensor:
    a = x.abs()
    near = 1.5 * a**3 - 2.5 * a**2 + 1
    far = -0.5 * a**3 + 2.5 * a**2 - 4 * a + 2
    return torch.where(a <= 1, near, torch.where(a <= 2, far, torch.zeros_like(a)))


def lanczos2(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 2, torch.sinc(x) * torch.sinc(x / 2), torch.zeros_like(x))


def lanczos3(x: Tensor) -> Tensor:
    return torch.where(x.abs() < 3, torch.sinc(x) * torch.sinc(x / 3), torch.zeros_like(x))


KERNELS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "nearest": (box, 0.5),
    "bilinear": (triangle, 1.0),
    "bicubic": (cubic, 2.0),
    "lanczos2": (lanczos2, 2.0),
    "lanczos3": (lanczos3, 3.0),
}
"""Each kernel's function and half its support."""
