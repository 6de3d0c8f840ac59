"""Residual in residual with channel attention (RCAN; Zhang et al., ECCV 2018, arXiv 1807.02758, section 3)."""

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, LongSkip


class RCAN(LongSkip):
    """A head, residual groups and a convolution under a long skip: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        groups: residual groups (paper: 10).
        blocks: attention blocks in each group (paper: 20).
        reduction: of the attention's squeeze (paper: 16).
    """

    def __init__(
        self, in_channels: int, width: int = 64, groups: int = 10, blocks: int = 20, reduction: int = 16
    ) -> None:
        head = Convolution(in_channels, width)
        body = [ResidualGroup(width, blocks, reduction) for _ in range(groups)]
        # The attention averages the whole image.
        super().__init__(in_channels, width, head, [*body, Convolution(width, width)], halo=None)


class ResidualGroup(nn.Module):
    """Attention blocks and a convolution under a skip: (B, width, H, W) -> the same."""

    def __init__(self, width: int, blocks: int, reduction: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*(AttentionBlock(width, reduction) for _ in range(blocks)), Convolution(width, width))

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.body(features)
        return features + residual


class AttentionBlock(nn.Module):
    """A residual block whose branch ends in channel attention: (B, width, H, W) -> the same."""

    def __init__(self, width: int, reduction: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            Convolution(width, width),
            nn.ReLU(inplace=True),
            Convolution(width, width),
            ChannelAttention(width, reduction),
        )

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.branch(features)
        return features + residual


class ChannelAttention(nn.Module):
    """Rescale channels by a squeeze-and-excitation gate: (B, C, H, W) -> (B, C, H, W).

    Args:
        channels: C.
        reduction: C is squeezed to C / reduction (paper: 16).

    Raises:
        ValueError: `reduction` does not divide C.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        if channels % reduction:
            raise ValueError(f"channels={channels} is not a multiple of reduction={reduction}: choose a divisor.")
        self.gate = gate(channels, reduction)

    def forward(self, features: Tensor) -> Tensor:
        weights: Tensor = self.gate(features.mean(dim=(2, 3), keepdim=True))
        return features * weights


def gate(channels: int, reduction: int) -> nn.Sequential:
    """From one number a channel (B, C, 1, 1) to its weight in (0, 1)."""
    return nn.Sequential(
        nn.Conv2d(channels, channels // reduction, 1),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels // reduction, channels, 1),
        nn.Sigmoid(),
    )
