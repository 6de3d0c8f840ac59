"""A U-Net whose pooling is a wavelet transform (MWCNN; Liu et al., CVPRW 2018, arXiv 1805.07071, section 3.2).

The paper adds what it predicts to the bicubic image: this is the framework's global residual.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, norm_layer
from srlab.networks.network import chained_halo
from srlab.networks.wavelets import WaveletAnalysis, WaveletSynthesis, transform_halo


class MWCNN(nn.Module):
    """Levels of sub-bands, one in another: (B, in_channels, H, W) -> (B, out_channels, H, W).

    Args:
        in_channels: channels of the image.
        widths: channels of each level's features, the finest first (paper: 160, 256, 256).
        layers: 3x3 convolutions of a level before, and after, the next one (paper: 4, so 24 in all).
        norm: none or batch (paper: batch).
        wavelet: an orthonormal one by PyWavelets' name (paper: haar).
        out_channels: None: those of the image, as in the paper; else features for a framework with a tail.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int] = (160, 256, 256),
        layers: int = 4,
        norm: str = "batch",
        wavelet: str = "haar",
        out_channels: int | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels or in_channels
        self.levels = Level(in_channels, widths, layers, norm, wavelet, self.out_channels)
        self.multiple_of = 2 ** len(widths)
        self.halo = self.levels.halo

    def forward(self, image: Tensor) -> Tensor:
        residual: Tensor = self.levels(image)
        return residual


class Level(nn.Module):
    """Analysis, convolutions, the next level under a skip, convolutions, synthesis: (B, C, H, W) -> the same.

    The outermost level names its `out_channels`: it makes a residual of either sign, and ends without a ReLU.
    """

    def __init__(
        self,
        channels: int,
        widths: Sequence[int],
        layers: int,
        norm: str,
        wavelet: str,
        out_channels: int | None = None,
    ) -> None:
        super().__init__()
        width, *rest = widths
        self.analysis = WaveletAnalysis(channels, wavelet, turned=True)  # the paper's signs
        self.contract = convolutions([4 * channels] + [width] * layers, norm)
        self.next_level = Level(width, rest, layers, norm, wavelet) if rest else None
        self.expand = convolutions([width] * layers, norm)
        if out_channels is None:
            self.expand.append(convolutions([width, 4 * channels], norm))
        else:
            self.expand.append(Convolution(width, 4 * out_channels))
        self.synthesis = WaveletSynthesis(out_channels or channels, wavelet, turned=True)
        deeper = self.next_level.halo if self.next_level is not None else 0
        self.halo: int | None = transform_halo(wavelet, chained_halo(2 * layers, deeper))

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.contract(self.analysis(image))
        if self.next_level is not None:
            features = features + self.next_level(features)
        result: Tensor = self.synthesis(self.expand(features))
        return result


def convolutions(widths: Sequence[int], norm: str) -> nn.Sequential:
    """3x3 convolutions from each number of channels to the next, each with normalisation and a ReLU."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [Convolution(before, after, bias=norm == "none"), norm_layer(norm, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
