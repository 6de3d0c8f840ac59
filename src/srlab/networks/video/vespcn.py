"""VESPCN: neighbours are warped to each frame, then all enlarged at once (Caballero et al., CVPR 2017, arXiv 1611.05250).

Motion is found twice, at a quarter and at half of the size, the second time as what to add to the first. What
follows is ESPCN, whose frames meet in its first layer (early fusion) or two by two, in the layers from there on (slow).
"""

from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import Convolution, start_gaussian
from srlab.networks.interpolation import Phase, enlarge
from srlab.networks.video.flow import FlowNetwork, warp
from srlab.networks.video.motion import History, require_history, told, windows
from srlab.networks.video.network import WindowedNetwork
from srlab.types import Prediction

Fusion = Literal["early", "slow"]
UNIT = 4


class CoarseToFine(FlowNetwork):
    """The motion compensation transformer (table 1): 24 features, motion at 1/4 and at 1/2 of the size.

    Args:
        channels: of the frames.
        width: of the layers (paper: 24).
        reach: what one stage can find, in LR pixels along an axis; the paper's tanh is of the image's size.
    """

    def __init__(self, channels: int = 1, width: int = 24, reach: float = 16.0) -> None:
        super().__init__(channels)
        if reach <= 0:
            raise ValueError(f"reach={reach}: give the longest motion, above 0 LR pixels.")
        self.reach = reach
        self.coarse = self.stage(2 * channels, width, UNIT)
        self.fine = self.stage(3 * channels + 2, width, UNIT // 2)

    @staticmethod
    def stage(channels: int, width: int, factor: int) -> nn.Sequential:
        """(B, channels, H, W) -> (B, 2, H, W) in [-1, 1], found at 1 / factor of the size; strides as in table 1."""
        third = nn.Conv2d(width, width, 5, 2, padding=2) if factor == UNIT else Convolution(width, width)
        last = Convolution(width, 2 * factor**2)
        start_gaussian(last, 1e-3)  # the first flow is next to none
        layers = [
            nn.Conv2d(channels, width, 5, 2, padding=2),
            Convolution(width, width),
            third,
            Convolution(width, width),
        ]
        return nn.Sequential(
            *(part for layer in layers for part in (layer, nn.ReLU(inplace=True))),
            last,
            nn.Tanh(),
            nn.PixelShuffle(factor),
        )

    def estimate(self, target: Tensor, source: Tensor) -> Tensor:
        height, width = target.shape[-2:]
        beyond = (0, -width % UNIT, 0, -height % UNIT)
        target, source = (F.pad(frames, beyond, mode="replicate") for frames in (target, source))
        coarse = self.reach * self.coarse(torch.cat([target, source], 1)).float()
        seen = [target, source, warp(source, coarse), (coarse / self.reach).to(target.dtype)]
        flow: Tensor = coarse + self.reach * self.fine(torch.cat(seen, 1)).float()
        return flow[..., :height, :width]


class VESPCN(WindowedNetwork):
    """See the module.

    Args:
        channels: of the frames; the paper enlarges luma.
        scale: a whole number.
        flow: from each neighbour to the frame between them; the paper's is `CoarseToFine`.
        frames: seen at once, an odd number (paper: 3 and 5).
        width: of the layers (paper: 24).
        layers: the last of which makes the image (paper: 9).
        fusion: early or slow.
        history: `unwarped` and `none` (the frame itself for each of its neighbours) are its twins.
        phase: where an LR pixel lies among the HR pixels that it becomes.

    What the layers make is added to the frame, enlarged by bicubic interpolation; the paper's layers make the frame.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        flow: FlowNetwork,
        frames: int = 3,
        width: int = 24,
        layers: int = 9,
        fusion: Fusion = "early",
        history: History = "warped",
        phase: Phase = "centre",
    ) -> None:
        if frames < 3 or frames % 2 == 0:
            raise ValueError(f"frames={frames}: give an odd number, 3 or more, with the frame in the middle.")
        super().__init__(channels, scale, multiple_of=1, halo=None, temporal_halo=frames // 2, causal=False)
        require_history(history)
        merging = 1 if fusion == "early" else frames - 1
        if fusion not in get_args(Fusion) or layers < merging + 1:
            raise ValueError(
                f"fusion={fusion!r}, layers={layers}: choose early or slow, of {merging + 1} layers at least for {frames} "
                f"frames."
            )
        self.history: History = history
        self.phase: Phase = phase
        self.flow, self.fusion, self.frames = flow, fusion, frames
        together = frames if fusion == "early" else 2
        self.merging = nn.ModuleList(
            Convolution(together * (channels if place == 0 else width), width) for place in range(merging)
        )
        rest: list[nn.Module] = []
        for _ in range(layers - merging - 1):
            rest += [Convolution(width, width), nn.ReLU(inplace=True)]
        self.rest = nn.Sequential(*rest, Convolution(width, channels * scale**2), nn.PixelShuffle(scale))

    def predict(self, lr: Tensor) -> Prediction:
        seen = windows(lr, self.frames // 2).flatten(0, 1)
        compensated, known = self.compensated(seen)
        enlarged = enlarge(lr.flatten(0, 1).float(), self.scale, "bicubic", self.phase)
        sr = enlarged + self.rest(self.fused(compensated)).float()
        return Prediction(torch.unflatten(sr, 0, lr.shape[:2]), known)

    def compensated(self, seen: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Windows (N, K, C, h, w), each neighbour brought to the middle frame, and what is told of it."""
        middle = self.frames // 2
        own = seen[:, middle : middle + 1]
        if self.history == "none":
            return own.expand_as(seen).contiguous(), {}
        if self.history == "unwarped":
            return seen, {}
        neighbours = torch.cat([seen[:, :middle], seen[:, middle + 1 :]], 1)
        targets = own.expand_as(neighbours)
        flow = self.flow(targets, neighbours)
        warped = torch.unflatten(warp(neighbours.flatten(0, 1), flow.flatten(0, 1)), 0, neighbours.shape[:2])
        known = told(targets, neighbours, flow) if self.training else {}
        return torch.cat([warped[:, :middle], own, warped[:, middle:]], 1), known

    def fused(self, frames: Tensor) -> Tensor:
        """(N, K, C, h, w) -> features (N, width, h, w)."""
        if self.fusion == "early":
            return F.relu(self.merging[0](frames.flatten(1, 2)))
        for layer in self.merging:  # K frames become K - 1: each and the next, by the same weights
            pairs = torch.cat([frames[:, :-1], frames[:, 1:]], 2)
            frames = torch.unflatten(F.relu(layer(pairs.flatten(0, 1))), 0, pairs.shape[:2])
        return frames[:, 0]
