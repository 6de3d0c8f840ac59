"""How one image at hand is thought to have been reduced: a fixed kernel, through which a loss at the LR size has a gradient.

A degradation makes LR files, in their depth and with what a camera adds to them. A reduction is the linear part of it
alone: LR[i] = sum_j kernel[j] HR[scale i + j - K // 2], as in `srlab.degradation.blur`, in float32.
"""

import math
from abc import ABC
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.borders import Borders
from srlab.degradation.bd import gaussian_taps
from srlab.degradation.blur import centred, kernel_shift
from srlab.degradation.kernels import load_kernels
from srlab.degradation.resize import pad, resize
from srlab.interpolants import KERNELS, Kernel

Size = tuple[int, int]


class Reduction(nn.Module, ABC):
    """HR -> LR by a kernel in the position in which it acts: (B, C, H, W) -> (B, C, ceil(H / scale), ceil(W / scale)).

    Args:
        scale: HR pixels per LR pixel.
        kernel: (K, K), K odd, sum 1.
        borders: how HR goes on beyond them.

    Attributes:
        stretches: whether `to_size` takes other factors than the scale.
    """

    kernel: Tensor
    stretches = False

    def __init__(self, scale: int, kernel: Tensor, borders: Borders = "symmetric") -> None:
        super().__init__()
        if borders not in get_args(Borders):
            raise ValueError(f"reduction.borders={borders!r}: choose one of {', '.join(get_args(Borders))}.")
        self.scale, self.borders = scale, borders
        self.register_buffer("kernel", kernel.float(), persistent=False)

    def see(self, lr: Tensor) -> None:
        """Shown the LR image (1, C, h, w) before training begins: for kernels that are estimated from it."""

    def forward(self, hr: Tensor) -> Tensor:
        radius = self.kernel.shape[-1] // 2
        with torch.autocast(hr.device.type, enabled=False):
            hr = hr.float()
            padded = pad(hr, radius, self.borders)
            weights = self.kernel.expand(hr.shape[1], 1, -1, -1)
            return F.conv2d(padded, weights, stride=self.scale, groups=hr.shape[1])

    def to_size(self, image: Tensor, size: Size) -> Tensor:
        """Reduce to a size: by the scale, or, where the kernel can be stretched, by any factors.

        Raises:
            ValueError: the kernel is for one scale, and the size asks for another.
        """
        if size != (math.ceil(image.shape[-2] / self.scale), math.ceil(image.shape[-1] / self.scale)):
            raise ValueError(
                f"a kernel for x{self.scale} cannot reduce {tuple(image.shape[-2:])} to {size}: steps of other factors "
                f"need reduction=bicubic."
            )
        reduced: Tensor = self(image)
        return reduced


class Interpolating(Reduction):
    """Antialiased interpolation, as MATLAB's `imresize` reduces a float image.

    Args:
        scale: HR pixels per LR pixel.
        kernel: bicubic, the classical protocol's; lanczos2, with borders `replicate`, is the deep image prior's.
        borders: see `Reduction`.
    """

    stretches = True

    def __init__(self, scale: int, kernel: Kernel = "bicubic", borders: Borders = "symmetric") -> None:
        super().__init__(scale, stretched(kernel, scale), borders)
        self.interpolant: Kernel = kernel

    def to_size(self, image: Tensor, size: Size) -> Tensor:
        return resize(image, size=size, kernel=self.interpolant, borders=self.borders)


class GivenKernel(Reduction):
    """A kernel from a file, as a calibration or an estimate gave it.

    Args:
        scale: HR pixels per LR pixel.
        path: .npy, .mat, or a picture of it.
        key: the variable in a .mat file.
        index: which of the file's kernels.
        shift: move the centre of mass to where the scale needs it. False takes the kernel as it is.
        borders: see `Reduction`.
    """

    def __init__(
        self,
        scale: int,
        path: str,
        key: str | None = None,
        index: int = 0,
        shift: bool = True,
        borders: Borders = "symmetric",
    ) -> None:
        kernels = load_kernels(path, key)
        if not 0 <= index < len(kernels):
            raise ValueError(f"reduction.index={index}: {path} has kernels 0 to {len(kernels) - 1}.")
        super().__init__(scale, acting(kernels[index], scale, shift), borders)


class Sampled(Reduction):
    """A Gaussian, then every scale-th pixel from the first on: BD of the video papers, as in `srlab.degradation.bd`.

    Args:
        scale: HR pixels per LR pixel.
        sigma: in HR pixels: 1.6, or 1.5 of FRVSR and TecoGAN.
        kernel_size: K, odd.
        borders: see `Reduction`.
    """

    def __init__(self, scale: int, sigma: float = 1.6, kernel_size: int = 13, borders: Borders = "replicate") -> None:
        taps = torch.tensor(gaussian_taps(kernel_size, sigma), dtype=torch.float64)
        super().__init__(scale, torch.outer(taps, taps), borders)


def acting(kernel: NDArray[np.float64], scale: int, shift: bool = True) -> Tensor:
    """A kernel (K, K') as it acts at a scale: square and odd, its centre of mass where the scale needs it."""
    moved = kernel_shift(kernel, scale) if shift else kernel
    return centred(moved, max(side + 1 - side % 2 for side in moved.shape))


def stretched(kernel: Kernel, scale: int) -> Tensor:
    """The kernel (K, K) with which `imresize` reduces by a whole factor: sampled where it acts, sum 1."""
    if kernel not in KERNELS:
        raise ValueError(f"reduction.kernel={kernel!r}: choose one of {', '.join(KERNELS)}.")
    function, half_support = KERNELS[kernel]
    centre = (scale - 1) / 2
    radius = math.floor(centre + half_support * scale)
    taps = function((np.arange(-radius, radius + 1) - centre) / scale)
    taps = taps / taps.sum()
    return torch.from_numpy(np.outer(taps, taps))
