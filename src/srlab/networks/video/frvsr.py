"""FRVSR: a result is made from the frame and the result before, warped to it (Sajjadi et al., CVPR 2018, arXiv 1801.04590).

A small network (FNet) finds the flow between LR frames; enlarged, it warps the result before; that is folded into channels
(space to depth) and, beside the frame, given to a residual network (SRNet).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import Convolution, ResidualBlock, start_gaussian
from srlab.networks.interpolation import Phase, enlarge
from srlab.networks.video.flow import FlowNetwork, warp
from srlab.networks.video.motion import History, require_history, told
from srlab.networks.video.network import RecurrentNetwork, State
from srlab.networks.video.upsampling import doublings
from srlab.types import Prediction

SLOPE = 0.2


class FNet(FlowNetwork):
    """An encoder and a decoder over three halvings.

    Args:
        channels: of the frames.
        width: of the first layers, doubled at each halving (paper: 32).
        reach: the longest motion, in LR pixels along an axis (24 in the code of TecoGAN, which takes FNet over).
    """

    HALVINGS = 3

    def __init__(self, channels: int = 3, width: int = 32, reach: float = 24.0) -> None:
        super().__init__(channels)
        if reach <= 0:
            raise ValueError(f"reach={reach}: give the longest motion, above 0 LR pixels.")
        self.reach = reach
        wide = [width * 2**place for place in range(self.HALVINGS + 1)]
        self.encoder = nn.ModuleList(
            self.pair(before, after) for before, after in zip([2 * channels, *wide[:2]], wide[:3], strict=True)
        )
        self.decoder = nn.ModuleList(
            self.pair(before, after) for before, after in zip([wide[2], *wide[:1:-1]], wide[:0:-1], strict=True)
        )
        last = Convolution(width, 2)
        start_gaussian(last, 1e-3)  # the first flow is next to none
        self.tail = nn.Sequential(Convolution(wide[1], width), nn.LeakyReLU(SLOPE, inplace=True), last, nn.Tanh())

    @staticmethod
    def pair(before: int, after: int) -> nn.Sequential:
        """Two convolutions."""
        first, second = Convolution(before, after), Convolution(after, after)
        return nn.Sequential(first, nn.LeakyReLU(SLOPE, inplace=True), second, nn.LeakyReLU(SLOPE, inplace=True))

    def estimate(self, target: Tensor, source: Tensor) -> Tensor:
        height, width = target.shape[-2:]
        unit = 2**self.HALVINGS
        frames = F.pad(torch.cat([target, source], 1), (0, -width % unit, 0, -height % unit), mode="replicate")
        for level in self.encoder:
            frames = F.max_pool2d(level(frames), 2)
        for level in self.decoder:
            frames = F.interpolate(level(frames), scale_factor=2, mode="bilinear", align_corners=False)
        flow: Tensor = self.reach * self.tail(frames).float()
        return flow[..., :height, :width]


class FRVSR(RecurrentNetwork):
    """See the module.

    Args:
        channels: of the frames.
        scale: a power of two.
        flow: between LR frames; the paper's is `FNet`.
        width: of SRNet (paper: 128 for its best, 5.1 M in all).
        blocks: of SRNet (paper: 10).
        history: `unwarped` and `none` are its twins; `none` is given the enlarged frame for the result before.
        phase: where an LR pixel lies among the HR pixels that it becomes: `first` is that of BD, which it is made for.

    What SRNet makes is added to the frame, enlarged by bicubic interpolation.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        flow: FlowNetwork,
        width: int = 128,
        blocks: int = 10,
        history: History = "warped",
        phase: Phase = "first",
    ) -> None:
        super().__init__(channels, scale, multiple_of=1)
        require_history(history)
        self.history: History = history
        self.phase: Phase = phase
        self.flow = flow
        layers: list[nn.Module] = [Convolution(channels * (1 + scale**2), width), nn.ReLU(inplace=True)]
        layers += [ResidualBlock(width) for _ in range(blocks)]
        for _ in range(doublings(scale)):
            layers += [nn.ConvTranspose2d(width, width, 3, 2, padding=1, output_padding=1), nn.ReLU(inplace=True)]
        self.srnet = nn.Sequential(*layers, Convolution(width, channels))

    def advance(self, lr: Tensor, state: State | None) -> tuple[Prediction, State]:
        before, sr = state if state is not None else (lr[:, :1], None)
        sources = torch.cat([before, lr[:, :-1]], 1)
        flows = self.flow(lr, sources) if self.history == "warped" else None
        results = []
        for place in range(lr.shape[1]):
            frame = lr[:, place]
            enlarged = enlarge(frame.float(), self.scale, "bicubic", self.phase)
            known = self.known(enlarged, sr, None if flows is None else flows[:, place])
            sr = enlarged + self.srnet(torch.cat([frame, F.pixel_unshuffle(known, self.scale)], 1)).float()
            results.append(sr)
        assert sr is not None
        first = 0 if state is not None else 1  # the first frame of a clip has none before it
        seen = {} if flows is None or not self.training else told(lr[:, first:], sources[:, first:], flows[:, first:])
        return Prediction(torch.stack(results, 1), seen), (lr[:, -1:], sr)

    def known(self, enlarged: Tensor, sr: Tensor | None, flow: Tensor | None) -> Tensor:
        """What the network is told of the result before, at the size of the result: nothing (black) at first."""
        if self.history == "none":
            return enlarged
        if sr is None:
            return torch.zeros_like(enlarged)
        if flow is None:
            return sr
        return warp(sr, self.scale * enlarge(flow, self.scale, "bilinear", self.phase))
