"""Residual dense blocks, fused locally and globally (RDN; Zhang et al., CVPR 2018, arXiv 1802.08797, section 3)."""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution, DenseLayers


class RDN(nn.Module):
    """Shallow features, residual dense blocks, global fusion: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: G0, channels of the features (paper: 64).
        blocks: D (paper: 16).
        layers: C, convolutions in a block (paper: 8).
        growth: G, channels that each layer adds (paper: 64).
    """

    def __init__(self, in_channels: int, width: int = 64, blocks: int = 16, layers: int = 8, growth: int = 64) -> None:
        super().__init__()
        self.head = Convolution(in_channels, width)
        self.shallow = Convolution(width, width)
        self.blocks = nn.ModuleList(ResidualDenseBlock(width, growth, layers) for _ in range(blocks))
        self.fusion = nn.Sequential(Convolution(blocks * width, width, 1), Convolution(width, width))
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 3 + blocks * layers

    def forward(self, image: Tensor) -> Tensor:
        first = self.head(image)
        features, made = self.shallow(first), []
        for block in self.blocks:
            features = block(features)
            made.append(features)
        fused: Tensor = first + self.fusion(torch.cat(made, dim=1))
        return fused


class ResidualDenseBlock(nn.Module):
    """x + fusion of x and its dense layers: (B, width, H, W) -> the same (section 3.2)."""

    def __init__(self, width: int, growth: int, layers: int) -> None:
        super().__init__()
        self.dense = DenseLayers(width, growth, layers)
        self.fusion = Convolution(self.dense.out_channels, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.fusion(self.dense(features))
        return features + residual
