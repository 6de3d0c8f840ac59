"""Who a face is: MobileFaceNet (Chen et al., CCBR 2018, arXiv 1804.07573, table 1)."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.faces.alignment import five_points, similarity, warp
from srlab.faces.priors.prior import Prior

HEIGHT, WIDTH = 112, 96

TEMPLATE = ((30.2946, 51.6963), (65.5318, 51.5014), (48.0252, 71.7366), (33.5493, 92.3655), (62.7299, 92.2041))
"""Where the eyes, the nose's tip and the mouth's corners lie in a frame of 112 x 96, as SphereFace has them (Liu et al.,
CVPR 2017) and after it all that were trained on frames of this size."""

BOTTLENECKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
"""Expansion, channels, how many, and the first one's stride."""


class MobileFaceNet(Prior):
    """An embedding of 128 numbers, of length 1: the cosine of two is high where they are one person's.

    Args:
        weights: a checkpoint of the PyTorch port with `net_state_dict` (1.02 M parameters).
    """

    def __init__(self, weights: str | None) -> None:
        super().__init__(_MobileFaceNet(), weights, inside="net_state_dict")
        self.register_buffer("template", torch.tensor(TEMPLATE), persistent=False)

    def features(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], (B, 68, 2) -> (B, 128)."""
        placed = similarity(five_points(landmarks), self.get_buffer("template"))
        frames = warp(images, placed, HEIGHT, WIDTH)
        embedding: Tensor = self.network((frames * 255 - 127.5) / 128)
        return F.normalize(embedding, dim=1)


class _Convolved(nn.Module):
    """Convolution and batch normalisation, and PReLU unless it is linear."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int | tuple[int, int],
        stride: int,
        padding: int,
        groups: int,
        linear: bool,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(after)
        self.prelu = nn.Identity() if linear else nn.PReLU(after)

    def forward(self, features: Tensor) -> Tensor:
        return cast(Tensor, self.prelu(self.bn(self.conv(features))))


class _Bottleneck(nn.Module):
    """MobileNetV2's inverted residual, with PReLU (section 3.2)."""

    def __init__(self, before: int, after: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = before * expansion
        self.connected = stride == 1 and before == after
        self.conv = nn.Sequential(
            nn.Conv2d(before, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.PReLU(inner),
            nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            nn.PReLU(inner),
            nn.Conv2d(inner, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = self.conv(features)
        return features + changed if self.connected else changed


class _MobileFaceNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _Convolved(3, 64, 3, 2, 1, 1, linear=False)
        self.dw_conv1 = _Convolved(64, 64, 3, 1, 1, 64, linear=False)
        blocks, before = [], 64
        for expansion, channels, count, stride in BOTTLENECKS:
            for place in range(count):
                blocks.append(_Bottleneck(before, channels, stride if place == 0 else 1, expansion))
                before = channels
        self.blocks = nn.Sequential(*blocks)
        self.conv2 = _Convolved(before, 512, 1, 1, 0, 1, linear=False)
        self.linear7 = _Convolved(512, 512, (HEIGHT // 16, WIDTH // 16), 1, 0, 512, linear=True)
        self.linear1 = _Convolved(512, 128, 1, 1, 0, 1, linear=True)

    def forward(self, frames: Tensor) -> Tensor:
        features = self.conv2(self.blocks(self.dw_conv1(self.conv1(frames))))
        return cast(Tensor, self.linear1(self.linear7(features))).flatten(1)
