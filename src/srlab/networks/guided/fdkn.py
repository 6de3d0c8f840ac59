"""FDKN: each pixel from a few samples around it, where and how much told by map and photograph together.

The fast deformable kernel network of Kim, Ponce, Ham (IJCV 2021, arXiv 1910.08373, section 3.4): both are unshuffled by
four, so that layers run at a sixteenth of the pixels; the weights of the two branches are multiplied, so are the offsets.

A design of our own puts a guided filter beside the bicubic map (`start`): the network sees where the photograph's edges
would put the map's, and takes samples there too, instead of having to learn first that edges of the two coincide.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.guided.ranged import Ranged, centred, full_precision

FACTOR = 4


class Kernels(nn.Module):
    """Weights and offsets of every pixel's samples: (B, C, H, W) -> (B, M S, H, W), (B, 2 S, H, W), S = size^2.

    Args:
        channels: C.
        size: samples along each axis.
        widths: of the six convolutions, each twice.
        maps: M, how many are sampled, each at the same places.
    """

    def __init__(self, channels: int, size: int, widths: Sequence[int], maps: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        made = channels * FACTOR**2
        for width in widths:
            layers += [nn.Conv2d(made, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
            made = width
        self.layers = nn.Sequential(*layers)
        self.weight = nn.Conv2d(made, maps * (size * FACTOR) ** 2, 1)
        self.offset = nn.Conv2d(made, 2 * (size * FACTOR) ** 2, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(F.pixel_unshuffle(image, FACTOR))
        return F.pixel_shuffle(self.weight(features), FACTOR), F.pixel_shuffle(self.offset(features), FACTOR)


class FDKN(Ranged):
    """See the module.

    Args:
        scale: HR pixels per LR pixel.
        kernel_size: samples along each axis (paper: 3).
        window: side of the square of HR pixels in which samples lie, odd (paper: 15); those that would lie beyond it stand
            at its border, and beyond the image is its border (in the authors' code, there are zeros in both cases).
        widths: of the layers (paper: 32, 64, 128, two convolutions each).
        start: makes a second map of the same two, which is seen and sampled beside the bicubic one; None: as in the paper.
        guide_channels: see `Ranged`.
        range_from: see `Ranged`.
        back_projections: see `Ranged`.
        channels: see `Ranged`.
    """

    def __init__(
        self,
        scale: int,
        kernel_size: int = 3,
        window: int = 15,
        widths: Sequence[int] = (32, 64, 128),
        start: Ranged | None = None,
        guide_channels: int = 3,
        range_from: Literal["lr", "given"] = "lr",
        back_projections: int = 0,
        channels: int = 1,
    ) -> None:
        # reaches six layers of a sixteenth of the pixels, then half a window, then the bicubic kernel
        reach = (6 * FACTOR + FACTOR - 1 + window // 2) // scale + 3
        multiple = FACTOR // math.gcd(FACTOR, scale)
        halo = reach if start is None else None
        super().__init__(scale, guide_channels, range_from, back_projections, multiple, halo, channels)
        if kernel_size % 2 == 0 or window % 2 == 0 or kernel_size > window:
            raise ValueError(f"kernel_size={kernel_size} and window={window} must be odd, the window not the smaller.")
        self.kernel_size, self.window = kernel_size, window
        if start is not None and start.scale != scale:
            raise ValueError(f"start enlarges by {start.scale}, and the network by {scale}: set start.scale={scale}.")
        self.start = start
        maps = 1 if start is None else 2
        self.depth_kernels = Kernels(maps * channels, kernel_size, widths, maps)
        self.guide_kernels = Kernels(guide_channels, kernel_size, widths, maps)

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        maps = enlarged = self.enlarged(lr.float())
        if self.start is not None:
            with full_precision(lr):
                maps = torch.cat([enlarged, self.start.refine(lr.float(), guide.float())], 1)
        (weight, offset), (guide_weight, guide_offset) = self.depth_kernels(maps), self.guide_kernels(centred(guide))
        with full_precision(lr):  # places need more digits than half a word has
            weight = torch.sigmoid(weight.float()) * torch.sigmoid(guide_weight.float())
            weight = weight - weight.mean(1, keepdim=True)  # they sum to 0: what is even stays
            samples = self.sampled(maps, offset.float() * guide_offset.float())
            return enlarged + (weight * samples).sum(1, keepdim=True)

    def sampled(self, image: Tensor, offsets: Tensor) -> Tensor:
        """Each map around each pixel at a grid of neighbours, each moved by its offset: (B, M, H, W) -> (B, M S, H, W)."""
        batch, _, height, width = image.shape
        size, reach = self.kernel_size, (self.window - 1) / 2
        steps = torch.arange(size, device=image.device, dtype=image.dtype) - (size - 1) / 2
        grid = torch.stack(torch.meshgrid(steps, steps, indexing="ij")).view(1, 2, -1, 1, 1)
        moved = (grid + offsets.view(batch, 2, -1, height, width)).clamp(-reach, reach)
        rows = torch.arange(height, device=image.device, dtype=image.dtype).view(-1, 1)
        columns = torch.arange(width, device=image.device, dtype=image.dtype)
        places = torch.stack(
            [(2 * (moved[:, 1] + columns) + 1) / width - 1, (2 * (moved[:, 0] + rows) + 1) / height - 1], -1
        )
        found = F.grid_sample(image, places.flatten(1, 2), mode="bilinear", padding_mode="border", align_corners=False)
        return found.view(batch, -1, height, width)
