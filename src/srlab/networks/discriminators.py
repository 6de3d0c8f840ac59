"""Discriminators: an image (B, C, H, W) in [0, 1] -> logits, higher where it looks real; without a sigmoid."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from srlab.errors import InputError
from srlab.networks.blocks import norm_layer


class Discriminator(nn.Module, ABC):
    """Base of the discriminators. A subclass implements `judge`; calling the discriminator checks the image first.

    Args:
        in_channels: C.
        smallest: the least H and W.
        multiple_of: H and W must be multiples of it.

    Raises:
        InputError: at the call, for an image that does not fit.
    """

    def __init__(self, in_channels: int, smallest: int, multiple_of: int = 1) -> None:
        super().__init__()
        self.in_channels, self.smallest, self.multiple_of = in_channels, smallest, multiple_of

    def forward(self, image: Tensor) -> Tensor:
        sides = image.shape[2:]
        if image.shape[1] != self.in_channels or min(sides) < self.smallest or any(s % self.multiple_of for s in sides):
            multiples = f", and multiples of {self.multiple_of}" if self.multiple_of > 1 else ""
            raise InputError(
                f"{type(self).__name__} judges images (B, {self.in_channels}, H, W) with H and W from {self.smallest}"
                f"{multiples}, got {tuple(image.shape)}: change data.patch (LR pixels), or the discriminator."
            )
        return self.judge(image)

    @abstractmethod
    def judge(self, image: Tensor) -> Tensor:
        """The logits of images that fit."""


class VGGStyle(Discriminator):
    """Pairs of convolutions, the second of stride 2, and two dense layers: (B, C, H, W) -> (B, 1).

    SRGAN's (Ledig et al., CVPR 2017, figure 4), ESRGAN's VGG-128 and EnhanceNet's (Sajjadi et al., ICCV 2017) by their
    numbers. What the convolutions leave is averaged to `grid` x `grid`, which at the paper's size changes nothing, so
    that crops of any size are judged.

    Args:
        in_channels: C.
        widths: channels of each pair; each pair halves the image.
        halving_kernel_size: of the convolutions of stride 2: 3, or 4.
        norm: after every convolution but the first: batch or none.
        grid: rows and columns that the dense layers see.
        hidden: between the dense layers.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int] = (64, 128, 256, 512),
        halving_kernel_size: int = 3,
        norm: str = "batch",
        grid: int = 6,
        hidden: int = 1024,
    ) -> None:
        super().__init__(in_channels, smallest=2 ** len(widths))
        layers: list[nn.Module] = []
        before = in_channels
        for width in widths:
            layers += [nn.Conv2d(before, width, 3, padding=1), norm_layer(norm if layers else "none", width)]
            layers += [nn.LeakyReLU(0.2), nn.Conv2d(width, width, halving_kernel_size, stride=2, padding=1)]
            layers += [norm_layer(norm, width), nn.LeakyReLU(0.2)]
            before = width
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(grid)
        self.head = nn.Sequential(
            nn.Flatten(), nn.Linear(before * grid**2, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1)
        )

    def judge(self, image: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pool(self.features(image)))
        return logits


class PatchGAN(Discriminator):
    """Fully convolutional: a logit for each patch, (B, C, H, W) -> (B, 1, h, w) (pix2pix; arXiv 1611.07004, 6.1.2).

    Args:
        in_channels: C.
        width: channels of the first convolution; each further one has twice as many, at most 8 times `width`.
        strides: of the 4x4 convolutions before the last (2, 2, 2, 1: patches of 70 x 70; 1, 1, 1, 1: of 16 x 16).
        norm: after every convolution but the first and the last: batch, instance or none.
    """

    def __init__(
        self, in_channels: int, width: int = 64, strides: Sequence[int] = (2, 2, 2, 1), norm: str = "batch"
    ) -> None:
        smallest = 2  # of the last convolution's input, which it takes one off
        layers: list[nn.Module] = []
        before = in_channels
        for place, stride in enumerate(strides):
            after = width * min(2**place, 8)
            plain = norm == "none" or place == 0
            layers += [nn.Conv2d(before, after, 4, stride, padding=1, bias=plain)]
            layers += [norm_layer("none" if plain else norm, after), nn.LeakyReLU(0.2)]
            before = after
        for stride in reversed(strides):
            smallest = (smallest - 1) * stride + 2
        super().__init__(in_channels, smallest)
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 4, padding=1))

    def judge(self, image: Tensor) -> Tensor:
        logits: Tensor = self.layers(image)
        return logits


class UNetDiscriminator(Discriminator):
    """A logit for each pixel, by a U-Net with spectral norm: (B, C, H, W) -> (B, 1, H, W) (Real-ESRGAN; 2107.10833, 3.3).

    Args:
        in_channels: C.
        width: channels at full size; twice as many after each of the three halvings.
    """

    def __init__(self, in_channels: int, width: int = 64) -> None:
        super().__init__(in_channels, smallest=8, multiple_of=8)
        widths = [width, 2 * width, 4 * width, 8 * width]
        pairs = list(pairwise(widths))
        self.first = nn.Conv2d(in_channels, width, 3, padding=1)
        self.down = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False)) for a, b in pairs)
        self.up = nn.ModuleList(spectral_norm(nn.Conv2d(b, a, 3, padding=1, bias=False)) for a, b in reversed(pairs))
        self.last = nn.ModuleList(spectral_norm(nn.Conv2d(width, width, 3, padding=1, bias=False)) for _ in range(2))
        self.logit = nn.Conv2d(width, 1, 3, padding=1)

    def judge(self, image: Tensor) -> Tensor:
        features = F.leaky_relu(self.first(image), 0.2)
        skipped = []
        for layer in self.down:
            skipped.append(features)
            features = F.leaky_relu(layer(features), 0.2)
        for layer in self.up:
            enlarged = F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
            features = F.leaky_relu(layer(enlarged), 0.2) + skipped.pop()
        for layer in self.last:
            features = F.leaky_relu(layer(features), 0.2)
        logits: Tensor = self.logit(features)
        return logits
