"""Dense back-projection (D-DBPN; Haris et al., CVPR 2018, arXiv 1803.02735, section 3).

Up- and down-projections alternate; each corrects itself by the error that projecting back shows. The framework makes
the image from all HR features together.
"""

import torch
from torch import Tensor, nn

from srlab.networks.projection import Down, Fusion, MakesUpsampler, Stem, Up, reach_down, reach_up


class BackProjection(nn.Module):
    """LR features (B, in_channels, H, W) -> HR features of each stage, each (B, width, scale H, scale W).

    Args:
        in_channels: channels of the LR features.
        scale: the factor, given by the framework.
        upsampler: makes the layer that goes up, given by the framework.
        width: channels of all projections (paper: 64).
        stages: T, up-projections; between two of them is a down-projection (paper: 7).
    """

    fusion = "concatenate"

    def __init__(
        self, in_channels: int, scale: int, upsampler: MakesUpsampler, width: int = 64, stages: int = 7
    ) -> None:
        super().__init__()
        self.narrow = nn.Identity() if in_channels == width else Fusion(in_channels, width)
        # Dense from the third up- and the second down-projection on: those have more than one thing to fuse.
        self.up = nn.ModuleList(UpProjection(width, scale, upsampler, max(1, stage)) for stage in range(stages))
        self.down = nn.ModuleList(DownProjection(width, scale, upsampler, stage + 1) for stage in range(stages - 1))
        self.scale = scale
        self.out_channels = width
        self.steps = stages

    def forward(self, features: Tensor) -> list[Tensor]:
        high = [self.up[0](self.narrow(features))]
        low: list[Tensor] = []
        for down, up in zip(self.down, self.up[1:], strict=True):
            low.append(down(torch.cat(high, dim=1)))
            high.append(up(torch.cat(low, dim=1)))
        return high

    def reach(self, beyond: int | None) -> int | None:
        """The halo of HR pixels that need `beyond` neighbours, in LR pixels."""
        for stage in reversed(range(self.steps)):
            up: UpProjection = self.up[stage]  # type: ignore[assignment]
            low = up.reach(beyond)
            if stage == 0:
                return low
            down: DownProjection = self.down[stage - 1]  # type: ignore[assignment]
            beyond = down.reach(low)
        return beyond


class DBPN(nn.Module):
    """An image (B, in_channels, H, W) -> HR features of each stage, each (B, width, scale H, scale W).

    Args:
        in_channels: channels of the image.
        scale: the factor, given by the framework.
        upsampler: makes the layer that goes up, given by the framework.
        stem_width: n0, channels after the first convolution (paper: 256).
        width: nR, channels of all projections (paper: 64).
        stages: T, up-projections (paper: 7).
    """

    fusion = "concatenate"

    def __init__(
        self,
        in_channels: int,
        scale: int,
        upsampler: MakesUpsampler,
        stem_width: int = 256,
        width: int = 64,
        stages: int = 7,
    ) -> None:
        super().__init__()
        self.stem = Stem(in_channels, stem_width, width)
        self.projections = BackProjection(width, scale, upsampler, width, stages)
        self.in_channels = in_channels
        self.out_channels = width
        self.steps = stages

    def forward(self, image: Tensor) -> list[Tensor]:
        high: list[Tensor] = self.projections(self.stem(image))
        return high

    def reach(self, beyond: int | None) -> int | None:
        low = self.projections.reach(beyond)
        return None if low is None else low + self.stem.halo


class UpProjection(nn.Module):
    """h + up(down(h) - l), where h = up(l): inputs LR features side by side, (B, inputs * width, H, W) -> HR (eq. 1-5)."""

    def __init__(self, width: int, scale: int, upsampler: MakesUpsampler, inputs: int) -> None:
        super().__init__()
        self.fusion = Fusion(inputs * width, width) if inputs > 1 else nn.Identity()
        self.project = Up(width, scale, upsampler)
        self.back = Down(width, scale)
        self.correct = Up(width, scale, upsampler)
        self.scale = scale

    def forward(self, low: Tensor) -> Tensor:
        low = self.fusion(low)
        high: Tensor = self.project(low)
        correction: Tensor = self.correct(self.back(high) - low)
        return high + correction

    def reach(self, beyond: int | None) -> int | None:
        return reach_up(self.project[0], reach_down(self.scale, reach_up(self.correct[0], beyond)))


class DownProjection(nn.Module):
    """l + down(up(l) - h), where l = down(h): HR features side by side -> LR (B, width, H, W) (equations 6-10)."""

    def __init__(self, width: int, scale: int, upsampler: MakesUpsampler, inputs: int) -> None:
        super().__init__()
        self.fusion = Fusion(inputs * width, width) if inputs > 1 else nn.Identity()
        self.project = Down(width, scale)
        self.back = Up(width, scale, upsampler)
        self.correct = Down(width, scale)
        self.scale = scale

    def forward(self, high: Tensor) -> Tensor:
        high = self.fusion(high)
        low: Tensor = self.project(high)
        correction: Tensor = self.correct(self.back(low) - high)
        return low + correction

    def reach(self, beyond: int | None) -> int | None:
        return reach_down(self.scale, reach_up(self.back[0], reach_down(self.scale, beyond)))
