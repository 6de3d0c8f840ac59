"""Self-attention within shifted windows (SwinIR; Liang et al., ICCVW 2021, arXiv 2108.10257, section 3).

Windows, shifts and relative positions are those of Swin (Liu et al., ICCV 2021, arXiv 2103.14030, section 3.2).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import Convolution


class SwinIR(nn.Module):
    """A head and groups of transformer layers under a long skip: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (light: 60).
        depths: layers of each group (light: 6, 6, 6, 6); every second layer has shifted windows.
        heads: of each attention; they share the width (light: 6).
        window: height and width of a window; those of the image must be multiples of it (light: 8).
        mlp_ratio: the hidden channels of a layer's perceptron, in multiples of the width (light: 2).

    Raises:
        ValueError: the heads do not divide the width, or the window has no half.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 60,
        depths: Sequence[int] = (6, 6, 6, 6),
        heads: int = 6,
        window: int = 8,
        mlp_ratio: float = 2.0,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width={width} is not a multiple of heads={heads}: choose {width // heads * heads}.")
        if window < 2 or window % 2:
            raise ValueError(f"window={window} has no half to shift it by: choose an even number, such as 8.")
        self.head = Convolution(in_channels, width)
        self.head_norm = nn.LayerNorm(width)
        self.groups = nn.ModuleList(Group(width, depth, heads, window, mlp_ratio) for depth in depths)
        self.norm = nn.LayerNorm(width)
        self.last = Convolution(width, width)
        self.in_channels = in_channels
        self.out_channels = width
        self.multiple_of = window
        self.halo = reach(depths, window)

    def forward(self, image: Tensor) -> Tensor:
        shallow = self.head(image)
        deep = self.head_norm(channels_last(shallow))
        for group in self.groups:
            deep = group(deep)
        result: Tensor = shallow + self.last(channels_first(self.norm(deep)))
        return result


class Group(nn.Module):
    """Transformer layers and a convolution under a skip: (B, H, W, C) -> the same."""

    def __init__(self, width: int, depth: int, heads: int, window: int, mlp_ratio: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(Layer(width, heads, window, shift_of(place, window), mlp_ratio) for place in range(depth))
        )
        self.last = Convolution(width, width)

    def forward(self, features: Tensor) -> Tensor:
        return features + channels_last(self.last(channels_first(self.layers(features))))


class Layer(nn.Module):
    """Attention within windows, then a perceptron of each pixel, both normalised and skipped: (B, H, W, C)."""

    def __init__(self, width: int, heads: int, window: int, shift: int, mlp_ratio: float) -> None:
        super().__init__()
        hidden = int(mlp_ratio * width)
        self.attention = nn.Sequential(nn.LayerNorm(width), WindowAttention(width, heads, window, shift))
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)
        )

    def forward(self, features: Tensor) -> Tensor:
        features = features + self.attention(features)
        result: Tensor = features + self.perceptron(features)
        return result


class WindowAttention(nn.Module):
    """Each pixel attends to those of its window: (B, H, W, C) -> the same.

    Args:
        width: C.
        heads: they share the width.
        window: height and width of the windows.
        shift: of the windows' grid, to the right and down; windows cut by the border stay cut.
    """

    offsets: Tensor

    def __init__(self, width: int, heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.heads, self.window, self.shift = heads, window, shift
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.position_bias = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.position_bias, std=0.02)
        self.register_buffer("offsets", relative_positions(window), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[1:3]
        rolled = features.roll((-self.shift, -self.shift), (1, 2)) if self.shift else features
        pixels = self.qkv(self.split(rolled)).unflatten(-1, (3, self.heads, -1))
        query, key, value = pixels.permute(3, 0, 1, 4, 2, 5).flatten(
            1, 2
        )  # each (B windows, heads, window^2, C / heads)
        bias = self.position_bias[self.offsets].permute(2, 0, 1)
        if self.shift:
            bias = bias.masked_fill(self.apart(height, width, features.device)[:, None], -torch.inf)
            bias = bias.expand(features.shape[0], -1, -1, -1, -1).flatten(0, 1)
        attended = F.scaled_dot_product_attention(query, key, value, bias.to(query.dtype))
        joined = torch.unflatten(torch.cat(attended.unbind(1), dim=-1), 0, (features.shape[0], -1))
        merged = self.merge(self.project(joined), height)
        return merged.roll((self.shift, self.shift), (1, 2)) if self.shift else merged

    def split(self, features: Tensor) -> Tensor:
        """Cut into windows: (B, H, W, C) -> (B, windows, window^2, C)."""
        batch, height, width, channels = features.shape
        grid = features.reshape(batch, height // self.window, self.window, width // self.window, self.window, channels)
        return grid.transpose(2, 3).reshape(batch, -1, self.window**2, channels)

    def merge(self, windows: Tensor, height: int) -> Tensor:
        """Undo `split` for images of this height."""
        batch, _, _, channels = windows.shape
        grid = windows.reshape(batch, height // self.window, -1, self.window, self.window, channels)
        return grid.transpose(2, 3).reshape(batch, height, -1, channels)

    def apart(self, height: int, width: int, device: torch.device) -> Tensor:
        """Pairs in a window that only rolling brought together, from opposite borders: (windows, window^2, window^2)."""
        wrapped_rows = torch.arange(height, device=device) >= height - self.shift
        wrapped_columns = torch.arange(width, device=device) >= width - self.shift
        parts = self.split((2 * wrapped_rows[:, None] + wrapped_columns)[None, ..., None])[0, ..., 0]
        return parts[:, :, None] != parts[:, None, :]


def shift_of(place: int, window: int) -> int:
    """Every second layer's windows lie across the borders of those before."""
    return window // 2 if place % 2 else 0


def relative_positions(window: int) -> Tensor:
    """The row of the bias table for each pair of a window's pixels: (window^2, window^2)."""
    rows, columns = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
    down = rows.flatten()[:, None] - rows.flatten() + window - 1
    right = columns.flatten()[:, None] - columns.flatten() + window - 1
    return down * (2 * window - 1) + right


def channels_last(features: Tensor) -> Tensor:
    return features.permute(0, 2, 3, 1)


def channels_first(features: Tensor) -> Tensor:
    return features.permute(0, 3, 1, 2)


def reach(depths: Sequence[int], window: int) -> int:
    """How far a pixel sees, along one axis: by following the layers back from every place in a window."""
    farthest = 0
    for place in range(window):
        low, high = place - 1, place + 1  # the last convolution
        for depth in reversed(depths):
            low, high = low - 1, high + 1
            for shift in (shift_of(layer, window) for layer in reversed(range(depth))):
                low = (low - shift) // window * window + shift
                high = (high - shift) // window * window + shift + window - 1
        farthest = max(farthest, place - low + 1, high + 1 - place)
    return farthest
