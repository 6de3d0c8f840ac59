"""FSRNet: enlarge coarsely, see in that what face it is, enlarge again with it (Chen et al., CVPR 2018, arXiv 1711.10703).

The prior is estimated from the coarse image alone, and joins the features of the fine network as maps (section 3).
"""

import math

import torch
from torch import Tensor, nn

from srlab.faces.layout import POINTS
from srlab.faces.maps import PARSED
from srlab.networks.blocks import ResidualBlock, norm_layer
from srlab.networks.faces.hourglass import Bottleneck, Hourglass
from srlab.networks.interpolation import enlarge
from srlab.networks.network import Network
from srlab.types import Prediction

DEPTH = 4
"""Halvings of the hourglasses."""


class FSRNet(Network):
    """lr (B, C, H, W) -> sr (B, C, scale H, scale W).

    The coarse image is an intermediate, `coarse`; what is estimated of the face are priors at half its size: `heatmaps`
    (B, 68, scale H / 2, scale W / 2) of landmarks, and `parsing` (B, 10, ...), the parts of `srlab.faces.maps.PARSED`.

    Args:
        channels, scale: as in Network.
        width: channels of the coarse network, the encoder and the decoder (paper: 64).
        coarse_blocks, encoder_blocks, decoder_blocks: residual blocks of each (paper: 3, 12, 3).
        hourglass_width: channels of the prior's features (paper: 128), an even number.
        hourglasses: one after the other (paper: 2); 0: no prior is estimated, which is the paper's baseline.
        prior_blocks: residual blocks before them (paper: 3).
        norm: batch, instance or none.
        residual: both images are learned as what to add, to the enlarged LR image and to the coarse one; the paper learns
            the images.

    Raises:
        ValueError: a number that is too small.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        width: int = 64,
        coarse_blocks: int = 3,
        encoder_blocks: int = 12,
        decoder_blocks: int = 3,
        hourglass_width: int = 128,
        hourglasses: int = 2,
        prior_blocks: int = 3,
        norm: str = "batch",
        residual: bool = False,
    ) -> None:
        counts = (coarse_blocks, encoder_blocks, decoder_blocks, hourglasses, prior_blocks)
        if min(counts) < 0 or width < 1 or hourglass_width < 2 or hourglass_width % 2:
            raise ValueError(
                f"blocks and hourglasses {counts}: give 0 or more; width={width}: 1 or more; "
                f"hourglass_width={hourglass_width}: an even number."
            )
        side = 2 ** (DEPTH + 1 if hourglasses else 1)
        super().__init__(channels, scale, multiple_of=side // math.gcd(side, scale), halo=None)

        def blocks(count: int) -> list[nn.Module]:
            return [ResidualBlock(width, norm=norm) for _ in range(count)]

        self.coarse = nn.Sequential(layer(channels, width, norm), *blocks(coarse_blocks), last(width, channels))
        self.encoder = nn.Sequential(
            layer(channels, width, norm, stride=2), *blocks(encoder_blocks), nn.Conv2d(width, width, 3, padding=1)
        )
        self.prior = PriorEstimator(channels, hourglass_width, hourglasses, prior_blocks, norm) if hourglasses else None
        self.decoder = nn.Sequential(
            layer(width + (POINTS + len(PARSED) if hourglasses else 0), width, norm),
            nn.ConvTranspose2d(width, width, 4, 2, padding=1),
            *blocks(decoder_blocks),
            last(width, channels),
        )
        self.residual = residual

    def predict(self, lr: Tensor) -> Prediction:
        enlarged = enlarge(lr, self.scale)
        coarse: Tensor = self.coarse(enlarged)
        if self.residual:
            coarse = enlarged + coarse
        features = [self.encoder(coarse)]
        priors: dict[str, Tensor] | None = None
        if self.prior is not None:
            priors = self.prior(coarse)
            features += priors.values()
        fine: Tensor = self.decoder(torch.cat(features, dim=1))
        return Prediction(coarse + fine if self.residual else fine, {"coarse": coarse}, priors)


class PriorEstimator(nn.Module):
    """A coarse image (B, C, H, W) -> heatmaps (B, 68, H / 2, W / 2) and parsing maps (B, 10, H / 2, W / 2) (section 3.3).

    Both are read off the same features by a 1x1 convolution each.

    Args:
        channels: C.
        width, hourglasses, blocks, norm: see `FSRNet`.
    """

    def __init__(self, channels: int, width: int, hourglasses: int, blocks: int, norm: str) -> None:
        super().__init__()
        stacked: list[nn.Module] = []
        for _ in range(hourglasses):
            stacked += [Hourglass(width, DEPTH, norm), layer(width, width, norm, size=1)]
        self.features = nn.Sequential(
            layer(channels, width, norm, size=7, stride=2),
            *(Bottleneck(width, width, norm) for _ in range(blocks)),
            *stacked,
        )
        self.heatmaps, self.parsing = nn.Conv2d(width, POINTS, 1), nn.Conv2d(width, len(PARSED), 1)

    def forward(self, coarse: Tensor) -> dict[str, Tensor]:
        features = self.features(coarse)
        return {"heatmaps": self.heatmaps(features), "parsing": self.parsing(features)}


def layer(inputs: int, outputs: int, norm: str, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2), norm_layer(norm, outputs), nn.ReLU(inplace=True)
    )


def last(width: int, channels: int) -> nn.Conv2d:
    return nn.Conv2d(width, channels, 3, padding=1)
