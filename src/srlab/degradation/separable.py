"""Reduction by a separable kernel that acts where its taps stand: LR[i] = sum_k taps[k] HR[scale i + k - K // 2]."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from srlab.borders import Borders, inside
from srlab.degradation.rounding import accurate_dtype


def reduce_by(hr: Tensor, taps: Sequence[float], scale: int, borders: Borders) -> Tensor:
    """Filter both axes and keep every scale-th pixel: (..., H, W) -> (..., ceil(H / scale), ceil(W / scale)).

    It runs in float64, one tap after the other, so that a pixel is alike in a window and in the whole image; gradients
    pass.

    Args:
        hr: floating.
        taps: (K,), K odd, sum 1.
        scale: HR pixels per LR pixel.
        borders: how the image goes on beyond them.
    """
    image = hr.to(accurate_dtype(hr.device))
    for axis in (-2, -1):
        image = _reduce_axis(image, taps, scale, borders, axis)
    return image.to(hr.dtype)


def _reduce_axis(image: Tensor, taps: Sequence[float], scale: int, borders: Borders, axis: int) -> Tensor:
    length, radius = image.shape[axis], len(taps) // 2
    reduced = torch.zeros_like(image.narrow(axis, 0, -(-length // scale)))
    for offset, weight in enumerate(taps, start=-radius):
        if weight:
            places = inside(np.arange(offset, offset + length, scale), length, borders)
            reduced = reduced + weight * image.index_select(axis, torch.from_numpy(places).to(image.device))
    return reduced
