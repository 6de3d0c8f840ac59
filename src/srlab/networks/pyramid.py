"""Pyramid pooling: global and regional context beside local features (PSPNet; Zhao et al., CVPR 2017, arXiv 1612.01105).

For super-resolution: Park et al., CVPRW 2018, Efficient Module Based Single Image Super Resolution for Multiple Problems.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.network import published


class PyramidPooling(nn.Module):
    """Add a map of each region size: (B, C, H, W) -> (B, C + len(bins), H, W).

    The features are averaged over M x M regions that tile the image, brought to one channel by a 1x1 convolution, and
    interpolated back (bilinear); M = 1 is global average pooling.

    Args:
        channels: C.
        bins: the Ms.
    """

    def __init__(self, channels: int, bins: Sequence[int] = (1, 2, 3, 6)) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(regions), nn.Conv2d(channels, 1, 1)) for regions in bins
        )

    def forward(self, features: Tensor) -> Tensor:
        size = features.shape[-2:]
        maps = [F.interpolate(level(features), size, mode="bilinear", align_corners=False) for level in self.levels]
        return torch.cat([features, *maps], dim=1)


class PyramidPooled(nn.Module):
    """A backbone with pyramid pooling on its features; what follows fuses them: (B, in_channels, H, W) -> features.

    Args:
        features: a backbone.
        bins: of the pyramid.

    Raises:
        ValueError: the backbone does not publish its channels.
    """

    def __init__(self, features: nn.Module, bins: Sequence[int] = (1, 2, 3, 6)) -> None:
        super().__init__()
        facts = published(features)
        self.features = features
        self.pyramid = PyramidPooling(facts.out_channels, bins)
        self.in_channels = facts.in_channels
        self.out_channels = facts.out_channels + len(bins)
        self.multiple_of = facts.multiple_of
        self.halo = None  # every pixel sees the mean of the whole image

    def forward(self, image: Tensor) -> Tensor:
        pooled: Tensor = self.pyramid(self.features(image))
        return pooled
