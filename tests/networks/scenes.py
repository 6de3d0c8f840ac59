"""Maps of depth beside photographs, drawn for tests."""

import torch
from torch import Tensor


def scene(batch: int = 1, scale: int = 4, side: int = 8) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    lr = torch.rand(batch, 1, side, side + 2, generator=generator)
    return lr, torch.rand(batch, 3, scale * side, scale * (side + 2), generator=generator)


def two_planes(side: int = 64) -> tuple[Tensor, Tensor]:
    """A disc before a wall, and a photograph whose edges are the same: depth (1, 1, H, W), guide (1, 3, H, W)."""
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    disc = (((rows - 29) ** 2 + (columns - 33) ** 2) < 400).float()[None, None]
    return 0.2 + 0.6 * disc, (0.3 + 0.5 * disc).expand(1, 3, -1, -1)
