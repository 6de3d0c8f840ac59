"""Enlarging by interpolation inside networks, with MATLAB's kernels and borders.

An image that grows by an integer factor meets only `scale` different sets of weights (phases), the same ones at every
position. Each phase is a short sum of shifted images: exact in float32, alike on a tile and on the whole image, and
exportable. `torch.nn.functional.interpolate(mode="bicubic")` is another kernel (a = -0.75, clamped borders).
"""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from srlab.interpolants import KERNELS, Floats, Kernel
from srlab.networks.network import Network, require_whole
from srlab.types import Prediction


def kernel_named(name: str) -> tuple[Callable[[Floats], Floats], float]:
    if name not in KERNELS:
        raise ValueError(f"interpolation={name!r} is unknown: choose one of {', '.join(KERNELS)}.")
    return KERNELS[name]


@lru_cache
def phases(scale: int, kernel: str) -> tuple[dict[int, float], ...]:
    """The weight of each neighbour, by its distance in small pixels, for every position within an enlarged pixel."""
    function, half_support = kernel_named(kernel)
    reach = math.ceil(half_support)
    result = []
    for phase in range(scale):
        centre = (phase + 0.5) / scale - 0.5
        shifts = np.arange(-reach, reach + 1)
        weights = function(shifts.astype(np.float64) - centre)
        weights /= weights.sum()
        result.append({s: w for s, w in zip(shifts.tolist(), weights.tolist(), strict=True) if w})
    return tuple(result)


def mirror(image: Tensor, margin: int, dim: int) -> Tensor:
    """Extend an image on both ends of one axis by its mirror image, the edge pixel included (MATLAB's 'symmetric')."""
    size = image.shape[dim]
    index = torch.arange(-margin, size + margin, device=image.device)
    index = index - torch.div(index, 2 * size, rounding_mode="floor") * (2 * size)  # ONNX has no % by a free size
    return image.index_select(dim, torch.where(index < size, index, 2 * size - 1 - index))


def enlarge_axis(image: Tensor, scale: int, kernel: str, dim: int) -> Tensor:
    margin = math.ceil(kernel_named(kernel)[1])
    padded = mirror(image, margin, dim)
    rows = []
    for weights in phases(scale, kernel):
        terms = [(weight, padded.narrow(dim, margin + shift, image.shape[dim])) for shift, weight in weights.items()]
        row = terms[0][0] * terms[0][1]
        for weight, shifted in terms[1:]:
            row = torch.add(row, shifted, alpha=weight)
        rows.append(row)
    return torch.stack(rows, dim + 1).flatten(dim, dim + 1)


def enlarge(image: Tensor, scale: int, kernel: str = "bicubic") -> Tensor:
    """Enlarge images or features: (B, C, H, W) -> (B, C, scale H, scale W), differentiable, in the input's precision.

    Args:
        image: (B, C, H, W), any range.
        scale: a whole number, 1 or more.
        kernel: nearest, bilinear, bicubic, lanczos2 or lanczos3.

    Raises:
        ValueError: the kernel is unknown.
    """
    return enlarge_axis(enlarge_axis(image, scale, kernel, 2), scale, kernel, 3)


def enlarge_halo(scale: int, kernel: str, beyond: int = 0) -> int:
    """How many pixels around a small pixel its enlarged ones read, when each needs `beyond` enlarged neighbours too."""
    require_whole(scale)
    # The first enlarged pixel of cell 0, `beyond` to the left, has its centre at (0.5 - beyond) / scale - 0.5 and reads
    # the whole numbers above centre - half_support; by symmetry the last one reads as far to the right.
    half_support = kernel_named(kernel)[1]
    numerator = 2 * beyond - 1 + scale + round(2 * half_support) * scale
    return -(-numerator // (2 * scale)) - 1


class Interpolation(Network):
    """The training-free baseline: (B, C, H, W) -> (B, C, scale H, scale W), without parameters.

    Args:
        channels: C.
        scale: the factor, a whole number.
        interpolation: nearest, bilinear, bicubic, lanczos2 or lanczos3.
    """

    def __init__(self, channels: int, scale: int, interpolation: Kernel = "bicubic") -> None:
        super().__init__(channels, scale, multiple_of=1, halo=enlarge_halo(scale, interpolation))
        self.interpolation: Kernel = interpolation

    def predict(self, lr: Tensor) -> Prediction:
        return Prediction(enlarge(lr, self.scale, self.interpolation), {})
