"""A level of the Laplacian pyramid (LapSRN; Lai et al., CVPR 2017, arXiv 1704.03915, section 3).

MS-LapSRN: Lai et al., TPAMI 2018, arXiv 1710.01992, section 3.2. The pyramid itself, its upsamplers and its image
branch are the progressive framework's.
"""

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, start_he


class LapSRN(nn.Module):
    """A head and a level's stack of convolutions, with leaky ReLUs: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        layers: convolutions in a level's stack (paper: 10).
        bias: whether the convolutions have one (a usual port: not).
    """

    def __init__(self, in_channels: int, width: int = 64, layers: int = 10, bias: bool = False) -> None:
        super().__init__()
        self.head = nn.Sequential(Convolution(in_channels, width, bias=bias), nn.LeakyReLU(0.2, inplace=True))
        stack: list[nn.Module] = []
        for _ in range(layers):
            stack += [Convolution(width, width, bias=bias), nn.LeakyReLU(0.2, inplace=True)]
        self.body = nn.Sequential(*stack)
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 1 + layers
        start_convolutions(self)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.body(self.head(image))
        return features


class MSLapSRN(nn.Module):
    """A head and a recursive embedding with source skips: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        layers: D, convolutions in the recursive block (paper: 5).
        recursions: R, times that the block is applied, with the same weights (paper: 8).
    """

    def __init__(self, in_channels: int, width: int = 64, layers: int = 5, recursions: int = 8) -> None:
        super().__init__()
        self.head = Convolution(in_channels, width)
        self.block = nn.Sequential()
        for _ in range(layers):
            self.block.append(nn.LeakyReLU(0.2))
            self.block.append(Convolution(width, width))
        self.last = nn.LeakyReLU(0.2)
        self.recursions = recursions
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 1 + layers * recursions
        start_convolutions(self)

    def forward(self, image: Tensor) -> Tensor:
        source = self.head(image)
        features = source
        for _ in range(self.recursions):
            features = source + self.block(features)
        result: Tensor = self.last(features)
        return result


def start_convolutions(module: nn.Module) -> None:
    """He et al.'s start for leaky ReLUs, in place."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            start_he(layer, slope=0.2)
