"""What a kernel is like, and how far two of them are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]
K = TypeVar("K")


@dataclass(frozen=True)
class Moments:
    """Of a kernel taken for a density.

    Attributes:
        centre: its centre of mass (row, column), counted from the middle of its middle pixel, K // 2.
        covariance: (2, 2), rows first, in squared HR pixels.
    """

    centre: tuple[float, float]
    covariance: Floats


def moments(kernel: Floats) -> Moments:
    """The centre of mass and the covariance of a kernel (K, K') of sum 1."""
    row, column = ndimage.center_of_mass(kernel)
    offsets = np.indices(kernel.shape) - np.array([row, column])[:, None, None]
    covariance = np.einsum("ikl,jkl,kl->ij", offsets, offsets, kernel)
    middle = [side // 2 for side in kernel.shape]
    return Moments((float(row) - middle[0], float(column) - middle[1]), covariance)


def distance(one: Floats, other: Floats) -> float:
    """The sum of absolute differences: 0 for equal kernels, 2 for two that share no pixel."""
    one, other = on_one_grid([one, other])
    return float(np.abs(one - other).sum())


def correlation(one: Floats, other: Floats) -> float:
    """The correlation of two kernels' values: 1 for equal ones."""
    one, other = on_one_grid([one, other])
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@dataclass(frozen=True)
class Repeatability:
    """How alike several estimates of one kernel are, over all pairs of them.

    Attributes:
        distance: the mean L1 distance.
        correlation: the mean correlation.
    """

    distance: float
    correlation: float


def repeatability(kernels: Sequence[Floats]) -> Repeatability:
    """Of two estimates or more."""
    pairs = list(combinations(on_one_grid(kernels), 2))
    return Repeatability(fmean(distance(*pair) for pair in pairs), fmean(correlation(*pair) for pair in pairs))


def typical(kernels: Mapping[K, Floats]) -> K:
    """The key of the kernel whose distance from all others is least; of the first, among equals."""
    return min(kernels, key=lambda one: sum(distance(kernels[one], other) for other in kernels.values()))


def on_one_grid(kernels: Sequence[Floats]) -> list[Floats]:
    """Pad all to the size of the largest, with the pixel at K // 2 of each in the same place."""
    before = [max(kernel.shape[axis] // 2 for kernel in kernels) for axis in (0, 1)]
    after = [max(kernel.shape[axis] - kernel.shape[axis] // 2 for kernel in kernels) for axis in (0, 1)]
    return [
        np.pad(
            kernel,
            [(before[i] - side // 2, after[i] - side + side // 2) for i, side in enumerate(kernel.shape)],
        )
        for kernel in kernels
    ]
