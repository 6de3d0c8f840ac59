"""DIC: a face is enlarged and its landmarks are found in turn, each by the other (Ma et al., CVPR 2020, arXiv 2003.13063).

Each step enlarges with what the landmarks of the step before say of where the eyes, the nose and the mouth are, and finds
the landmarks anew in what it made. The authors' hourglass has learned before, and is held for 2,000 iterations; here it
learns along from the first. Landmarks of the truth are never asked for: they judge the heatmaps in training alone.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.faces.layout import COMPONENTS, POINTS
from srlab.faces.maps import components
from srlab.networks.backbones.srfbn import FeedbackBlock
from srlab.networks.faces.hourglass import Bottleneck, Hourglass
from srlab.networks.frameworks import per_channel
from srlab.networks.interpolation import enlarge
from srlab.networks.network import Network
from srlab.networks.projection import MakesUpsampler, Up
from srlab.types import Prediction

DEPTH = 4
"""Halvings of the hourglass."""

REDUCTION = 4
"""HR pixels along a heatmap's pixel."""


class DIC(Network):
    """lr (B, C, H, W) -> sr (B, C, scale H, scale W); 22.8 M at x8.

    The image of each step is an intermediate, `step1` the first, and its heatmaps (B, 68, scale H / 4, scale W / 4) are
    a prior, `heatmaps1`; the last image is `sr`.

    Args:
        channels, scale: as in Network; 2, 3, 4 or 8 (paper: 8).
        upsampler: makes each way up when called with `in_channels`, `scale` and `out_channels`.
        steps: in turn (paper: 4).
        width: channels of the features (paper: 48).
        groups: projection groups of the feedback blocks (paper: 6).
        fusions: residual blocks of the attentive fusion (paper: 7).
        hourglass_width: channels of the landmarks' features (paper: 256), a multiple of 4.
        mean: subtracted from each channel, and added at the end (authors: 0.509, 0.424, 0.378); None: nothing.
        stop_attention: no gradient from the images to the heatmaps that they were made with (authors: false).

    Raises:
        ValueError: no step, or a width that cannot be quartered.
    """

    mean: Tensor

    def __init__(
        self,
        channels: int,
        scale: int,
        upsampler: MakesUpsampler,
        steps: int = 4,
        width: int = 48,
        groups: int = 6,
        fusions: int = 7,
        hourglass_width: int = 256,
        mean: Sequence[float] | None = None,
        stop_attention: bool = False,
    ) -> None:
        if min(steps, width, groups, fusions) < 1 or hourglass_width < 4 or hourglass_width % 4:
            raise ValueError(
                f"steps={steps}, width={width}, groups={groups}, fusions={fusions}: give 1 or more of each; "
                f"hourglass_width={hourglass_width}: give a multiple of 4."
            )
        side = REDUCTION * 2**DEPTH
        super().__init__(channels, scale, multiple_of=side // math.gcd(side, scale), halo=None)
        shuffle = max(1, scale // REDUCTION)  # features stand at the heatmaps' size from x4 on
        self.head = nn.Sequential(
            nn.Conv2d(channels, width * shuffle**2, 3, padding=1), nn.PReLU(init=0.2), nn.PixelShuffle(shuffle)
        )
        self.first = FeedbackBlock(width, scale, upsampler, groups, inputs=1)
        self.block = FeedbackBlock(width, scale, upsampler, groups)
        self.attend = AttentiveFusion(width, len(COMPONENTS), fusions)
        self.up = Up(width, scale // shuffle, upsampler)
        self.tail = nn.Conv2d(width, channels, 3, padding=1)
        self.landmarks = RecurrentHourglass(channels, hourglass_width)
        self.steps, self.stop_attention = steps, stop_attention
        self.register_buffer("mean", per_channel(mean, channels), persistent=False)

    def predict(self, lr: Tensor) -> Prediction:
        centred = lr - self.mean
        base, shallow = enlarge(centred, self.scale, "bilinear"), self.head(centred)
        feedback, memory = self.first(shallow), None
        images: list[Tensor] = []
        found: list[Tensor] = []
        for _ in range(self.steps):
            if found:
                where = components(found[-1].detach() if self.stop_attention else found[-1])
                fused = self.block.compress_in(torch.cat([shallow, feedback], dim=1))
                feedback = self.block.alternate(self.attend(fused, where))
            images.append(base + self.tail(self.up(feedback)))
            heatmaps, memory = self.landmarks(images[-1], memory)
            found.append(heatmaps)
        steps = {f"step{step}": self.mean + image for step, image in enumerate(images[:-1], start=1)}
        priors = {f"heatmaps{step}": heatmaps for step, heatmaps in enumerate(found, start=1)}
        return Prediction(self.mean + images[-1], steps, priors)


class AttentiveFusion(nn.Module):
    """Features of each component, where it is: (B, width, H, W) and (B, parts, h, w) -> (B, width, H, W) (section 3.3).

    Args:
        width: channels.
        parts: components of a face.
        blocks: residual blocks, in which each component has channels of its own.
    """

    def __init__(self, width: int, parts: int, blocks: int) -> None:
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(width, parts * width, 1), nn.LeakyReLU(0.2))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(parts * width, parts * width, 3, padding=1, groups=parts),
                nn.LeakyReLU(0.2),
                nn.Conv2d(parts * width, parts * width, 3, padding=1, groups=parts),
            )
            for _ in range(blocks)
        )
        self.parts = parts

    def forward(self, features: Tensor, where: Tensor) -> Tensor:
        expanded = self.expand(features)
        for block in self.blocks:
            expanded = expanded + block(expanded)
        if where.shape[-2:] != features.shape[-2:]:
            where = F.interpolate(where, features.shape[-2:], mode="bilinear", align_corners=False)
        attention = where.softmax(dim=1).unsqueeze(2)
        parted: Tensor = expanded.unflatten(1, (self.parts, -1))
        return (parted * attention).sum(dim=1)


class RecurrentHourglass(nn.Module):
    """An image (B, C, H, W) and a memory -> heatmaps (B, 68, H / 4, W / 4) and the next memory (section 3.2).

    Half of the hourglass's channels make the heatmaps, the other half is remembered.

    Args:
        channels: C.
        width: channels of either half.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.Conv2d(channels, width // 4, 7, 2, 3),
            nn.ReLU(),
            Bottleneck(width // 4, width // 2, "none"),
            nn.MaxPool2d(2),
            Bottleneck(width // 2, width // 2, "none"),
            Bottleneck(width // 2, width, "none"),
        )
        self.recall = nn.Conv2d(2 * width, 2 * width, 1)
        self.hourglass = Hourglass(2 * width, DEPTH, "none")
        self.heatmaps = nn.Sequential(
            Bottleneck(width, width, "none"), nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, POINTS, 1)
        )

    def forward(self, image: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        seen = self.look(image)
        features = self.hourglass(self.recall(torch.cat([seen, seen if memory is None else memory], dim=1)))
        told, remembered = features.chunk(2, dim=1)
        return self.heatmaps(told), remembered
