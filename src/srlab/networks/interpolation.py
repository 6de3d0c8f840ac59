"""Enlarging by interpolation inside networks, with MATLAB's kernels and borders.

An image that grows by an integer factor meets only `scale` different sets of weights (phases), the same ones at every
position. Each phase is a short sum of shifted images: exact in float32, alike on a tile and on the whole image, and
exportable. `torch.nn.functional.interpolate(mode="bicubic")` is another kernel (a = -0.75, clamped borders).
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from srlab.interpolants import KERNELS, Floats, Kernel
from srlab.networks.network import Network, require_whole
from srlab.types import Prediction

Phase = Literal["centre", "first"]
"""Where a small pixel lies among the `scale` pixels that it becomes: in their middle, as `imresize` has it and all else
here; or on the first of them, as where a blur and every scale-th pixel made it (LR[i] = blurred HR[scale i]; video's BD)."""


def kernel_named(name: str) -> tuple[Callable[[Floats], Floats], float]:
    if name not in KERNELS:
        raise ValueError(f"interpolation={name!r} is unknown: choose one of {', '.join(KERNELS)}.")
    return KERNELS[name]


@lru_cache
def phases(scale: int, kernel: str, phase: Phase = "centre") -> tuple[dict[int, float], ...]:
    """The weight of each neighbour, by its distance in small pixels, for every position within an enlarged pixel.

    Raises:
        ValueError: kernel or phase are unknown.
    """
    if phase not in ("centre", "first"):
        raise ValueError(f"phase={phase!r} is unknown: choose centre or first.")
    function, half_support = kernel_named(kernel)
    reach = math.ceil(half_support)
    result = []
    for place in range(scale):
        centre = (place + 0.5) / scale - 0.5 if phase == "centre" else place / scale
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


def enlarge_axis(image: Tensor, scale: int, kernel: str, dim: int, phase: Phase = "centre") -> Tensor:
    margin = math.ceil(kernel_named(kernel)[1])
    padded = mirror(image, margin, dim)
    rows = []
    for weights in phases(scale, kernel, phase):
        terms = [(weight, padded.narrow(dim, margin + shift, image.shape[dim])) for shift, weight in weights.items()]
        row = terms[0][0] * terms[0][1]
        for weight, shifted in terms[1:]:
            row = torch.add(row, shifted, alpha=weight)
        rows.append(row)
    return torch.stack(rows, dim + 1).flatten(dim, dim + 1)


def enlarge(image: Tensor, scale: int, kernel: str = "bicubic", phase: Phase = "centre") -> Tensor:
    """Enlarge images or features: (B, C, H, W) -> (B, C, scale H, scale W), differentiable, in the input's precision.

    Args:
        image: (B, C, H, W), any range.
        scale: a whole number, 1 or more.
        kernel: nearest, bilinear, bicubic, lanczos2 or lanczos3.
        phase: where the small pixel lies among those that it becomes.

    Raises:
        ValueError: the kernel or the phase is unknown.
    """
    return enlarge_axis(enlarge_axis(image, scale, kernel, 2, phase), scale, kernel, 3, phase)


def enlarge_halo(scale: int, kernel: str, beyond: int = 0, phase: Phase = "centre") -> int:
    """How many pixels around a small pixel its enlarged ones read, when each needs `beyond` enlarged neighbours too."""
    require_whole(scale)
    if phase == "first":  # farthest reads the neighbour of the last, whose centre is (scale - 1 + beyond) / scale
        return math.ceil((scale - 1 + beyond) / scale + kernel_named(kernel)[1]) - 1
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
        phase: where an LR pixel lies among the HR pixels that it becomes: `first` is that of video's BD.
    """

    def __init__(self, channels: int, scale: int, interpolation: Kernel = "bicubic", phase: Phase = "centre") -> None:
        super().__init__(channels, scale, multiple_of=1, halo=enlarge_halo(scale, interpolation, phase=phase))
        phases(scale, interpolation, phase)  # refuses unknown names
        self.interpolation: Kernel = interpolation
        self.phase: Phase = phase

    def predict(self, lr: Tensor) -> Prediction:
        return Prediction(enlarge(lr, self.scale, self.interpolation, self.phase), {})
