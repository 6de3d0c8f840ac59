"""Wide activation: few channels between blocks, many before the ReLU (WDSR; Yu et al., 2018, arXiv 1808.08718).

The 5x5 shortcut from the LR image, and the sub-pixel layer straight to the image, are the framework's.
"""

from torch import Tensor, nn

from srlab.networks.blocks import Convolution


class WDSR(nn.Module):
    """A head and wide residual blocks: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels between the blocks.
        blocks: residual blocks (paper: 16).
        expansion: times `width` before the ReLU (WDSR-A: 4; WDSR-B: 6).
        low_rank: 0: two 3x3 convolutions (WDSR-A). Else the expansion is a 1x1 convolution, followed by a 1x1
            convolution to `low_rank` times `width` and a 3x3 one (WDSR-B: 0.8; section 3.3).
        weight_norm: learn direction and length of each filter apart (section 3.4).
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 32,
        blocks: int = 16,
        expansion: int = 4,
        low_rank: float = 0.0,
        weight_norm: bool = True,
    ) -> None:
        super().__init__()
        self.head = Convolution(in_channels, width, weight_norm=weight_norm)
        self.body = nn.Sequential(*(WideBlock(width, expansion, low_rank, weight_norm) for _ in range(blocks)))
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 1 + (1 if low_rank else 2) * blocks

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.body(self.head(image))
        return features


class WideBlock(nn.Module):
    """x + narrow(relu(widen(x))): (B, width, H, W) -> the same (figure 2)."""

    def __init__(self, width: int, expansion: int, low_rank: float, weight_norm: bool) -> None:
        super().__init__()
        wide = width * expansion
        widen = Convolution(width, wide, 1 if low_rank else 3, weight_norm=weight_norm)
        if low_rank:
            rank = int(width * low_rank)
            narrow = [
                Convolution(wide, rank, 1, weight_norm=weight_norm),
                Convolution(rank, width, weight_norm=weight_norm),
            ]
        else:
            narrow = [Convolution(wide, width, weight_norm=weight_norm)]
        self.branch = nn.Sequential(widen, nn.ReLU(inplace=True), *narrow)

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.branch(features)
        return features + residual
