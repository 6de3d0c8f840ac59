"""Two layers at the small size before a sub-pixel layer (ESPCN; Shi et al., CVPR 2016, arXiv 1609.05158)."""

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, activation_layer


class ESPCN(nn.Module):
    """5x5 and 3x3 convolutions, each with an activation: (B, in_channels, H, W) -> (B, width // 2, H, W).

    Args:
        in_channels: channels of the image.
        width: channels after the first convolution (paper: 64); the second makes half of them.
        activation: tanh (the paper's better choice) or relu.
    """

    def __init__(self, in_channels: int, width: int = 64, activation: str = "tanh") -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Convolution(in_channels, width, 5),
            activation_layer(activation, width),
            Convolution(width, width // 2, 3),
            activation_layer(activation, width // 2),
        )
        self.in_channels = in_channels
        self.out_channels = width // 2
        self.halo = 3

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.layers(image)
        return features
