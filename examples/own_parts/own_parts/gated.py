"""A backbone of gated convolutions: an example of a part that lives outside srlab."""

from torch import Tensor, nn


class GatedBlock(nn.Module):
    """Add what a gate lets through: (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.value = nn.Conv2d(width, width, 3, padding=1)
        self.gate = nn.Sequential(nn.Conv2d(width, width, 1), nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        return features + self.value(features) * self.gate(features)


class Gated(nn.Sequential):
    """A convolution and a stack of gated blocks: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: of the image.
        width: of the features.
        blocks: how many.
    """

    def __init__(self, in_channels: int, width: int, blocks: int) -> None:
        super().__init__(nn.Conv2d(in_channels, width, 3, padding=1), *(GatedBlock(width) for _ in range(blocks)))
        self.in_channels, self.out_channels = in_channels, width
        self.halo = 1 + blocks  # pixels: one for each 3 x 3 convolution
