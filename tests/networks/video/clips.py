"""Clips whose motion is known."""

import math

import torch
from torch import Tensor


def waves(height: int, width: int, right: float = 0.0, down: float = 0.0) -> Tensor:
    """An image of long waves (1, 1, height, width) in [0, 1], moved by a real number of pixels, exactly."""
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64) - down,
        torch.arange(width, dtype=torch.float64) - right,
        indexing="ij",
    )
    image = torch.zeros_like(x)
    for place, (period, angle) in enumerate([(13.0, 0.3), (17.0, 1.2), (23.0, 2.1), (31.0, 2.8), (19.0, 1.8)]):
        image += torch.sin(2 * math.pi / period * (math.cos(angle) * x + math.sin(angle) * y) + place)
    return (0.5 + image / 10)[None, None].float()


def gliding(frames: int, height: int, width: int, right: float, down: float, channels: int = 1) -> Tensor:
    """A clip (1, T, C, height, width) of which each frame is the one before, moved by so many pixels."""
    images = [waves(height, width, right * time, down * time) for time in range(frames)]
    return torch.stack(images, 1).expand(-1, -1, channels, -1, -1).contiguous()


def textured(frames: int, height: int, width: int, seed: int = 0, channels: int = 1) -> Tensor:
    """Noise that nothing connects, (1, T, C, height, width)."""
    return torch.rand(1, frames, channels, height, width, generator=torch.Generator().manual_seed(seed))
