"""Kernels of several sizes side by side, exchanging (MSRN; Li et al., ECCV 2018, section 3)."""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution


class MSRN(nn.Module):
    """Multi-scale residual blocks, all of them fused at the end: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        blocks: multi-scale residual blocks (paper: 8).
    """

    def __init__(self, in_channels: int, width: int = 64, blocks: int = 8) -> None:
        super().__init__()
        self.head = Convolution(in_channels, width)
        self.blocks = nn.ModuleList(MultiScaleBlock(width) for _ in range(blocks))
        self.fusion = nn.Sequential(Convolution((blocks + 1) * width, width, 1), Convolution(width, width))
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 2 + 4 * blocks

    def forward(self, image: Tensor) -> Tensor:
        features = self.head(image)
        made = [features]
        for block in self.blocks:
            features = block(features)
            made.append(features)
        fused: Tensor = self.fusion(torch.cat(made, dim=1))
        return fused


class MultiScaleBlock(nn.Module):
    """Two paths, of 3x3 and of 5x5, that exchange after the first layer: (B, width, H, W) -> the same (section 3.1)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.ModuleList(Convolution(width, width, size) for size in (3, 5))
        self.second = nn.ModuleList(Convolution(2 * width, 2 * width, size) for size in (3, 5))
        self.fusion = Convolution(4 * width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        exchanged = torch.cat([torch.relu(path(features)) for path in self.first], dim=1)
        both = torch.cat([torch.relu(path(exchanged)) for path in self.second], dim=1)
        residual: Tensor = self.fusion(both)
        return features + residual
