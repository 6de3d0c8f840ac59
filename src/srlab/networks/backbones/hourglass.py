"""An hourglass with narrow skips: the untrained prior of photographs (Ulyanov et al., CVPR 2018, arXiv 1711.10925).

Downsampling by strided convolutions, upsampling by bilinear interpolation, reflection at the borders, and so few skip
channels that little of the noise gets past the bottleneck (supplementary material, settings for super-resolution).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Hourglass(nn.Module):
    """Levels of half the size within each other: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: of the noise or the image.
        width: channels of each level (published: 128).
        skip: channels that go past each level's bottleneck (published: 4).
        scales: levels (published: 5); H and W are multiples of 2 ** scales.
    """

    def __init__(self, in_channels: int, width: int = 128, skip: int = 4, scales: int = 5) -> None:
        super().__init__()
        if min(in_channels, width, skip, scales) < 1:
            raise ValueError(
                f"in_channels={in_channels}, width={width}, skip={skip}, scales={scales}: expected 1 or more of each."
            )
        outermost: _Level | None = None
        for place in reversed(range(scales)):
            outermost = _Level(width if place else in_channels, width, skip, outermost)
        assert outermost is not None
        self.level = outermost
        self.in_channels = in_channels
        self.out_channels = width
        self.multiple_of = 2**scales
        self.halo = max(
            max(place - first, last - place)
            for place in range(self.multiple_of)
            for first, last in [_reads(place, place, scales)]
        )

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.level(image)
        return features


class _Level(nn.Module):
    """A skip, and beside it a detour through half the size: (B, in_channels, H, W) -> (B, width, H, W)."""

    def __init__(self, in_channels: int, width: int, skip: int, deeper: "_Level | None") -> None:
        super().__init__()
        self.skip = _layer(in_channels, skip, 1)
        self.down = nn.Sequential(_layer(in_channels, width, 3, stride=2), _layer(width, width, 3))
        self.deeper = deeper
        self.join = nn.Sequential(nn.BatchNorm2d(skip + width), _layer(skip + width, width, 3), _layer(width, width, 1))

    def forward(self, image: Tensor) -> Tensor:
        below = self.down(image)
        if self.deeper is not None:
            below = self.deeper(below)
        above = F.interpolate(below, scale_factor=2, mode="bilinear", align_corners=False)
        joined: Tensor = self.join(torch.cat([self.skip(image), above], dim=1))
        return joined


def _layer(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(
        in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, padding_mode="reflect"
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(out_channels), nn.LeakyReLU(0.2, inplace=True))


def _reads(first: int, last: int, scales: int) -> tuple[int, int]:
    """The first and the last input pixel that the output pixels from `first` to `last` depend on, on one axis."""
    if not scales:
        return first, last
    first, last = first - 1, last + 1  # the joining convolution
    below = (first - 1) // 2, (last + 1) // 2  # bilinear: 2 i reads i - 1 and i, 2 i + 1 reads i and i + 1
    below = _reads(*below, scales - 1)
    return min(first, 2 * below[0] - 3), max(last, 2 * below[1] + 3)  # a convolution, and one of stride 2
