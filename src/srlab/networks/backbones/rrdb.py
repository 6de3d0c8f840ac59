"""Residual-in-residual dense blocks (ESRGAN's generator; Wang et al., ECCVW 2018, arXiv 1809.00219, section 3.1)."""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution, DenseLayers, LongSkip, start_he


class RRDBNet(LongSkip):
    """A head, the blocks and a convolution under a long skip: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        blocks: residual-in-residual dense blocks (paper: 23).
        growth: channels that each dense layer adds (the authors' code: 32).
        residual_scale: damps each skip's branch (paper: 0.2).
    """

    def __init__(
        self, in_channels: int, width: int = 64, blocks: int = 23, growth: int = 32, residual_scale: float = 0.2
    ) -> None:
        head = Convolution(in_channels, width)
        body = [RRDB(width, growth, residual_scale) for _ in range(blocks)]
        super().__init__(in_channels, width, head, [*body, Convolution(width, width)], halo=2 + 15 * blocks)


class RRDB(nn.Module):
    """Three dense blocks under a damped skip: (B, width, H, W) -> the same."""

    def __init__(self, width: int, growth: int, residual_scale: float) -> None:
        super().__init__()
        self.body = nn.Sequential(*(DampedDenseBlock(width, growth, residual_scale) for _ in range(3)))
        self.residual_scale = residual_scale

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.body(features)
        return features + self.residual_scale * residual


class DampedDenseBlock(nn.Module):
    """Four dense layers and a fifth that goes back to the width, under a damped skip: (B, width, H, W) -> the same."""

    def __init__(self, width: int, growth: int, residual_scale: float) -> None:
        super().__init__()
        self.dense = DenseLayers(width, growth, 4, activation="leaky_relu")
        self.fusion = Convolution(self.dense.out_channels, width)
        self.residual_scale = residual_scale
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                start_he(layer)
                with torch.no_grad():
                    layer.weight *= 0.1  # the authors' start: a small residual eases the training of deep stacks

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.fusion(self.dense(features))
        return features + self.residual_scale * residual
