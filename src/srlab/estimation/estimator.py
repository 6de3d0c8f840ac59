"""What every kernel estimator is: one LR image in, the kernel that reduced it out."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlab.degradation.blur import kernel_shift
from srlab.errors import InputError

Floats = NDArray[np.float64]


class KernelEstimator(ABC):
    """A base: call it with an LR image. A subclass implements `estimate`.

    Attributes:
        scales: the factors for which it has an estimate.
        least: pixels that an image needs on each side.
    """

    scales: tuple[int, ...]
    least: int

    def __call__(self, lr: Tensor, scale: int, seed: int = 0) -> Floats:
        """The kernel through which `lr` came from its unknown HR image.

        An image cannot tell a shift of its kernel from one of its scene, so the kernel is returned centred: with its
        centre of mass where the scale needs it (see `srlab.degradation.blur`).

        Args:
            lr: (C, H, W) in [0, 1].
            scale: HR pixels per LR pixel.
            seed: of whatever the method draws.

        Returns:
            (K, K), K odd, sum 1.

        Raises:
            InputError: the image is too small, or the same everywhere, or the method has nothing for the scale.
        """
        self.check_scale(scale)
        check_image(lr, self.least)
        return centred(self.estimate(lr, scale, seed), scale)

    def check_scale(self, scale: int) -> None:
        """Refuse a factor for which there is no estimate (`InputError`)."""
        if scale not in self.scales:
            listing = ", ".join(map(str, self.scales))
            raise InputError(
                f"scale={scale}: {type(self).__name__} estimates kernels for {listing}: choose one of them."
            )

    @abstractmethod
    def estimate(self, lr: Tensor, scale: int, seed: int) -> Floats:
        """The kernel (K, K) of an image that fits, of any sum, its centre not yet moved."""


def check_image(lr: Tensor, least: int) -> None:
    """Refuse an image that tells nothing of its kernel (`InputError`)."""
    if lr.ndim != 3 or min(lr.shape[1:]) < least:
        raise InputError(
            f"an image of {tuple(lr.shape)} is too small to tell its kernel: give one of {least} x {least} pixels or more."
        )
    if not bool(torch.isfinite(lr).all()) or float(lr.std()) < 1e-3:
        raise InputError(
            "the image is the same everywhere, or not finite: a kernel is told by edges. Give a photograph."
        )


def centred(kernel: Floats, scale: int) -> Floats:
    """A kernel with nothing negative, sum 1, its centre of mass where the scale needs it: (K, K) -> (K', K')."""
    kernel = np.clip(kernel, 0, None)
    return kernel_shift(kernel / kernel.sum(), scale)


def composed(kernel: Floats, times: int = 2) -> Floats:
    """The kernel of two equal reductions by `times`, one after the other: (K, K) -> ((times + 1) (K - 1) + 1, ...).

    The second one's pixels are `times` apart in the image that the first is given: it is dilated, and convolved with
    the first (KernelGAN, supplementary material: the kernel for x4 from that for x2).
    """
    size = len(kernel)
    whole = np.zeros(((times + 1) * (size - 1) + 1,) * 2)
    for row in range(size):
        for column in range(size):
            whole[times * row : times * row + size, times * column : times * column + size] += (
                kernel[row, column] * kernel
            )
    return whole
