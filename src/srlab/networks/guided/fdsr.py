"""FDSR: a photograph's high frequencies feed the residual blocks of a map (He et al., CVPR 2021, section 4).

Both inputs are unshuffled by four. The branch of the photograph is made of octave convolutions (Chen et al., ICCV 2019),
which part features into high frequencies at the branch's size and low ones at half of it; only the high ones join the map.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.color import rgb_to_y
from srlab.networks.blocks import Convolution
from srlab.networks.guided.ranged import Ranged

FACTOR = 4
SLOPE = 0.2


class Octave(nn.Module):
    """An octave convolution, 3 x 3, without bias, of high and low frequencies: (B, H, h, w), (B, L, h/2, w/2) -> alike.

    Halves of odd sides are rounded up.

    Args:
        high, low: H and L of the input; low=0: there are no low frequencies yet.
        high_out, low_out: those of the output; low_out=0: the low ones are no longer wanted.
    """

    def __init__(self, high: int, low: int, high_out: int, low_out: int) -> None:
        super().__init__()

        def convolution(inputs: int, outputs: int) -> nn.Conv2d | None:
            return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False) if inputs and outputs else None

        self.high_to_high = nn.Conv2d(high, high_out, 3, padding=1, bias=False)
        self.high_to_low = convolution(high, low_out)
        self.low_to_high, self.low_to_low = convolution(low, high_out), convolution(low, low_out)

    def forward(self, high: Tensor, low: Tensor | None) -> tuple[Tensor, Tensor | None]:
        made, made_low = self.high_to_high(high), None
        if self.high_to_low is not None:
            made_low = self.high_to_low(F.avg_pool2d(high, 2, ceil_mode=True))
            if self.low_to_low is not None:
                made_low = made_low + self.low_to_low(low)
            made_low = F.leaky_relu(made_low, SLOPE)
        if self.low_to_high is not None:
            enlarged = F.interpolate(self.low_to_high(low), scale_factor=2.0, mode="nearest")
            made = made + enlarged[..., : high.shape[2], : high.shape[3]]
        return F.leaky_relu(made, SLOPE), made_low


class MultiScale(nn.Module):
    """A residual block that looks near and, dilated, farther: (B, C, H, W) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.near = nn.Conv2d(width, width, 3, padding=1)
        self.far = Convolution(width, width, dilation=2)
        self.join = nn.Conv2d(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        seen = F.leaky_relu(self.near(features), SLOPE) + F.leaky_relu(self.far(features), SLOPE)
        joined: Tensor = self.join(seen)
        return features + joined


class FDSR(Ranged):
    """See the module. Of a photograph, its luma is taken.

    Args:
        scale: HR pixels per LR pixel.
        width: channels of features (paper: 32).
        low: how many of the photograph's are low frequencies (paper: a quarter).
        octaves: octave convolutions, after each of which a block of the map is given the high ones (paper: 3).
        guide_channels: see `Ranged`.
        range_from: see `Ranged`.
        back_projections: see `Ranged`.
        channels: see `Ranged`.
    """

    def __init__(
        self,
        scale: int,
        width: int = 32,
        low: int = 8,
        octaves: int = 3,
        guide_channels: int = 3,
        range_from: Literal["lr", "given"] = "lr",
        back_projections: int = 0,
        channels: int = 1,
    ) -> None:
        if not 0 < low < width or octaves < 1:
            raise ValueError(f"low={low} must be between 0 and width={width}, octaves={octaves} 1 or more.")
        # low frequencies begin at the image's own corner: a crop's are other ones, so that the halo has no bound
        super().__init__(scale, guide_channels, range_from, back_projections, FACTOR // math.gcd(FACTOR, scale), None)
        high = width - low
        self.guide_head = nn.Conv2d(FACTOR**2, width, 3, padding=1)
        first, last = Octave(width, 0, high, low if octaves > 1 else 0), Octave(high, low, high, 0)
        between = [Octave(high, low, high, low) for _ in range(octaves - 2)]
        self.octaves = nn.ModuleList([first, *between, *([last] if octaves > 1 else [])])
        self.head = nn.Conv2d(channels * FACTOR**2, width, 3, padding=1)
        self.blocks = nn.ModuleList(MultiScale(width + high * level) for level in range(octaves + 1))
        self.enlargement = nn.Sequential(
            nn.Conv2d(width + high * octaves, 4 * width, 3, padding=1),
            nn.PixelShuffle(2),
            nn.Conv2d(width, 4 * width, 3, padding=1),
            nn.PixelShuffle(2),
            nn.Conv2d(width, channels, 3, padding=1),
        )

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        enlarged = self.enlarged(lr)
        luma = rgb_to_y(guide) if guide.shape[1] == 3 else guide.mean(1, keepdim=True)
        high, low = F.leaky_relu(self.guide_head(F.pixel_unshuffle(luma, FACTOR)), SLOPE), None
        features = F.leaky_relu(self.head(F.pixel_unshuffle(enlarged, FACTOR)), SLOPE)
        features = self.blocks[0](features)
        for octave, block in zip(self.octaves, self.blocks[1:], strict=True):
            high, low = octave(high, low)
            features = block(torch.cat([features, high], 1))
        residual: Tensor = self.enlargement(F.leaky_relu(features, SLOPE))
        return enlarged + residual
