"""The base of learned upsamplers: features (B, C, H, W) -> (B, out, scale H, scale W), in stages.

The framework calls an upsampler with `in_channels`, `scale` and `out_channels`; all other numbers are the choice's own.
A scale of 4 or 8 is reached in stages of 2 or in one step.
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from srlab.networks.blocks import activation_layer

SCALES = (2, 3, 4, 8)


class Upsampler(nn.Module, ABC):
    """Base of the upsamplers: checks the scale, builds the stages and counts how far they reach.

    A subclass implements `stage`, which makes the layers for one factor, and `stage_halo`; then it calls `build`.
    """

    def __init__(self, in_channels: int, scale: int, out_channels: int) -> None:
        super().__init__()
        if scale not in SCALES:
            raise ValueError(f"scale={scale} is not one of {SCALES}, which upsamplers can do: choose one of these.")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.scale = scale

    def build(self, staged: bool, activation: str) -> None:
        """Add the stages, each followed by an activation; the last one makes the output's channels."""
        factors = [2] * (self.scale.bit_length() - 1) if staged and self.scale != 3 else [self.scale]
        layers: list[nn.Module] = []
        for place, factor in enumerate(factors):
            channels = self.out_channels if place == len(factors) - 1 else self.in_channels
            layers += [self.stage(self.in_channels, factor, channels), activation_layer(activation, channels)]
        self.stages = nn.Sequential(*layers)
        self.factors = factors
        self.halo = self.reach(0)

    def reach(self, beyond: int) -> int:
        """The halo of output pixels that need `beyond` neighbours of their own size too."""
        for factor in reversed(self.factors):
            beyond = self.stage_halo(factor, beyond)
        return beyond

    @abstractmethod
    def stage(self, in_channels: int, factor: int, out_channels: int) -> nn.Module:
        """One step of the way: (B, in_channels, H, W) -> (B, out_channels, factor H, factor W)."""

    @abstractmethod
    def stage_halo(self, factor: int, beyond: int) -> int:
        """How far a stage reads around a pixel when each of its outputs needs `beyond` neighbours too."""

    def forward(self, features: Tensor) -> Tensor:
        result: Tensor = self.stages(features)
        return result
