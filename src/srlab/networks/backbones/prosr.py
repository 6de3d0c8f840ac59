"""Dense compression units (ProSR; Wang et al., CVPRW 2018, arXiv 1804.02900, section 3.1).

One level of the asymmetric pyramid: the paper gives the lowest level most of them. `ProSR` is the lowest with its head,
`Level` any above it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution


class Level(nn.Module):
    """Units, a last convolution, a skip: (B, in_channels, H, W) -> (B, out_channels, H, W).

    Args:
        in_channels: channels of the features below.
        growth: channels that each dense layer adds (ProSR: 40, ProSRs: 12).
        units: the dense layers of each unit (ProSR: 9, 3, 1 units of 8; ProSRs: 4, 2, 1 units of 6).
        compression: 0: each unit goes back to its own input under a skip, and so does the level (ProSR). Else units
            follow each other without skips, and between two of them the channels shrink to this share (ProSRs: 0.4).
        input_compression: the features are first compressed to this share of their channels; 1: to as many as they
            are, by a convolution all the same; 0: not at all (the lowest level). (ProSR: 1, ProSRs: 0.5.)
        residual_scale: damps each unit under its skip (paper: 0.2).
        widest: more channels than these are compressed before the last convolution (the authors' code: 312).
    """

    def __init__(
        self,
        in_channels: int,
        growth: int = 40,
        units: Sequence[int] = (8,),
        compression: float = 0.0,
        input_compression: float = 1.0,
        residual_scale: float = 0.2,
        widest: int = 312,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = in_channels
        if input_compression:
            width = int(input_compression * in_channels)
            layers.append(Convolution(in_channels, width, 1, bias=False))
        for place, dense in enumerate(units):
            made = width + dense * growth
            unit = [BottleneckLayer(width + step * growth, growth) for step in range(dense)]
            if not compression:
                layers.append(ResidualUnit([*unit, Convolution(made, width, 1, bias=False)], residual_scale))
            else:
                layers += unit
                width = made
                if place < len(units) - 1:
                    width = int(compression * made)
                    layers.append(Convolution(made, width, 1, bias=False))
        if width > widest:
            layers.append(Convolution(width, widest, 1, bias=False))
            width = widest
        layers.append(mirrored(width, width))
        self.layers = nn.Sequential(*layers)
        self.residual = not compression
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = sum(units) + 1

    def forward(self, features: Tensor) -> Tensor:
        made: Tensor = self.layers(features)
        return features + made if self.residual else made


class ProSR(nn.Module):
    """A head and the lowest level of the pyramid: (B, in_channels, H, W) -> (B, out_channels, H, W).

    Args:
        in_channels: channels of the image.
        width: channels after the head (ProSR: 160, ProSRs: 24).
        growth, units, compression, residual_scale, widest: as in `Level`.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 160,
        growth: int = 40,
        units: Sequence[int] = (8,) * 9,
        compression: float = 0.0,
        residual_scale: float = 0.2,
        widest: int = 312,
    ) -> None:
        super().__init__()
        self.head = mirrored(in_channels, width)
        self.level = Level(width, growth, units, compression, 0.0, residual_scale, widest)
        self.in_channels = in_channels
        self.out_channels = self.level.out_channels
        self.halo = 1 + self.level.halo

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.level(self.head(image))
        return features


class BottleneckLayer(nn.Module):
    """Adds features by a 1x1 convolution to four times as many, and a 3x3 one: (B, C, H, W) -> (B, C + growth, H, W)."""

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Convolution(in_channels, 4 * growth, 1), nn.ReLU(inplace=True), mirrored(4 * growth, growth)
        )

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([features, self.layers(features)], dim=1)


class ResidualUnit(nn.Module):
    """Dense layers and a compression under a damped skip: (B, C, H, W) -> the same."""

    def __init__(self, layers: list[nn.Module], residual_scale: float) -> None:
        super().__init__()
        self.branch = nn.Sequential(*layers)
        self.residual_scale = residual_scale

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.branch(features)
        return features + self.residual_scale * residual


def mirrored(in_channels: int, out_channels: int) -> Convolution:
    """A 3x3 convolution with mirrored borders, its bias at zero, as the authors' code has all of them."""
    layer = Convolution(in_channels, out_channels, padding_mode="reflect")
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
