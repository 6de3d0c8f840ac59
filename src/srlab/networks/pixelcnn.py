"""A model of images, sub-pixel by sub-pixel (gated PixelCNN; van den Oord et al., NIPS 2016, arXiv 1606.05328).

The order is the raster's: rows from the top, pixels from the left, and the channels of a pixel (R, G, B). One stack of
layers looks at all rows above; another at the pixels to the left and, through masks, at a pixel's earlier channels.
Together they see every earlier sub-pixel (there is no blind spot) and no later one.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEVELS = 256
"""Codes of a sub-pixel."""


class PixelCNN(nn.Module):
    """Logits of each sub-pixel's code given the earlier ones: (B, C, H, W) in [0, 1] -> (B, C, 256, H, W).

    Args:
        channels: C.
        width: channels of the features (Dahl et al.: 64).
        layers: gated layers after the first (Dahl et al.: 20).
        kernel_size: of these (Dahl et al.: 5); the first has 7.
        hidden: channels of the last layer but one (Dahl et al.: 1024).

    Raises:
        ValueError: there are fewer features than channels to tell apart.
    """

    def __init__(self, channels: int, width: int = 64, layers: int = 20, kernel_size: int = 5, hidden: int = 1024):
        super().__init__()
        if width < channels:
            raise ValueError(f"width={width} is less than the {channels} channels that are to be told apart.")
        self.channels = channels
        self.first = GatedLayer(channels, width, 7, channels, first=True)
        self.layers = nn.ModuleList(GatedLayer(width, width, kernel_size, channels) for _ in range(layers))
        self.codes = nn.Sequential(
            nn.ReLU(),
            RowConvolution(width, hidden, 1, channels),
            nn.ReLU(),
            RowConvolution(hidden, channels * LEVELS, 1, channels),
        )
        self.reach = 3 + layers * (kernel_size // 2)
        """How many rows above, and columns to either side, a pixel's logits depend on."""

    def forward(self, image: Tensor) -> Tensor:
        centred = 2 * image - 1
        above, left = self.first(centred, centred)
        for layer in self.layers:
            above, left = layer(above, left)
        return torch.unflatten(self.codes(left), 1, (self.channels, LEVELS))


class RowConvolution(nn.Conv2d):
    """A convolution along rows that sees no later pixel, nor a later channel of its own: (B, C, H, W) -> (B, out, H, W).

    Features are dealt out to the image's channels in order; a feature of a channel may see those of the channels before,
    and of its own unless `first`, where these are the image itself.

    Args:
        in_channels: C.
        out_channels: out.
        kernel_size: taps of an unmasked kernel of this length.
        groups_of: the image's channels.
        first: the input is the image.
        gates: `out_channels` are so many sets, each dealt out by itself.
    """

    mask: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, groups_of: int, first: bool = False, gates: int = 1
    ) -> None:
        super().__init__(in_channels, out_channels, (1, kernel_size // 2 + 1))
        source = torch.arange(in_channels) * groups_of // in_channels
        target = (torch.arange(out_channels // gates) * groups_of // (out_channels // gates)).repeat(gates)
        seen = target[:, None] > source if first else target[:, None] >= source
        mask = torch.ones_like(self.weight)
        mask[:, :, 0, -1] = seen
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        padded = F.pad(features, (self.weight.shape[-1] - 1, 0))
        return F.conv2d(padded, self.weight * self.mask, self.bias)


class RowsAbove(nn.Conv2d):
    """A convolution that sees the rows above, and its own unless `first`: (B, C, H, W) -> (B, out, H, W)."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, first: bool) -> None:
        half = kernel_size // 2
        super().__init__(in_channels, out_channels, (half if first else half + 1, kernel_size))
        self.margins = (half, half, half, -1 if first else 0)  # -1: one row down, so that no row sees itself

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(F.pad(features, self.margins))


class GatedLayer(nn.Module):
    """One layer of both stacks, each gated by tanh(a) sigmoid(b) (figure 2): features (above, left) -> the same."""

    def __init__(self, in_channels: int, width: int, kernel_size: int, groups_of: int, first: bool = False) -> None:
        super().__init__()
        self.first = first
        self.above = RowsAbove(in_channels, 2 * width, kernel_size, first)
        self.above_to_left = nn.Conv2d(2 * width, 2 * width, 1)
        self.left = RowConvolution(in_channels, 2 * width, kernel_size, groups_of, first, gates=2)
        self.last = RowConvolution(width, width, 1, groups_of)

    def forward(self, above: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        rows = self.above(above)
        pixels: Tensor = self.last(gated(self.left(left) + self.above_to_left(rows)))
        return gated(rows), pixels if self.first else left + pixels


def gated(features: Tensor) -> Tensor:
    content, gate = features.chunk(2, dim=1)
    return torch.tanh(content) * torch.sigmoid(gate)
