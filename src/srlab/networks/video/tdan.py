"""TDAN: neighbours are aligned by deformable convolutions, without a flow (Tian et al., CVPR 2020, arXiv 1812.02898).

Offsets come from the features of a neighbour and of the frame itself. What is aligned becomes an LR frame again, which the
loss `photometric` compares with the frame; all of them are then enlarged at once. Offsets start next to 0, where the authors
start all convolutions from He's weights.
"""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution, ResidualBlock
from srlab.networks.interpolation import Phase, enlarge
from srlab.networks.video.deformable import Deformable
from srlab.networks.video.motion import ALIGNED, ALIGNED_TO, History, require_history, windows
from srlab.networks.video.network import WindowedNetwork
from srlab.networks.video.upsampling import by_subpixels
from srlab.types import Prediction


class TDAN(WindowedNetwork):
    """See the module.

    Args:
        channels: of the frames.
        scale: a power of two.
        frames: seen at once, an odd number (paper: 5).
        width: of all features (paper: 64).
        extraction_blocks: that make a frame's features (paper: 5).
        blocks: that make the result (paper: 10).
        groups: of channels that move together (paper: 8).
        history: `unwarped` (neighbours as they are) and `none` (the frame for each of its neighbours) are its twins.
        phase: where an LR pixel lies among the HR pixels that it becomes.
        skip: add the result to the frame, enlarged by bicubic interpolation (the paper's network makes it whole).
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        frames: int = 5,
        width: int = 64,
        extraction_blocks: int = 5,
        blocks: int = 10,
        groups: int = 8,
        history: History = "warped",
        phase: Phase = "centre",
        skip: bool = False,
    ) -> None:
        if frames < 3 or frames % 2 == 0:
            raise ValueError(f"frames={frames}: give an odd number, 3 or more, with the frame in the middle.")
        # a frame's own halo is unbounded: offsets reach anywhere
        super().__init__(channels, scale, multiple_of=1, halo=None, temporal_halo=frames // 2, causal=False)
        require_history(history)
        self.history: History = history
        self.phase: Phase = phase
        self.frames, self.skip = frames, skip
        self.extraction = nn.Sequential(
            Convolution(channels, width),
            nn.ReLU(inplace=True),
            *(ResidualBlock(width) for _ in range(extraction_blocks)),
        )
        self.compare = Convolution(2 * width, width)
        self.refine_offsets = nn.Sequential(Deformable(width, groups), Deformable(width, groups))
        self.align, self.align_again = Deformable(width, groups), Deformable(width, groups)
        self.to_frame = Convolution(width, channels)
        self.reconstruction = nn.Sequential(
            Convolution(frames * channels, width),
            nn.ReLU(inplace=True),
            *(ResidualBlock(width) for _ in range(blocks)),
            by_subpixels(width, scale, slope=None),
            Convolution(width, channels, bias=False),
        )

    def predict(self, lr: Tensor) -> Prediction:
        clips, middle = lr.shape[:2], self.frames // 2
        seen = windows(lr, middle).flatten(0, 1)
        own, told = seen[:, middle : middle + 1], dict[str, Tensor]()
        if self.history == "none":
            seen = own.expand_as(seen)
        elif self.history == "warped":
            features = windows(torch.unflatten(self.extraction(lr.flatten(0, 1)), 0, clips), middle).flatten(0, 1)
            aligned = self.aligned(features)
            seen = torch.cat([aligned[:, :middle], own, aligned[:, middle:]], 1)
            told = {ALIGNED: aligned, ALIGNED_TO: own.expand_as(aligned)} if self.training else {}
        sr = self.reconstruction(seen.flatten(1, 2)).float()
        if self.skip:
            sr = sr + enlarge(lr.flatten(0, 1).float(), self.scale, "bicubic", self.phase)
        return Prediction(torch.unflatten(sr, 0, clips), told)

    def aligned(self, features: Tensor) -> Tensor:
        """Features of windows (N, K, width, h, w) -> each neighbour as a frame like the middle one, (N, K - 1, C, h, w)."""
        middle = self.frames // 2
        neighbours = torch.cat([features[:, :middle], features[:, middle + 1 :]], 1)
        both = torch.cat([features[:, middle : middle + 1].expand_as(neighbours), neighbours], 2).flatten(0, 1)
        guide = self.refine_offsets(self.compare(both))
        moved = self.align_again(self.align(neighbours.flatten(0, 1), guide))
        return torch.unflatten(self.to_frame(moved), 0, neighbours.shape[:2])
