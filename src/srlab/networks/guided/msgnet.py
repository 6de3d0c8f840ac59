"""MSG-Net: a pyramid of the photograph's features guides each doubling (Hui, Loy, Tang, ECCV 2016).

Layers are those of the authors' definitions. Both inputs lose their low frequencies; what is made is the map's high ones, to
which its low ones are added, enlarged by bicubic interpolation. Where the authors leave a map's last row and column away,
so that each pooling and each doubling keeps its pixels over each other, borders are padded instead; and a photograph's
brightness is not stretched.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.color import rgb_to_y
from srlab.networks.guided.ranged import Ranged, box


def layer(inputs: int, outputs: int, size: int = 5) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, padding=size // 2), nn.PReLU(outputs))


class Doubling(nn.Sequential):
    """A transposed convolution and a PReLU: (B, inputs, H, W) -> (B, outputs, 2 H, 2 W).

    Args:
        inputs, outputs: channels.
        first: pixel i comes to 2 i, as in the authors' first one; else to 2 i + 1, where `halved` has taken it from. So a
            pixel of LR stays within half a pixel of HR of its place, at any scale.
    """

    def __init__(self, inputs: int, outputs: int, first: bool) -> None:
        enlarge = nn.ConvTranspose2d(inputs, outputs, 5, 2, padding=2 if first else 1, output_padding=int(first))
        super().__init__(enlarge, nn.PReLU(outputs))

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        doubled: Tensor = super().forward(features)  # type: ignore[no-untyped-call]
        return doubled[..., : 2 * height, : 2 * width]


def halved(features: Tensor) -> Tensor:
    """The largest of the 3 x 3 pixels around each odd one: (B, C, H, W), even sides -> (B, C, H / 2, W / 2)."""
    return F.max_pool2d(F.pad(features, (0, 1, 0, 1), mode="replicate"), 3, stride=2)


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
        self.doublings = nn.ModuleList(
            Doubling(width if level else 2 * width, width, first=level == 0) for level in range(levels)
        )
        self.fusions = nn.ModuleList(nn.Sequential(layer(2 * width, width), layer(width, width)) for _ in range(levels))
        self.tail = nn.Sequential(layer(width, width), nn.Conv2d(width, channels, 5, padding=2))

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        luma = rgb_to_y(guide) if guide.shape[1] == 3 else guide.mean(1, keepdim=True)
        pyramid = [self.guide_head(luma - box(luma, 1))]
        for level in self.guide_levels:
            pyramid.append(halved(level(pyramid[-1])))
        low = box(lr, 1)
        features = self.head(lr - low)
        for double, fuse, guiding in zip(self.doublings, self.fusions, reversed(pyramid), strict=True):
            features = fuse(torch.cat([guiding, double(features)], 1))
        high: Tensor = self.tail(features)
        return self.enlarged(low) + high
