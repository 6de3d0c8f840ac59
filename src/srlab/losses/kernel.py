"""What a blur kernel has to be like, as losses on it: (K, K) -> () (KernelGAN; arXiv 1909.06581, section 3.2)."""

import torch
from torch import Tensor


def sum_to_one(kernel: Tensor) -> Tensor:
    """How far the sum is from 1: light is neither added nor lost."""
    return (1 - kernel.sum()).abs()


def boundaries(kernel: Tensor) -> Tensor:
    """Mean of the values near the borders, each weighted by how far out it lies."""
    return (kernel * boundary_mask(len(kernel)).to(kernel)).abs().mean()


def sparsity(kernel: Tensor) -> Tensor:
    """Mean of |k|^0.2, which takes small values down to zero, and leaves large ones."""
    return kernel.abs().clamp(min=1e-8).pow(0.2).mean()  # at 0 the slope is infinite


def off_centre(kernel: Tensor, scale: int) -> Tensor:
    """Mean square of how far the centre of mass lies from where the scale needs it, K // 2 + (scale - 1) / 2 (K odd)."""
    places = torch.arange(len(kernel), dtype=kernel.dtype, device=kernel.device)
    centre = torch.stack([kernel.sum(1) @ places, kernel.sum(0) @ places]) / kernel.sum()
    return (centre - (len(kernel) // 2 + (scale - 1) / 2)).square().mean()


def boundary_mask(size: int) -> Tensor:
    """0 in the middle; towards the borders 30 (1 - g), g a Gaussian of standard deviation K with 1 in the middle."""
    offset = torch.arange(size, dtype=torch.float64) - size // 2
    gaussian = torch.exp(-0.5 * (offset / size) ** 2)
    mask = 30 * (1 - torch.outer(gaussian, gaussian))
    margin = (size - (size // 2 + size % 2)) // 2 - 1
    mask[margin : size - margin, margin : size - margin] = 0
    return mask
