"""Enlarge any image with any network: sizes, channels and precision are matched here and nowhere else."""

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
def enlarge(network: Network, lr: Tensor) -> Tensor:
    """Super-resolve whole images: (B, C, H, W) in [0, 1] -> (B, C, scale H, scale W), clamped to [0, 1].

    A network of one channel is given the Y of an RGB image, and Cb and Cr are enlarged by bicubic interpolation. A
    network of three channels is given a grey image three times, and its mean is taken. The image is padded by
    reflection to the sizes that the network can take.

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
        return _enlarge_padded(network, lr).clamp(0, 1)
    if network.channels == 1:
        ycbcr = rgb_to_ycbcr(lr)
        y = _enlarge_padded(network, ycbcr[:, :1])
        ycbcr = torch.cat([y, resize(ycbcr[:, 1:], scale=network.scale)], dim=-3)
        return ycbcr_to_rgb(ycbcr).clamp(0, 1)
    return _enlarge_padded(network, lr.expand(-1, 3, -1, -1)).mean(-3, keepdim=True).clamp(0, 1)


def enlarge_with_alpha(network: Network, lr: Tensor) -> Tensor:
    """Super-resolve the colours, and enlarge the last channel, alpha, by bicubic interpolation."""
    alpha = resize(lr[:, -1:], scale=network.scale).clamp(0, 1)
    return torch.cat([enlarge(network, lr[:, :-1]), alpha], dim=-3)


def _enlarge_padded(network: Network, lr: Tensor) -> Tensor:
    height, width = lr.shape[-2:]
    below, right = -height % network.multiple_of, -width % network.multiple_of
    if below or right:
        mode = "reflect" if below < height and right < width else "replicate"
        lr = F.pad(lr, (0, right, 0, below), mode=mode)
    sr: Tensor = network(lr).sr
    return sr[..., : height * network.scale, : width * network.scale].float()


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and back."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
