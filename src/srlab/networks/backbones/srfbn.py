"""A block that is fed with what it made before (SRFBN; Li et al., CVPR 2019, arXiv 1903.09814, section 3)."""

import torch
from torch import Tensor, nn

from srlab.networks.projection import Down, Fusion, MakesUpsampler, Stem, Up, reach_down, reach_up


class SRFBN(nn.Module):
    """An image (B, in_channels, H, W) -> HR features of each step, each (B, width, scale H, scale W).

    Args:
        in_channels: channels of the image.
        scale: the factor, given by the framework.
        upsampler: makes the layer that goes up, given by the framework.
        width: channels of the features (SRFBN: 64, SRFBN-S: 32).
        groups: projection groups in the feedback block (SRFBN: 6, SRFBN-S: 3).
        steps: T, times that the block is applied, with the same weights (paper: 4).
    """

    fusion = "last"

    def __init__(
        self,
        in_channels: int,
        scale: int,
        upsampler: MakesUpsampler,
        width: int = 64,
        groups: int = 6,
        steps: int = 4,
    ) -> None:
        super().__init__()
        self.stem = Stem(in_channels, 4 * width, width)
        self.block = FeedbackBlock(width, scale, upsampler, groups)
        self.up = Up(width, scale, upsampler)
        self.in_channels = in_channels
        self.out_channels = width
        self.steps = steps

    def forward(self, image: Tensor) -> list[Tensor]:
        shallow = self.stem(image)
        hidden, made = shallow, []
        for _ in range(self.steps):
            hidden = self.block(shallow, hidden)
            made.append(self.up(hidden))
        return made

    def reach(self, beyond: int | None) -> int | None:
        """The halo of HR pixels that need `beyond` neighbours, in LR pixels."""
        low = reach_up(self.up[0], beyond)
        for _ in range(self.steps):
            low = self.block.reach(low)
        return None if low is None else low + self.stem.halo


class FeedbackBlock(nn.Module):
    """Input and feedback, each (B, width, H, W) -> the next feedback, the same size (section 3.2).

    Args:
        width: channels.
        scale: the factor.
        upsampler: makes the layer that goes up.
        groups: times up and down, each densely connected to all before at its own size.
        inputs: what is given: with the feedback, 2.
    """

    def __init__(self, width: int, scale: int, upsampler: MakesUpsampler, groups: int, inputs: int = 2) -> None:
        super().__init__()
        self.compress_in = Fusion(inputs * width, width)
        self.up = nn.ModuleList(Up(width, scale, upsampler) for _ in range(groups))
        self.down = nn.ModuleList(Down(width, scale) for _ in range(groups))
        self.fuse_low = nn.ModuleList(dense(width, place + 1) for place in range(groups))
        self.fuse_high = nn.ModuleList(dense(width, place + 1) for place in range(groups))
        self.compress_out = Fusion(groups * width, width)
        self.scale = scale

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.alternate(self.compress_in(torch.cat(inputs, dim=1)))

    def alternate(self, compressed: Tensor) -> Tensor:
        """Up and down, from the inputs fused: (B, width, H, W) -> the same."""
        low, high = [compressed], []
        for up, down, fuse_low, fuse_high in zip(self.up, self.down, self.fuse_low, self.fuse_high, strict=True):
            high.append(up(fuse_low(torch.cat(low, dim=1))))
            low.append(down(fuse_high(torch.cat(high, dim=1))))
        result: Tensor = self.compress_out(torch.cat(low[1:], dim=1))
        return result

    def reach(self, beyond: int | None) -> int | None:
        for up in self.up:
            beyond = reach_up(up[0], reach_down(self.scale, beyond))  # type: ignore[index]
        return beyond


def dense(width: int, inputs: int) -> nn.Module:
    """What fuses several features of one size; a single one needs nothing."""
    return Fusion(inputs * width, width) if inputs > 1 else nn.Identity()
