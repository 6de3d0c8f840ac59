"""Hyperspectral scenes that are made up."""

import torch
from torch import nn


def mixed(size: int = 32, bands: int = 6, materials: int = 3, seed: int = 0) -> torch.Tensor:
    """A scene of a few materials in patches, mixed at their borders and shaded: (C, H, W) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    spectra = torch.rand(bands, materials, generator=generator, dtype=torch.float64) + 0.1
    places = nn.functional.interpolate(
        torch.rand(1, materials, size // 4, size // 4, generator=generator, dtype=torch.float64),
        size=(size, size),
        mode="bilinear",
    )
    abundances = torch.softmax(12 * places[0], 0)
    shade = 0.5 + 0.5 * torch.rand(size // 2, size // 2, generator=generator, dtype=torch.float64)
    shade = shade.repeat_interleave(2, 0).repeat_interleave(2, 1)
    return torch.einsum("cm,mhw->chw", spectra, abundances) / 1.2 * shade
