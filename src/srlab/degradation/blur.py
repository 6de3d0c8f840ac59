"""Blur by a kernel, then every scale-th pixel: LR[i] = sum_j kernel[j] HR[scale i + j - K // 2].

The centre of an LR pixel lies at (scale - 1) / 2 in the HR pixel grid, counted from the pixel that is kept. So the
kernel's centre of mass has to lie at K // 2 + (scale - 1) / 2, or the LR image, and all that is learned from it, is
shifted. (This is the `kernel_shift` of the zero-shot literature, K // 2 + (scale - K % 2) / 2 for odd K, with an
*integer* division; with a true division it is half a pixel off. An even K is taken as odd, with a row and a column of
zeros after it.)
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from srlab.degradation.base import Degradation, Degraded, Range, as_range, draw, generators, round_up
from srlab.degradation.kernels import load_kernels
from srlab.degradation.resize import pad
from srlab.degradation.rounding import accurate_dtype


def blur(hr: Tensor, kernels: Tensor, scale: int = 1) -> Tensor:
    """Correlate each image with its kernel and keep every scale-th pixel: (B, C, H, W) -> (B, C, ceil(H / scale), ...).

    Args:
        hr: floating; mirrored at its borders.
        kernels: (B, K, K) or (1, K, K), K odd, sum 1, in the position in which they are to act (see `kernel_shift`).
        scale: HR pixels per LR pixel.

    The taps are added one after the other in float64: faster than torch's float64 convolution on a CPU, and an LR
    pixel does not depend on where in a window it lies, which convolutions in float32 do not promise.
    """
    size = kernels.shape[-1]
    radius = size // 2
    dtype = accurate_dtype(hr.device)
    height, width = (math.ceil(n / scale) for n in hr.shape[-2:])
    padded = pad(hr.to(dtype), radius)
    phases = [[padded[..., row::scale, column::scale].contiguous() for column in range(scale)] for row in range(scale)]
    weights = kernels.to(padded)[:, :, :, None, None, None]
    lr = hr.new_zeros(*hr.shape[:2], height, width, dtype=dtype)
    for row in range(size):
        for column in range(size):
            phase = phases[row % scale][column % scale][..., row // scale :, column // scale :]
            lr = lr.addcmul(phase[..., :height, :width], weights[:, row, column])
    return lr.to(hr.dtype)


def gaussian_kernel(size: int, sigma_x: float, sigma_y: float, angle: float = 0.0, scale: int = 1) -> Tensor:
    """A Gaussian sampled where it is to act for `scale`: (K, K) float64, sum 1.

    Args:
        size: K, odd.
        sigma_x: standard deviation along the kernel's first axis, in HR pixels; along columns (to the right) at angle
            0.
        sigma_y: standard deviation across it.
        angle: of the first axis, in radians, from the right towards the bottom.
        scale: HR pixels per LR pixel, which decides the centre.
    """
    offset = torch.arange(size, dtype=torch.float64) - size // 2 - (scale - 1) / 2
    y, x = torch.meshgrid(offset, offset, indexing="ij")
    along = math.cos(angle) * x + math.sin(angle) * y
    across = math.cos(angle) * y - math.sin(angle) * x
    kernel = torch.exp(-0.5 * ((along / sigma_x) ** 2 + (across / sigma_y) ** 2))
    return kernel / kernel.sum()


def kernel_shift(kernel: NDArray[np.float64], scale: int) -> NDArray[np.float64]:
    """Move a kernel's centre of mass to where `scale` needs it: (K, K) -> (K', K'), K' odd and >= K, sum 1."""
    kernel = np.pad(kernel, [(0, 1 - n % 2) for n in kernel.shape])
    wanted = np.array([n // 2 for n in kernel.shape]) + (scale - 1) / 2
    shift = wanted - np.array(ndimage.center_of_mass(kernel))
    pad = math.ceil(float(np.abs(shift).max())) + 1  # so that nothing is shifted out
    moved = np.asarray(ndimage.shift(np.pad(kernel, pad), shift), dtype=np.float64)
    normal: NDArray[np.float64] = moved / moved.sum()
    return normal


class _Blur(Degradation):
    """What the blurs share: a kernel size decides the margin."""

    def __init__(self, scale: int, size: int) -> None:
        super().__init__()
        if scale < 1 or size < 1 or size % 2 == 0:
            raise ValueError(
                f"scale={scale} must be at least 1, and kernel_size={size} odd: choose {size + 1} for an even one."
            )
        self.scale = scale
        self.size = size
        self.margin = round_up(size // 2, scale)


class IsotropicBlur(_Blur):
    """Round Gaussian blur, then every scale-th pixel.

    Args:
        scale: HR pixels per LR pixel; 1 only blurs.
        sigma: standard deviation in HR pixels, or the range it is drawn from per image.
        kernel_size: K, odd.

    Draws `blur_sigma` (B,) and `kernel` (B, K, K).
    """

    def __init__(self, scale: int, sigma: Range, kernel_size: int = 21) -> None:
        super().__init__(scale, kernel_size)
        self.sigma = as_range("sigma", sigma, least=1e-3)

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        sigmas = [draw(self.sigma, generator) for generator in generators(seeds)]
        kernels = torch.stack([gaussian_kernel(self.size, sigma, sigma, scale=self.scale) for sigma in sigmas])
        drawn = {"blur_sigma": torch.tensor(sigmas).to(hr), "kernel": kernels.to(hr)}
        return Degraded(blur(hr, kernels, self.scale), drawn)


class AnisotropicBlur(_Blur):
    """Elliptic Gaussian blur, then every scale-th pixel.

    Args:
        scale: HR pixels per LR pixel; 1 only blurs.
        sigma: standard deviation of either axis in HR pixels, or the range both are drawn from per image.
        angle: of the first axis in radians, or the range it is drawn from.
        kernel_size: K, odd.

    Draws `blur_sigma` (B, 2), `blur_angle` (B,) and `kernel` (B, K, K).
    """

    def __init__(self, scale: int, sigma: Range, angle: Range = (0.0, math.pi), kernel_size: int = 21) -> None:
        super().__init__(scale, kernel_size)
        self.sigma = as_range("sigma", sigma, least=1e-3)
        self.angle = as_range("angle", angle, least=-math.inf)

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        shapes = [(draw(self.sigma, g), draw(self.sigma, g), draw(self.angle, g)) for g in generators(seeds)]
        kernels = torch.stack([gaussian_kernel(self.size, *shape, scale=self.scale) for shape in shapes])
        table = torch.tensor(shapes).to(hr)
        drawn = {"blur_sigma": table[:, :2], "blur_angle": table[:, 2], "kernel": kernels.to(hr)}
        return Degraded(blur(hr, kernels, self.scale), drawn)


class KernelBlur(_Blur):
    """Blur by given kernels, one drawn per image, then every scale-th pixel.

    Args:
        scale: HR pixels per LR pixel; 1 only blurs.
        path: a .npy or .mat file of one kernel or several (see `load_kernels`).
        key: the variable in a .mat file.
        indices: which of the file's kernels; all of them when None.
        shift: move each centre of mass to where the scale needs it. False takes kernels as they are.

    Draws `kernel_index` (B,) and `kernel` (B, K, K).
    """

    def __init__(
        self, scale: int, path: str, key: str | None = None, indices: Sequence[int] | None = None, shift: bool = True
    ) -> None:
        kernels = load_kernels(path, key)
        chosen = list(range(len(kernels))) if indices is None else list(indices)
        if not chosen or not all(0 <= index < len(kernels) for index in chosen):
            raise ValueError(f"indices={indices}: {path} has kernels 0 to {len(kernels) - 1}. Name some of these.")
        moved = [kernel_shift(kernels[index], scale) if shift else kernels[index] for index in chosen]
        size = max(n + 1 - n % 2 for kernel in moved for n in kernel.shape)
        super().__init__(scale, size)
        self.indices = chosen
        self.kernels: Tensor
        self.register_buffer("kernels", torch.stack([centred(kernel, size) for kernel in moved]), persistent=False)

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        places = [int(torch.randint(len(self.indices), (), generator=generator)) for generator in generators(seeds)]
        kernels = self.kernels[places]
        drawn = {
            "kernel_index": torch.tensor([self.indices[place] for place in places]).to(hr.device),
            "kernel": kernels.to(hr),
        }
        return Degraded(blur(hr, kernels, self.scale), drawn)


def centred(kernel: NDArray[np.float64], size: int) -> Tensor:
    """Pad with zeros to (size, size), keeping the pixel at K // 2 in the middle."""
    before = [size // 2 - n // 2 for n in kernel.shape]
    after = [size - n - b for n, b in zip(kernel.shape, before, strict=True)]
    return F.pad(torch.from_numpy(kernel), (before[1], after[1], before[0], after[0]))
