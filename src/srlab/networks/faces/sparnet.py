"""SPARNet: where to look in a face, learned without labels (Chen et al., TIP 2020, arXiv 2012.01211).

A U-shape of face attention units on the enlarged image. The attention of each is an hourglass of its own, which reaches
down to the same coarse grid wherever in the U it stands (section III). Its authors start from weights of deviation 0.02 and
scale pictures to [-1, 1]; here both are PyTorch's and the project's.
"""

import math
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import activation_layer, norm_layer
from srlab.networks.interpolation import enlarge
from srlab.networks.network import Network
from srlab.types import Prediction


class SPARNet(Network):
    """lr (B, C, H, W) -> sr (B, C, scale H, scale W): 10.52 M as the authors' code has it, at any scale.

    Args:
        channels, scale: as in Network.
        widths: channels of the features, the full size first, each half as large as the one before
            (published: 32, 64, 128, 128).
        blocks: attention units at the smallest of these sizes (published: 10; light: 1).
        hidden: channels of the hourglasses (published: 64).
        attention: `spatial`, one gate for all channels of a place; `full`, one for each (the light network).
        norm: batch, instance or none.
        residual: learn what to add to the enlarged image; the paper learns the image.

    Raises:
        ValueError: one size alone, no unit, or another attention.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        widths: Sequence[int] = (32, 64, 128, 128),
        blocks: int = 10,
        hidden: int = 64,
        attention: str = "spatial",
        norm: str = "batch",
        residual: bool = False,
    ) -> None:
        levels = len(widths) - 1
        if levels < 1 or min(*widths, blocks, hidden) < 1:
            raise ValueError(
                f"widths={list(widths)}, blocks={blocks}, hidden={hidden}: give two widths or more, and 1 or more of each."
            )
        if attention not in ("spatial", "full"):
            raise ValueError(f"attention={attention!r}: choose spatial or full.")
        coarsest = 2 ** (levels + 2)  # HR pixels in a cell of the attention's smallest grid: 32 are published
        cells = 2 * coarsest  # whose borders are reflected, so that it has two cells or more
        super().__init__(channels, scale, multiple_of=cells // math.gcd(cells, scale), halo=None)

        def unit(before: int, after: int) -> FaceAttentionUnit:
            return FaceAttentionUnit(
                widths[before], widths[after], before - after, levels + 2 - after, hidden, attention, norm
            )

        down = [unit(level, level + 1) for level in range(levels)]
        middle = [unit(levels, levels) for _ in range(blocks)]
        up = [unit(level, level - 1) for level in range(levels, 0, -1)]
        self.head = convolution(channels, widths[0])
        self.units = nn.Sequential(*down, *middle, *up)
        self.tail = convolution(widths[0], channels)
        self.residual = residual

    def predict(self, lr: Tensor) -> Prediction:
        enlarged = enlarge(lr, self.scale)
        image: Tensor = self.tail(self.units(self.head(enlarged)))
        return Prediction(enlarged + image if self.residual else image, {})


class FaceAttentionUnit(nn.Module):
    """x + attention(features(x)) x features(x): (B, inputs, H, W) -> (B, outputs, H', W') (figure 3).

    Args:
        inputs, outputs: channels.
        direction: 1: H' = 2 H, -1: H' = H / 2, 0: H' = H.
        depth: halvings of the hourglass.
        hidden, attention, norm: see `SPARNet`.
    """

    def __init__(
        self, inputs: int, outputs: int, direction: int, depth: int, hidden: int, attention: str, norm: str
    ) -> None:
        super().__init__()
        same = direction == 0 and inputs == outputs
        self.skip = nn.Identity() if same else convolution(inputs, outputs, direction)
        self.features = nn.Sequential(
            norm_layer(norm, inputs),
            activation_layer("leaky_relu", inputs) if norm != "none" else nn.LeakyReLU(0.2),  # in place spoils the skip
            layer(inputs, outputs, norm, max(direction, 0)),
            convolution(outputs, outputs, min(direction, 0), bias=norm == "none"),
            norm_layer(norm, outputs),
        )
        gates = outputs if attention == "full" else 1
        self.attention = nn.Sequential(
            Hourglass(outputs, hidden, depth, norm), convolution(hidden, gates), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        attended: Tensor = self.skip(x) + features * self.attention(features)
        return attended


class Hourglass(nn.Module):
    """Convolutions at ever smaller sizes, within each other: (B, inputs, H, W) -> (B, width, H, W).

    Args:
        inputs, width: channels.
        depth: halvings.
        norm: batch, instance or none.
    """

    def __init__(self, inputs: int, width: int, depth: int, norm: str) -> None:
        super().__init__()
        self.level = layer(inputs, width, norm)
        self.down = layer(inputs, width, norm, -1)
        self.within = Hourglass(width, width, depth - 1, norm) if depth > 1 else layer(width, width, norm)
        self.up = layer(width, width, norm, 1)

    def forward(self, x: Tensor) -> Tensor:
        joined: Tensor = self.level(x) + self.up(self.within(self.down(x)))
        return joined


class Enlarged(nn.Module):
    """Every pixel four times: (B, C, H, W) -> (B, C, 2 H, 2 W)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


class Reflected(nn.Conv2d):
    """A 3x3 convolution beyond whose borders the image is mirrored.

    PyTorch's own is a convolution with `padding_mode="reflect"`, for which autocast turns everything to float32 and back.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        autocasts = torch.amp.is_autocast_available(x.device.type)  # not on `meta`, where networks are counted
        with torch.autocast(x.device.type, enabled=False) if autocasts else nullcontext():
            padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return super().forward(padded)


def convolution(inputs: int, outputs: int, direction: int = 0, bias: bool = True) -> nn.Module:
    """A 3x3 convolution with mirrored borders, to the double (1), the half (-1) or the same size (0)."""
    made = Reflected(inputs, outputs, stride=2 if direction < 0 else 1, bias=bias)
    return nn.Sequential(Enlarged(), made) if direction > 0 else made


def layer(inputs: int, outputs: int, norm: str, direction: int = 0) -> nn.Sequential:
    """A convolution, its normalisation, which stands for its bias, and a leaky ReLU."""
    return nn.Sequential(
        convolution(inputs, outputs, direction, bias=norm == "none"),
        norm_layer(norm, outputs),
        activation_layer("leaky_relu", outputs),
    )
