"""Dense blocks with dense skips between them (SRDenseNet; Tong et al., ICCV 2017, section 3; the "All" variant)."""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution, DenseLayers, start_he


class SRDenseNet(nn.Module):
    """Every block sees all features before it; a 1x1 bottleneck ends: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        growth: channels that each layer adds (paper: 16).
        blocks: dense blocks (paper: 8).
        layers: convolutions in a block (paper: 8).
        width: channels after the bottleneck (paper: 256).
    """

    def __init__(self, in_channels: int, growth: int = 16, blocks: int = 8, layers: int = 8, width: int = 256) -> None:
        super().__init__()
        made = growth * layers
        self.low_level = nn.Sequential(Convolution(in_channels, made), nn.ReLU(inplace=True))
        self.blocks = nn.ModuleList(DenseBlock(made * (place + 1), growth, layers) for place in range(blocks))
        self.bottleneck = nn.Sequential(Convolution(made * (blocks + 1), width, 1), nn.ReLU(inplace=True))
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 1 + blocks * layers
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                start_he(layer)

    def forward(self, image: Tensor) -> Tensor:
        features = self.low_level(image)
        for block in self.blocks:
            features = torch.cat([features, block(features)], dim=1)
        result: Tensor = self.bottleneck(features)
        return result


class DenseBlock(nn.Sequential):
    """A first layer narrows, then each sees all layers after it: (B, C, H, W) -> (B, growth * layers, H, W)."""

    def __init__(self, in_channels: int, growth: int, layers: int) -> None:
        super().__init__(
            Convolution(in_channels, growth), nn.ReLU(inplace=True), DenseLayers(growth, growth, layers - 1)
        )
