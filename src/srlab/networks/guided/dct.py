"""The discrete cosine transform of images, and with it the exact solution of a linear system of even borders."""

import math
from functools import lru_cache

import torch
from torch import Tensor


@lru_cache
def basis(length: int) -> Tensor:
    """The orthonormal DCT-II as a matrix (frequencies, places), float32."""
    places = torch.arange(length, dtype=torch.float64) + 0.5
    matrix = torch.cos(math.pi / length * torch.arange(length, dtype=torch.float64)[:, None] * places)
    matrix *= math.sqrt(2 / length)
    matrix[0] /= math.sqrt(2)
    return matrix.float()


def dct(image: Tensor) -> Tensor:
    """Spectra of images: (..., H, W) -> the same."""
    rows, columns = (basis(side).to(image) for side in image.shape[-2:])
    return rows @ image @ columns.T


def inverse_dct(spectrum: Tensor) -> Tensor:
    """Images of spectra: (..., H, W) -> the same."""
    rows, columns = (basis(side).to(spectrum) for side in spectrum.shape[-2:])
    return rows.T @ spectrum @ columns


@lru_cache
def laplacian_spectrum(height: int, width: int) -> Tensor:
    """What the five-point Laplacian of mirrored borders multiplies each frequency by: (H, W), 0 or below."""
    down, across = (torch.cos(math.pi / side * torch.arange(side, dtype=torch.float64)) for side in (height, width))
    return (2 * (down[:, None] + across[None] - 2)).float()
