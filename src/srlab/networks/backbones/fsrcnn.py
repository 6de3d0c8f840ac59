"""An hourglass at the small size: shrink, map, expand (FSRCNN; Dong et al., ECCV 2016, arXiv 1608.00367, section 3).

The paper's last layer, the deconvolution, is the transposed upsampler without a tail.
"""

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, start_he


class FSRCNN(nn.Module):
    """Convolutions, each with a PReLU: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: d, channels of the features (paper: 56).
        shrunk: s, channels in the middle (paper: 12).
        mappings: m, 3x3 convolutions in the middle (paper: 4).
    """

    def __init__(self, in_channels: int, width: int = 56, shrunk: int = 12, mappings: int = 4) -> None:
        super().__init__()
        self.extract = layer(in_channels, width, 5)
        self.shrink = layer(width, shrunk, 1)
        self.map = nn.Sequential(*(layer(shrunk, shrunk, 3) for _ in range(mappings)))
        self.expand = layer(shrunk, width, 1)
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 2 + mappings

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.expand(self.map(self.shrink(self.extract(image))))
        return features


def layer(in_channels: int, out_channels: int, kernel_size: int) -> nn.Sequential:
    convolution = Convolution(in_channels, out_channels, kernel_size)
    start_he(convolution, slope=0.25)  # where PyTorch's PReLU starts
    return nn.Sequential(convolution, nn.PReLU(out_channels))
