"""Seven dilated layers (IRCNN; Zhang et al., CVPR 2017, arXiv 1704.03264, section 3.2).

The paper's network predicts a residual and serves as a denoising prior; here it refines the interpolated image. Its
seventh layer, dilation 1, is the framework's tail, its residual the framework's.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, norm_layer


class IRCNN(nn.Module):
    """3x3 convolutions of growing and shrinking dilation: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        dilations: distance of each convolution's taps (paper: 1 2 3 4 3 2, then the tail's 1: receptive field 33).
        norm: after every convolution but the first: batch (as in the paper) or none.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        dilations: Sequence[int] = (1, 2, 3, 4, 3, 2),
        norm: str = "batch",
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for place, dilation in enumerate(dilations):
            convolution = Convolution(
                width if place else in_channels, width, dilation=dilation, bias=not place or norm == "none"
            )
            layers += [convolution, norm_layer(norm if place else "none", width), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = sum(dilations)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.layers(image)
        return features
