"""Cascading residual blocks, plain or in groups with shared weights (CARN; Ahn et al., ECCV 2018, arXiv 1803.08664)."""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution


class CARN(nn.Module):
    """A head and a cascade of cascades: (B, in_channels, H, W) -> (B, width, H, W) (section 3.2).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        blocks: residual blocks in each cascade, and cascades in all (paper: 3).
        groups: 1: CARN. More: CARN-M, whose blocks have grouped convolutions (paper: 4) and a pointwise one, and are
            one and the same block within a cascade (section 3.3).
    """

    def __init__(self, in_channels: int, width: int = 64, blocks: int = 3, groups: int = 1) -> None:
        super().__init__()
        self.head = Convolution(in_channels, width)
        self.cascade = Cascade(width, [cascade_of_blocks(width, blocks, groups) for _ in range(blocks)], blocks)
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 1 + 2 * blocks * blocks

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.cascade(self.head(image))
        return features


def cascade_of_blocks(width: int, blocks: int, groups: int) -> "Cascade":
    if groups == 1:
        return Cascade(width, [Block(width) for _ in range(blocks)], blocks)
    return Cascade(width, [EfficientBlock(width, groups)], blocks)


class Cascade(nn.Module):
    """Parts in a row; after each, a 1x1 convolution fuses the input and all outputs so far: (B, width, H, W) -> same.

    Args:
        width: channels.
        parts: what is cascaded; a single one serves at every step (weights shared).
        steps: how many parts the input goes through.
    """

    def __init__(self, width: int, parts: list[nn.Module], steps: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.fusions = nn.ModuleList(
            nn.Sequential(Convolution((step + 2) * width, width, 1), nn.ReLU(inplace=True)) for step in range(steps)
        )

    def forward(self, features: Tensor) -> Tensor:
        gathered = features
        for step, fusion in enumerate(self.fusions):
            part = self.parts[step if len(self.parts) > 1 else 0]
            gathered = torch.cat([gathered, part(features)], dim=1)
            features = fusion(gathered)
        return features


class Block(nn.Module):
    """relu(x + convolution(relu(convolution(x)))): (B, width, H, W) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(Convolution(width, width), nn.ReLU(inplace=True), Convolution(width, width))

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(features + self.branch(features))


class EfficientBlock(nn.Module):
    """A block with grouped 3x3 convolutions, mixed by a 1x1 one: (B, width, H, W) -> the same."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            Convolution(width, width, groups=groups),
            nn.ReLU(inplace=True),
            Convolution(width, width, groups=groups),
            nn.ReLU(inplace=True),
            Convolution(width, width, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(features + self.branch(features))
