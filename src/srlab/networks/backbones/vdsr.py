"""A deep plain stack under one global residual (VDSR; Kim et al., CVPR 2016, arXiv 1511.04587, section 3.1).

The paper's twentieth layer is the framework's tail, its skip from input to output the framework's global residual.
"""

import math

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, start_gaussian


class VDSR(nn.Module):
    """3x3 convolutions without bias, each with a ReLU: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        layers: convolutions (paper: 20 with the tail, so 19).
        gain: variance of the first weights, times the inputs of a filter (He et al., before a ReLU: 2; ZSSR: 0.1).
    """

    def __init__(self, in_channels: int, width: int = 64, layers: int = 19, gain: float = 2.0) -> None:
        super().__init__()
        stack: list[nn.Module] = []
        for place in range(layers):
            inputs = width if place else in_channels
            convolution = Convolution(inputs, width, bias=False)
            start_gaussian(convolution, math.sqrt(gain / (9 * inputs)))
            stack += [convolution, nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*stack)
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = layers

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.layers(image)
        return features
