"""Super-resolution of wavelet sub-bands (DWSR; Guo et al., CVPRW 2017, Deep Wavelet Prediction for Image SR, section 3).

The paper adds what it predicts to the sub-bands of the bicubic image. The transform is linear: this is the framework's
global residual.
"""

from torch import Tensor, nn

from srlab.networks.blocks import Convolution
from srlab.networks.wavelets import WaveletAnalysis, WaveletSynthesis, transform_halo


class DWSR(nn.Module):
    """From the image's sub-bands to those of a residual: (B, in_channels, H, W) -> (B, out_channels, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        layers: 3x3 convolutions between the first and the last one (paper: 10, 374 K parameters).
        wavelet: an orthonormal one by PyWavelets' name (paper: haar).
        out_channels: None: those of the image, as in the paper; else features for a framework with a tail.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        layers: int = 10,
        wavelet: str = "haar",
        out_channels: int | None = None,
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels or in_channels
        stack: list[nn.Module] = []
        for place in range(layers + 1):
            stack += [Convolution(width if place else 4 * in_channels, width), nn.ReLU(inplace=True)]
        self.analysis = WaveletAnalysis(in_channels, wavelet)
        self.layers = nn.Sequential(*stack, Convolution(width, 4 * self.out_channels))
        self.synthesis = WaveletSynthesis(self.out_channels, wavelet)
        self.multiple_of = 2
        self.halo = transform_halo(wavelet, layers + 2)

    def forward(self, image: Tensor) -> Tensor:
        residual: Tensor = self.synthesis(self.layers(self.analysis(image)))
        return residual
