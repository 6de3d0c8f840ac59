"""Motion between frames: warping by it, and SpyNet, which estimates it and learns from zero (Ranjan and Black, CVPR 2017).

A flow (B, 2, H, W) says for each pixel of a target how far to the right and how far down it lies in a source, in pixels:
target[y, x] is source[y + flow[1], x + flow[0]]. So the flow of (this frame, the one before) warps the one before to this.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import Convolution, start_gaussian, start_he
from srlab.networks.guided.ranged import centred, full_precision

RGB = 3
Beyond = Literal["zeros", "border"]
"""What lies beyond the borders of a source: nothing, or its border pixel again and again."""


def warp(images: Tensor, flow: Tensor, beyond: Beyond = "border") -> Tensor:
    """Fetch each pixel from where the flow says it is, bilinearly: (B, C, H, W), (B, 2, H, W) -> (B, C, H, W).

    A flow of whole pixels fetches them as they are. Computed in float32, returned in the precision of the images.

    Args:
        images: the source, images or features.
        flow: of the target, see the module.
        beyond: the source's borders.

    Raises:
        ValueError: the sizes differ, or `beyond` is unknown.
    """
    batch, _, height, width = images.shape
    if flow.shape != (batch, 2, height, width):
        raise ValueError(f"Expected a flow {(batch, 2, height, width)} for these images, got {tuple(flow.shape)}.")
    if beyond not in get_args(Beyond):
        raise ValueError(f"beyond={beyond!r}: choose one of {', '.join(get_args(Beyond))}.")
    with full_precision(images):
        flow = flow.float()
        rows = torch.arange(height, device=flow.device, dtype=flow.dtype).view(-1, 1)
        columns = torch.arange(width, device=flow.device, dtype=flow.dtype)
        # align_corners: -1 and 1 are the centres of the first and the last pixel
        places = torch.stack(
            [
                2 * (flow[:, 0] + columns) / max(width - 1, 1) - 1,
                2 * (flow[:, 1] + rows) / max(height - 1, 1) - 1,
            ],
            -1,
        )
        warped = F.grid_sample(images.float(), places, mode="bilinear", padding_mode=beyond, align_corners=True)
    return warped.to(images.dtype)


class FlowNetwork(nn.Module, ABC):
    """Base of all that finds motion: target (B, C, H, W), source (B, C, H, W) in [0, 1] -> flow (B, 2, H, W), float32.

    A subclass implements `estimate`.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, target: Tensor, source: Tensor) -> Tensor:
        """The flow; of clips (B, T, C, H, W) that of each pair of frames, (B, T, 2, H, W).

        Raises:
            ValueError: frames of another number of channels, or of two sizes.
        """
        if target.shape != source.shape or target.shape[-3] != self.channels:
            raise ValueError(
                f"Expected two frames of {self.channels} channels and one size, got {tuple(target.shape)} and "
                f"{tuple(source.shape)}: set the flow's channels to those of the network."
            )
        flow = self.estimate(target.flatten(0, -4), source.flatten(0, -4))
        return torch.unflatten(flow, 0, target.shape[:-3])

    @abstractmethod
    def estimate(self, target: Tensor, source: Tensor) -> Tensor:
        """The flow of (N, C, H, W)."""


class SpyNet(FlowNetwork):
    """A pyramid of small networks, each of which adds to the flow of the level below what is still missing there.

    It learns from frames alone: see `srlab.losses.motion`.

    Args:
        channels: of the frames; RGB is centred and scaled as ImageNet's photographs are, others alike.
        levels: of the pyramid; the smallest is 2^(levels - 1) times smaller (6, with which BasicVSR takes it; its paper: 5).
        widths: of each level's layers (paper: 32, 64, 32, 16).
        kernel_size: of the layers (paper: 7).
    """

    def __init__(
        self, channels: int = 3, levels: int = 6, widths: Sequence[int] = (32, 64, 32, 16), kernel_size: int = 7
    ) -> None:
        super().__init__(channels)
        if levels < 1:
            raise ValueError(f"levels={levels}: a pyramid has at least one.")
        self.levels = nn.ModuleList(self.level(channels, widths, kernel_size) for _ in range(levels))

    @staticmethod
    def level(channels: int, widths: Sequence[int], kernel_size: int) -> nn.Sequential:
        """Target, warped source and flow so far (B, 2 C + 2, H, W) -> what to add to the flow (B, 2, H, W)."""
        layers: list[nn.Module] = []
        for before, width in pairwise([2 * channels + 2, *widths]):
            layer = Convolution(before, width, kernel_size)
            start_he(layer)
            layers += [layer, nn.ReLU(inplace=True)]
        last = Convolution(widths[-1], 2, kernel_size)
        start_gaussian(last, 1e-3)  # the first flow is next to none, and every layer has a gradient
        return nn.Sequential(*layers, last)

    def estimate(self, target: Tensor, source: Tensor) -> Tensor:
        height, width = target.shape[-2:]
        unit = 2 ** (len(self.levels) - 1)
        size = (-(-height // unit) * unit, -(-width // unit) * unit)
        targets, sources = (self.pyramid(self.centred(fitted(frames, size))) for frames in (target, source))
        flow = target.new_zeros(len(target), 2, size[0] // unit, size[1] // unit, dtype=torch.float32)
        for place, level in enumerate(self.levels):
            if place:
                flow = 2 * F.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=True)
            seen = torch.cat([targets[place], warp(sources[place], flow), flow.to(target.dtype)], 1)
            flow = flow + level(seen).float()
        return resized(flow, (height, width))

    def centred(self, frames: Tensor) -> Tensor:
        """Frames with values around 0, of a deviation near 1."""
        return centred(frames) if self.channels == RGB else (frames - 0.5) / 0.25

    def pyramid(self, frames: Tensor) -> list[Tensor]:
        """The frames at every level, the smallest first."""
        made = [frames]
        for _ in range(len(self.levels) - 1):
            made.append(F.avg_pool2d(made[-1], 2))
        return made[::-1]


def fitted(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Frames stretched to a size, where they have another."""
    if tuple(frames.shape[-2:]) == size:
        return frames
    return F.interpolate(frames, size, mode="bilinear", align_corners=False)


def resized(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """A flow as that of frames of another size: stretched, and its pixels counted anew."""
    height, width = flow.shape[-2:]
    if (height, width) == size:
        return flow
    factors = flow.new_tensor([size[1] / width, size[0] / height]).view(1, 2, 1, 1)
    return fitted(flow, size) * factors
