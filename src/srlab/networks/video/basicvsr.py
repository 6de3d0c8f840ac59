"""BasicVSR: features go through the clip backward and forward, warped from frame to frame (Chan et al., CVPR 2021).

arXiv 2012.02181, section 3; layers as in its authors' code. A frame depends on the whole clip: the network is not causal.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution, ResidualBlock
from srlab.networks.interpolation import Phase, enlarge
from srlab.networks.video.flow import FlowNetwork, warp
from srlab.networks.video.motion import History, require_history, told
from srlab.networks.video.network import Read, VideoNetwork, require_chunk
from srlab.networks.video.upsampling import by_subpixels
from srlab.types import Prediction

SLOPE = 0.1


class BasicVSR(VideoNetwork):
    """See the module.

    Args:
        channels: of the frames.
        scale: a power of two.
        flow: between LR frames, both ways (paper: SpyNet, pre-trained).
        width: of all features (paper: 64).
        blocks: residual blocks in either direction (paper: 30).
        history: `unwarped` and `none` are its twins.
        interpolation: of the frame to which all is added (paper: bilinear).
        phase: where an LR pixel lies among the HR pixels that it becomes: `first` is that of BD.
        refining: residual blocks between the fusion of both directions and the enlargement (paper: none; BasicVSR++: 5).
        direct: make the image by one sub-pixel layer at the small size, as ESPCN does: much cheaper (paper: layers of
            `width` at every size).
        flow_waits: iterations in which the flow does not learn (paper: 5,000).
        flow_rate: its learning rate afterwards, as part of that of the rest (paper: 1/8).
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        flow: FlowNetwork,
        width: int = 64,
        blocks: int = 30,
        history: History = "warped",
        interpolation: str = "bilinear",
        phase: Phase = "centre",
        refining: int = 0,
        direct: bool = False,
        flow_waits: int = 0,
        flow_rate: float = 1.0,
    ) -> None:
        super().__init__(channels, scale, multiple_of=1, halo=None, temporal_halo=None, causal=False)
        require_history(history)
        if flow_waits < 0 or flow_rate < 0:
            raise ValueError(f"flow_waits={flow_waits}, flow_rate={flow_rate}: give 0 or more.")
        self.history: History = history
        self.phase: Phase = phase
        self.interpolation, self.width = interpolation, width
        self.flow_waits, self.flow_rate = flow_waits, flow_rate
        self.flow = flow
        self.backward_trunk, self.forward_trunk = (
            nn.Sequential(
                Convolution(channels + width, width),
                nn.LeakyReLU(SLOPE, inplace=True),
                *(ResidualBlock(width) for _ in range(blocks)),
            )
            for _ in range(2)
        )
        self.fusion = nn.Sequential(
            Convolution(2 * width, width, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            *(ResidualBlock(width) for _ in range(refining)),
        )
        self.tail = (
            nn.Sequential(Convolution(width, channels * scale**2), nn.PixelShuffle(scale))
            if direct
            else nn.Sequential(
                by_subpixels(width, scale, SLOPE),
                Convolution(width, width),
                nn.LeakyReLU(SLOPE, inplace=True),
                Convolution(width, channels),
            )
        )

    def parameter_groups(self) -> list[dict[str, Any]]:
        own = {id(parameter) for parameter in self.flow.parameters()}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in own]
        if not own or (self.flow_waits == 0 and self.flow_rate == 1):
            return super().parameter_groups()
        flow = {"params": list(self.flow.parameters()), "waits": self.flow_waits, "rate": self.flow_rate}
        return [{"params": rest}, flow]

    def predict(self, lr: Tensor) -> Prediction:
        earlier, later = lr[:, :-1], lr[:, 1:]
        ahead, back = self.flows(earlier, later), self.flows(later, earlier)
        sr = self.fused(lr, self.swept_back(lr, ahead, None), self.swept(self.forward_trunk, lr, back, None))
        if not self.training or self.history != "warped":
            return Prediction(sr, {})
        targets, sources = torch.cat([earlier, later], 1), torch.cat([later, earlier], 1)
        return Prediction(sr, told(targets, sources, torch.cat([ahead, back], 1)))

    def flows(self, target: Tensor, source: Tensor) -> Tensor:
        """(B, K, C, h, w), (B, K, C, h, w) -> (B, K, 2, h, w); nothing is found where nothing is warped."""
        if self.history != "warped" or not target.shape[1]:
            return target.new_zeros(*target.shape[:2], 2, *target.shape[3:])
        flow: Tensor = self.flow(target, source)
        return flow

    def swept(self, trunk: nn.Module, lr: Tensor, flows: Tensor, state: Tensor | None) -> list[Tensor]:
        """Features of each frame, from those of the frame before it.

        Args:
            trunk: frame and features -> features.
            lr: (B, t, C, h, w).
            flows: of each frame to the one before it; without the first frame's, where it has no state.
            state: features of the frame before the first; None: there is none.
        """
        features: list[Tensor] = []
        skipped = lr.shape[1] - flows.shape[1]
        for place in range(lr.shape[1]):
            frame = lr[:, place]
            if state is None or self.history == "none":
                known = frame.new_zeros(len(frame), self.width, *frame.shape[2:])
            elif self.history == "warped":
                known = warp(state, flows[:, place - skipped], "zeros")
            else:
                known = state
            state = trunk(torch.cat([frame, known], 1))
            features.append(state)
        return features

    def swept_back(self, lr: Tensor, flows: Tensor, state: Tensor | None) -> list[Tensor]:
        """The same from the last frame to the first; `flows` is of each frame to the one after it."""
        return self.swept(self.backward_trunk, lr.flip(1), flows.flip(1), state)[::-1]

    def fused(self, lr: Tensor, backward: list[Tensor], forward: list[Tensor]) -> Tensor:
        """The result (B, t, C, scale h, scale w) of the features of both directions."""
        if self.training:  # all frames in one batch: faster, and what is held is needed backward anyhow
            both = torch.cat([torch.stack(backward, 1), torch.stack(forward, 1)], 2).flatten(0, 1)
            return torch.unflatten(self.made(lr.flatten(0, 1), both), 0, lr.shape[:2])
        pairs = enumerate(zip(backward, forward, strict=True))
        return torch.stack([self.made(lr[:, place], torch.cat(both, 1)) for place, both in pairs], 1)

    def made(self, frames: Tensor, features: Tensor) -> Tensor:
        """The result (N, C, scale h, scale w) of frames and their features of both directions (N, 2 width, h, w)."""
        enlarged = enlarge(frames.float(), self.scale, self.interpolation, self.phase)
        made: Tensor = enlarged + self.tail(self.fusion(features)).float()
        return made

    def stream(self, read: Read, length: int, chunk: int) -> Iterator[Tensor]:
        """As in VideoNetwork, and exact: of the way back, one frame's features are kept for each chunk.

        The others of a chunk are made again when its turn comes. So what is held grows by (B, width, h, w) with each chunk.
        """
        require_chunk(chunk)
        starts = range(0, length, chunk)
        after: dict[int, Tensor | None] = {starts[-1]: None}
        for start in reversed(starts[1:]):
            lr = read(start, min(start + chunk + 1, length))  # with the frame after
            own = lr[:, :chunk]
            ahead = self.flows(lr[:, :-1], lr[:, 1:])
            after[start - chunk] = self.swept_back(own, ahead, after[start])[0]
        state: Tensor | None = None
        for start in starts:
            stop, first = min(start + chunk, length), max(0, start - 1)
            lr = read(first, min(stop + 1, length))  # with the frames before and after
            self.check(lr)
            own = lr[:, start - first : stop - first]
            ahead = self.flows(lr[:, start - first : -1], lr[:, start - first + 1 :])
            back = self.flows(lr[:, 1 : stop - first], lr[:, : stop - first - 1])
            forward = self.swept(self.forward_trunk, own, back, state)
            state = forward[-1]
            yield self.fused(own, self.swept_back(own, ahead, after.pop(start)), forward)
