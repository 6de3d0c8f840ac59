"""Enlarge any image with any network: sizes, channels and precision are matched here and nowhere else."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.color import rgb_to_ycbcr, ycbcr_to_rgb
from srlab.data.pixels import channels_fit
from srlab.degradation.resize import resize
from srlab.errors import InputError
from srlab.networks.network import Network


@torch.no_grad()
def enlarge(network: Network, lr: Tensor, scale: float | None = None, guide: Tensor | None = None) -> Tensor:
    """Super-resolve whole images: (B, C, H, W) in [0, 1] -> (B, C, scale H, scale W), clamped to [0, 1].

    A network of one channel is given the Y of an RGB image, and Cb and Cr are enlarged by bicubic interpolation. A
    network of three channels is given a grey image three times, and its mean is taken. The image is padded by
    reflection to the sizes that the network can take.

    Args:
        network: with C channels, or with 1 for RGB, or with 3 for grey images.
        lr: (B, C, H, W).
        scale: another than the network's own, for networks of several or any; sizes are rounded down.
        guide: (B, G, scale H, scale W), for networks that take one; others do without.

    Raises:
        InputError: the network's channels do not fit the image's, or its guide is missing.
    """
    channels = lr.shape[-3]
    if not channels_fit(channels, network.channels):
        raise InputError(
            f"The network takes {network.channels} channels and the image has {channels}: convert the image, or train "
            f"with channels={channels}."
        )
    if network.guide_channels is not None:
        return _enlarge_guided(network, lr, guide).clamp(0, 1)
    if channels == network.channels:
        return _enlarge_padded(network, lr, scale).clamp(0, 1)
    if network.channels == 1:
        ycbcr = rgb_to_ycbcr(lr)
        y = _enlarge_padded(network, ycbcr[:, :1], scale)
        ycbcr = torch.cat([y, resize(ycbcr[:, 1:], size=(y.shape[-2], y.shape[-1]))], dim=-3)
        return ycbcr_to_rgb(ycbcr).clamp(0, 1)
    return _enlarge_padded(network, lr.expand(-1, 3, -1, -1), scale).mean(-3, keepdim=True).clamp(0, 1)


def enlarge_with_alpha(network: Network, lr: Tensor, scale: float | None = None) -> Tensor:
    """Super-resolve the colours, and enlarge the last channel, alpha, by bicubic interpolation."""
    colours = enlarge(network, lr[:, :-1], scale)
    alpha = resize(lr[:, -1:], size=(colours.shape[-2], colours.shape[-1])).clamp(0, 1)
    return torch.cat([colours, alpha], dim=-3)


def _enlarge_guided(network: Network, lr: Tensor, guide: Tensor | None) -> Tensor:
    height, width = (side * network.scale for side in lr.shape[-2:])
    if guide is None or guide.shape[1] != network.guide_channels or tuple(guide.shape[-2:]) != (height, width):
        found = "none" if guide is None else tuple(guide.shape[1:])
        raise InputError(
            f"The network takes a guide of {network.guide_channels} channels, {height} x {width}, beside the image, got "
            f"{found}: take data with such guides."
        )
    sr: Tensor = network(_padded(lr, network.multiple_of), _padded(guide, network.multiple_of * network.scale)).sr
    return sr[..., :height, :width].float()


def _padded(image: Tensor, multiple: int) -> Tensor:
    """The image, reflected below and to the right until its sides are multiples."""
    height, width = image.shape[-2:]
    below, right = -height % multiple, -width % multiple
    if not (below or right):
        return image
    return F.pad(image, (0, right, 0, below), mode="reflect" if below < height and right < width else "replicate")


def _enlarge_padded(network: Network, lr: Tensor, scale: float | None) -> Tensor:
    height, width = lr.shape[-2:]
    lr = _padded(lr, network.multiple_of)
    sr: Tensor = network(lr).sr if scale is None else network(lr, scale).sr
    factor = network.scale if scale is None else scale
    return sr[..., : math.floor(height * factor), : math.floor(width * factor)].float()


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and back."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
