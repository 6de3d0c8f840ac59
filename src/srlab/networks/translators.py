"""Nets from one domain of images to another (CinCGAN; Yuan et al., CVPR workshops 2018, figure 3), and what follows one."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from srlab.degradation.downscale import downscale
from srlab.networks.network import Network, chained_halo, halo_of_layers
from srlab.types import Prediction

STRIDES = {1: (1, 1), 2: (2, 1), 3: (3, 1), 4: (2, 2), 8: (4, 2)}
"""Of the second and the third convolution, by the scale."""


class Translator(nn.Module):
    """An image to an image of another domain: (B, C, scale H, scale W) -> (B, C, H, W).

    As published, 609,731 parameters at scale 1 (G1 and G2), 667,075 at scale 4 (G3): a convolution of stride s has
    kernels of s + 2.

    Args:
        channels: C.
        scale: how many times smaller the result is: 1, 2, 3, 4 or 8.
        width: features.
        blocks: residual blocks.
        residual: learn what to add to the (bicubically reduced) image, beginning with nothing; else the image itself.
    """

    def __init__(self, channels: int, scale: int = 1, width: int = 64, blocks: int = 6, residual: bool = False) -> None:
        super().__init__()
        if scale not in STRIDES:
            raise ValueError(f"scale={scale}: a translator reduces by {', '.join(map(str, STRIDES))}.")
        if min(width, blocks) < 1:
            raise ValueError(f"translator.width={width}, translator.blocks={blocks}: give 1 or more.")
        self.channels, self.scale, self.residual = channels, scale, residual
        head: list[nn.Module] = [nn.Conv2d(channels, width, 7, padding=3), _activation()]
        for stride in STRIDES[scale]:
            head += [nn.Conv2d(width, width, stride + 2, stride, padding=1), _activation()]
        tail: list[nn.Module] = []
        for _ in range(2):
            tail += [nn.Conv2d(width, width, 3, padding=1), _activation()]
        last = nn.Conv2d(width, channels, 7, padding=3)
        if residual:
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.layers = nn.Sequential(*head, *(TranslatorBlock(width) for _ in range(blocks)), *tail, last)

    def forward(self, image: Tensor) -> Tensor:
        made: Tensor = self.layers(image)
        if not self.residual:
            return made
        return made + (image if self.scale == 1 else downscale(image, self.scale, 0, rounding="none"))


class TranslatorBlock(nn.Module):
    """Two convolutions, each with a leaky ReLU, around an identity: (B, F, H, W) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), _activation(), nn.Conv2d(width, width, 3, padding=1), _activation()
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.layers(features)
        return changed


class Chained(Network):
    """A translator of LR images to clean ones, and the network that enlarges those: real LR -> HR.

    Args:
        translator: makes a `Translator`, when called with `channels`.
        network: clean LR -> HR.
    """

    def __init__(self, translator: Callable[..., Translator], network: Network) -> None:
        made = translator(channels=network.channels)
        halo = chained_halo(halo_of_layers(made), network.halo)
        super().__init__(network.channels, network.scale, network.multiple_of, halo)
        self.translator, self.enlarger = made, network

    def predict(self, lr: Tensor) -> Prediction:
        prediction: Any = self.enlarger(self.translator(lr))
        assert isinstance(prediction, Prediction)
        return prediction


def _activation() -> nn.Module:
    return nn.LeakyReLU(0.2)
