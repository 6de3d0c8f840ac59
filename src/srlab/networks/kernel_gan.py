"""KernelGAN's players (Bell-Kligler, Shocher, Irani; NeurIPS 2019, arXiv 1909.06581, section 3).

The generator reduces an image, and is nothing but a blur kernel, written as a product of convolutions: a deep linear
network finds what a single layer of as many weights does not.
"""

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from srlab.networks.discriminators import Discriminator

M = TypeVar("M", bound=nn.Conv2d)


class LinearGenerator(nn.Module):
    """Convolutions in a row, without biases and without anything between them; the last one keeps every `stride`-th pixel.

    Each channel is reduced alone: (B, C, H, W) -> (B, C, h, w), h = (H - K) // stride + 1.

    Args:
        kernel_sizes: of the convolutions (paper: 7, 5, 3, 1, 1, 1, which together see K = 13 pixels).
        width: channels between them.
        stride: HR pixels per LR pixel.
    """

    def __init__(self, kernel_sizes: Sequence[int] = (7, 5, 3, 1, 1, 1), width: int = 64, stride: int = 2) -> None:
        super().__init__()
        if len(kernel_sizes) < 2 or any(size < 1 or size % 2 == 0 for size in kernel_sizes):
            raise ValueError(f"kernel_sizes={list(kernel_sizes)}: give two or more odd sizes, as 7, 5, 3, 1, 1, 1.")
        self.stride = stride
        self.kernel_size = sum(size - 1 for size in kernel_sizes) + 1
        channels = [1, *[width] * (len(kernel_sizes) - 1), 1]
        self.layers = nn.Sequential(
            *(
                initialised(nn.Conv2d(before, after, size, stride if place == len(kernel_sizes) - 1 else 1, bias=False))
                for place, (before, after, size) in enumerate(zip(channels, channels[1:], kernel_sizes, strict=False))
            )
        )

    def forward(self, image: Tensor) -> Tensor:
        reduced: Tensor = self.layers(image.flatten(0, 1)[:, None])
        return reduced.view(*image.shape[:2], *reduced.shape[-2:])

    def kernel(self) -> Tensor:
        """The kernel (K, K) that the convolutions make together, in the position in which it acts.

        `reduce(image, generator.kernel(), stride)` equals `generator(image)`, and so do all gradients, at a fortieth of
        the work for a crop of 64 x 64. A correlation's answer to a single pixel is its kernel, turned by 180 degrees.
        """
        answer = next(self.parameters()).new_ones(1, 1, 1, 1)
        answer = F.pad(answer, (self.kernel_size - 1,) * 4)
        for layer in self.layers:
            answer = F.conv2d(answer, layer.weight)  # type: ignore[arg-type]
        return answer[0, 0].flip(0, 1)


def reduce(image: Tensor, kernel: Tensor, stride: int) -> Tensor:
    """Correlate each channel with a kernel (K, K) where it lies within: (B, C, H, W) -> (B, C, h, w)."""
    weights = kernel.expand(image.shape[1], 1, -1, -1)
    return F.conv2d(image, weights, stride=stride, groups=image.shape[1])


class PatchCritic(Discriminator):
    """A logit for each 7 x 7 patch: (B, C, H, W) -> (B, 1, H - 6, W - 6).

    One convolution that sees, and 1 x 1 convolutions that judge, with batch norm and ReLU; all with spectral norm.

    Args:
        in_channels: C.
        width: channels.
        patch: pixels on each side that a logit sees.
        depth: of the 1 x 1 convolutions before the last (paper's figure 3, and the authors' code: 5).
    """

    def __init__(self, in_channels: int, width: int = 64, patch: int = 7, depth: int = 5) -> None:
        super().__init__(in_channels, smallest=patch)
        self.patch = patch
        layers: list[nn.Module] = [spectral_norm(initialised(nn.Conv2d(in_channels, width, patch)))]
        for _ in range(depth):
            norm = nn.BatchNorm2d(width)
            nn.init.normal_(norm.weight, 1.0, 0.02)
            layers += [spectral_norm(initialised(nn.Conv2d(width, width, 1))), norm, nn.ReLU()]
        self.layers = nn.Sequential(*layers, spectral_norm(initialised(nn.Conv2d(width, 1, 1))))

    def judge(self, image: Tensor) -> Tensor:
        logits: Tensor = self.layers(image)
        return logits


@torch.no_grad()
def initialised(layer: M) -> M:
    """The layer, its weights drawn as the authors draw them."""
    nn.init.xavier_normal_(layer.weight, 0.1)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
