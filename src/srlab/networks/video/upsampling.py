"""Enlargement by twos, as networks of clips have it."""

from torch import nn

from srlab.networks.blocks import Convolution


def doublings(scale: int) -> int:
    """How often a scale doubles.

    Raises:
        ValueError: it is no power of two.
    """
    if scale < 1 or scale & (scale - 1):
        raise ValueError(f"scale={scale}: this network enlarges by twos, choose 2, 4 or 8.")
    return scale.bit_length() - 1


def by_subpixels(width: int, scale: int, slope: float | None) -> nn.Sequential:
    """Sub-pixel layers by twos: (B, width, H, W) -> (B, width, scale H, scale W).

    Args:
        width: channels.
        scale: a power of two.
        slope: of the leaky ReLU after each; None: there is none.
    """
    layers: list[nn.Module] = []
    for _ in range(doublings(scale)):
        layers += [Convolution(width, 4 * width), nn.PixelShuffle(2)]
        layers += [] if slope is None else [nn.LeakyReLU(slope, inplace=True)]
    return nn.Sequential(*layers)
