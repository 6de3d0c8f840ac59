"""MSG-Net: a pyramid of the photograph's features guides each doubling (Hui, Loy, Tang, ECCV 2016).

Layers are those of the authors' definition for x4. Both inputs lose their low frequencies, and what is made is what to add
to the map's bicubic enlargement, which keeps them.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.guided.ranged import Ranged, box


def layer(inputs: int, outputs: int, size: int = 5) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, padding=size // 2), nn.PReLU(outputs))


def doubling(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 5, 2, padding=2, output_padding=1), nn.PReLU(outputs))


class MSGNet(Ranged):
    """See the module.

    Args:
        scale: a power of two.
        width: channels of features (paper: 32).
        guide_channels: see `Ranged`; a photograph's luma is taken.
        range_from: see `Ranged`.
        back_projections: see `Ranged`.
        channels: see `Ranged`.
    """

    def __init__(
        self,
        scale: int,
        width: int = 32,
        guide_channels: int = 3,
        range_from: Literal["lr", "given"] = "lr",
        back_projections: int = 0,
        channels: int = 1,
    ) -> None:
        levels = scale.bit_length() - 1
        if scale < 2 or scale != 2**levels:
            raise ValueError(f"scale={scale}: MSG-Net doubles, choose 2, 4, 8 or 16.")
        super().__init__(scale, guide_channels, range_from, back_projections, channels=channels)
        self.guide_head = nn.Sequential(layer(1, 49, 7), layer(49, width))
        self.guide_levels = nn.ModuleList(layer(width, width) for _ in range(levels - 1))
        self.head = layer(channels, 2 * width)
        self.doublings = nn.ModuleList(doubling(2 * width if level == 0 else width, width) for level in range(levels))
        self.fusions = nn.ModuleList(nn.Sequential(layer(2 * width, width), layer(width, width)) for _ in range(levels))
        self.tail = nn.Sequential(layer(width, width), nn.Conv2d(width, channels, 5, padding=2))

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        luma = guide.mean(1, keepdim=True)
        pyramid = [self.guide_head(high_frequencies(luma))]
        for level in self.guide_levels:
            pyramid.append(F.max_pool2d(level(pyramid[-1]), 3, stride=2, padding=1))
        features = self.head(high_frequencies(lr))
        for double, fuse, guiding in zip(self.doublings, self.fusions, reversed(pyramid), strict=True):
            features = fuse(torch.cat([guiding, double(features)], 1))
        residual: Tensor = self.tail(features)
        return self.enlarged(lr) + residual


def high_frequencies(image: Tensor) -> Tensor:
    """An image without the mean of each pixel's 3 x 3 surrounding."""
    return image - box(image, 1)
