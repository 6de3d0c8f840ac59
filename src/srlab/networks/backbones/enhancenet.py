"""Residual blocks without normalisation or long skip (EnhanceNet; Sajjadi et al., ICCV 2017, arXiv 1612.07919, table 1).

The enlargement by nearest neighbours, the two last layers and the skip from the bicubic image are the framework's.
"""

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, ResidualBlock, activation_layer


class EnhanceNet(nn.Module):
    """A head with ReLU, then residual blocks: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        blocks: residual blocks (paper: 10).
        activation: of the head (paper: relu).
    """

    def __init__(self, in_channels: int, width: int = 64, blocks: int = 10, activation: str = "relu") -> None:
        super().__init__()
        self.head = nn.Sequential(Convolution(in_channels, width), activation_layer(activation, width))
        self.body = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 1 + 2 * blocks

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.body(self.head(image))
        return features
