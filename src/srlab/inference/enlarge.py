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
def enlarge(network: Network, lr: Tensor, scale: float | None = None) -> Tensor:
    """Super-resolve whole images: (B, C, H, W) in [0, 1] -> (B, C, scale H, scale W), clamped to [0, 1].

    A network of one channel is given the Y of an RGB image, and Cb and Cr are enlarged by bicubic interpolation. A
    network of three channels is given a grey image three times, and its mean is taken. The image is padded by
    reflection to the sizes that the network can take.

    Args:
        network: with C channels, or with 1 for RGB, or with 3 for grey images.
        lr: (B, C, H, W).
        scale: another than the network's own, for networks of several or any; sizes are rounded down.

    Raises:
        InputError: the network's channels do not fit the image's.
    """
    channels = lr.shape[-3]
    if not channels_fit(channels, network.channels):
        raise InputError(
            f"The network takes {network.channels} channels and the image has {channels}: convert the image, or train "
            f"with channels={channels}."
        )
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


def _enlarge_padded(network: Network, lr: Tensor, scale: float | None) -> Tensor:
    height, width = lr.shape[-2:]
    below, right = -height % network.multiple_of, -width % network.multiple_of
    if below or right:
        mode = "reflect" if below < height and right < width else "replicate"
        lr = F.pad(lr, (0, right, 0, below), mode=mode)
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
