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
from srlab.networks.video.network import Read, as_video, frames_of, of_all

CLIP = 5
"""The axes of a clip (B, T, C, H, W)."""


@torch.no_grad()
def enlarge(network: Network, lr: Tensor, scale: float | None = None, guide: Tensor | None = None) -> Tensor:
    """Super-resolve whole images: (B, C, H, W) in [0, 1] -> (B, C, scale H, scale W), clamped to [0, 1]; or whole clips.

    A network of one channel is given the Y of an RGB image, and Cb and Cr are enlarged by bicubic interpolation. A
    network of three channels is given a grey image three times, and its mean is taken. The image is padded by
    reflection to the sizes that the network can take.

    Args:
        network: with C channels, or with 1 for RGB, or with 3 for grey images.
        lr: (B, C, H, W), or a clip (B, T, C, H, W).
        scale: another than the network's own, for networks of several or any; sizes are rounded down.
        guide: (B, G, scale H, scale W), for networks that take one; others do without.

    Raises:
        InputError: the network's channels do not fit the image's, or its guide is missing.
    """
    if lr.ndim == CLIP:
        return of_all(enlarge_clip(network, frames_of(lr), lr.shape[1]))
    require_fit(network, lr)
    if network.guide_channels is not None:
        return _enlarge_guided(network, lr, guide).clamp(0, 1)
    given = fitted(network, lr)
    sr: Tensor = network(given).sr if scale is None else network(given, scale).sr
    return restored(network, sr, lr, network.scale if scale is None else scale)


@torch.no_grad()
def enlarge_clip(network: Network, read: Read, length: int, chunk: int = 16) -> Iterator[Tensor]:
    """Super-resolve a clip of any length, some frames at a time: (B, t, C, scale H, scale W), as `enlarge` does whole ones.

    A network of single images takes it frame by frame.

    Args:
        network: as in `enlarge`.
        read: gives any of the clip's frames, more than once and in any order.
        length: of the clip, in frames.
        chunk: frames at a time; the result is the same with any.

    Raises:
        InputError: the network's channels do not fit the frames', or it takes a guide.
    """
    require_fit(network, read(0, 1))
    if network.guide_channels is not None:
        raise InputError(f"{type(network).__name__} takes a guide beside each image, and clips have none.")

    def read_fitted(start: int, stop: int) -> Tensor:
        frames = read(start, stop)
        return torch.unflatten(fitted(network, frames.flatten(0, 1)), 0, frames.shape[:2])

    done = 0
    for sr in as_video(network).stream(read_fitted, length, chunk):
        lr = read(done, done + sr.shape[1])
        yield torch.unflatten(restored(network, sr.flatten(0, 1), lr.flatten(0, 1), network.scale), 0, sr.shape[:2])
        done += sr.shape[1]


def require_fit(network: Network, lr: Tensor) -> None:
    """Refuse images (..., C, H, W) whose channels the network cannot take (`InputError`)."""
    channels = lr.shape[-3]
    if not channels_fit(channels, network.channels):
        raise InputError(
            f"The network takes {network.channels} channels and the image has {channels}: convert the image, or train "
            f"with channels={channels}."
        )


def fitted(network: Network, lr: Tensor) -> Tensor:
    """Images (B, C, H, W) as the network takes them: with its number of channels, at a size of its unit."""
    if lr.shape[1] != network.channels:
        lr = rgb_to_ycbcr(lr)[:, :1] if network.channels == 1 else lr.expand(-1, 3, -1, -1)
    return _padded(lr, network.multiple_of)


def restored(network: Network, sr: Tensor, lr: Tensor, factor: float) -> Tensor:
    """What a network made of `fitted` images, in their own channels and at their own size, clamped to [0, 1].

    Args:
        network: that made it.
        sr: (B, network.channels, ...), with what the padding became.
        lr: (B, C, H, W) as they came.
        factor: of the enlargement.
    """
    sr = sr[..., : math.floor(lr.shape[-2] * factor), : math.floor(lr.shape[-1] * factor)].float()
    if lr.shape[1] != network.channels:
        if network.channels == 1:
            chroma = resize(rgb_to_ycbcr(lr)[:, 1:], size=(sr.shape[-2], sr.shape[-1]))
            sr = ycbcr_to_rgb(torch.cat([sr, chroma], dim=1))
        else:
            sr = sr.mean(1, keepdim=True)
    return sr.clamp(0, 1)


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


@contextmanager
def evaluating(network: torch.nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and back."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
