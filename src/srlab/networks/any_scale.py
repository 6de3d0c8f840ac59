"""One network for every real scale: kernels predicted from the scale (Meta-SR; Hu et al., CVPR 2019, arXiv 1903.00875)."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import Convolution
from srlab.networks.frameworks import PostUpsampling
from srlab.types import Prediction

ROWS = 64
"""Enlarged rows made at once: bounds the memory, which is `hidden` times that of the result."""


class Meta(nn.Module):
    """Convolve each enlarged pixel's LR neighbourhood with its own kernel: (B, C, H, W) -> (B, out, ⌊sH⌋, ⌊sW⌋).

    A two-layer perceptron predicts the kernel from the pixel's place within its LR pixel and from the scale (section
    3.3). Its second layer is linear, and so can change places with the sum over the neighbourhood: it becomes one
    convolution of the LR features, whose results each enlarged pixel mixes by its hidden units. This is the same sum as
    the paper's, at the cost of LR pixels instead of enlarged ones.

    Args:
        in_channels: C, given by the framework.
        scale: s where a call names none, given by the framework; any number from 1.
        out_channels: given by the framework.
        kernel_size: of the predicted kernels (paper: 3).
        hidden: units of the perceptron (paper: 256).

    Raises:
        ValueError: the scale is less than 1.
    """

    def __init__(
        self, in_channels: int, scale: float, out_channels: int, kernel_size: int = 3, hidden: int = 256
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.scale = at_least_one(scale)
        self.place = nn.Sequential(nn.Linear(3, hidden), nn.ReLU())
        self.kernels = Convolution(in_channels, out_channels * (hidden + 1), kernel_size, bias=False)  # + 1: their bias
        self.halo = self.kernels.halo

    def forward(self, features: Tensor, scale: float | None = None) -> Tensor:
        scale = self.scale if scale is None else at_least_one(scale)
        rows, below = cells(features.shape[2], scale, features)
        columns, right = cells(features.shape[3], scale, features)
        responses = torch.unflatten(self.kernels(features), 1, (self.out_channels, -1))
        bands = []
        for start in range(0, len(rows), ROWS):
            own, offsets = rows[start : start + ROWS], below[start : start + ROWS]
            size = (len(own), len(columns))
            where = (offsets[:, None].expand(size), right.expand(size), torch.full_like(right, 1 / scale).expand(size))
            places = torch.stack(where, dim=-1)
            mixture = F.pad(self.place(places), (0, 1), value=1.0)
            near = responses[..., own[:, None], columns[None]]
            bands.append(torch.einsum("bomhw,hwm->bohw", near, mixture))
        return torch.cat(bands, dim=2)


def cells(size: int, scale: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """For each enlarged pixel of an axis: the LR pixel that it lies in, and where in it, from 0 to below 1."""
    position = torch.arange(math.floor(size * scale), dtype=torch.float64, device=like.device) / scale
    cell = position.floor()
    return cell.long(), (position - cell).to(like.dtype)


def at_least_one(scale: float) -> float:
    if scale < 1:
        raise ValueError(f"scale={scale}: a network enlarges by 1 or more.")
    return scale


class AnyScale(PostUpsampling):
    """A post-upsampling network for every real scale, `network(lr)` or `network(lr, 2.7)`.

    lr (B, C, H, W) -> sr (B, C, ⌊scale H⌋, ⌊scale W⌋).

    Args:
        backbone: image to features, at the small size.
        upsampler: makes a `Meta` when called with `in_channels`, `scale` and `out_channels`.
        channels: C.
        scale: the whole factor where a call names none; the largest that `paradigm=any_scale` draws.
        tail: as in `PostUpsampling`; None: the upsampler makes the image, as in the paper.
        mean: subtracted from each channel before the backbone, and added at the end; None: nothing.

    Raises:
        ValueError: the upsampler is for one scale, or the channels of two neighbours differ.
    """

    def __init__(
        self,
        backbone: nn.Module,
        upsampler: Callable[..., nn.Module],
        channels: int,
        scale: int,
        tail: Callable[..., nn.Module] | None = None,
        mean: Sequence[float] | None = None,
    ) -> None:
        super().__init__(backbone, upsampler, channels, scale, tail, mean=mean)
        if not isinstance(self.upsampler, Meta):
            raise ValueError(f"{type(self.upsampler).__name__} is made for one scale: choose upsampler=meta.")

    def forward(self, lr: Tensor, scale: float | None = None) -> Prediction:
        self.check(lr)
        image = self.tail(self.upsampler(self.backbone(lr - self.mean), scale))
        return Prediction(image + self.mean, {})
