"""Clips without training: back-projection of several frames by their motion, and the frame before as a guess of this one."""

import torch
from torch import Tensor

from srlab.degradation.reduction import Reduction
from srlab.networks.interpolation import Phase, enlarge
from srlab.networks.video.flow import FlowNetwork, warp
from srlab.networks.video.motion import told, windows
from srlab.networks.video.network import WindowedNetwork
from srlab.types import Prediction


class MultiFrameBackProjection(WindowedNetwork):
    """Make a result agree with a frame and its neighbours (Irani and Peleg, CVGIP 1991), through a known reduction.

    The flow is found between frames enlarged by bicubic interpolation. In each iteration the result so far is warped to each
    frame and reduced; what the frame has beyond that is enlarged, warped back, and added, as a mean over the frames.

    Args:
        channels: C.
        reduction: how LR came from HR.
        flow: between enlarged frames; `frames=1` does without.
        frames: seen at once, an odd number; 1: back-projection of single frames.
        iterations: of the back-projection.
        phase: where an LR pixel lies among the HR pixels that it becomes: that of the reduction.
    """

    def __init__(
        self,
        channels: int,
        reduction: Reduction,
        flow: FlowNetwork | None,
        frames: int = 5,
        iterations: int = 10,
        phase: Phase = "first",
    ) -> None:
        if frames < 1 or frames % 2 == 0 or iterations < 0:
            raise ValueError(f"frames={frames}, iterations={iterations}: give an odd number of frames, and 0 or more.")
        if frames > 1 and flow is None:
            raise ValueError(f"frames={frames} need a flow between them: choose one, or frames=1.")
        super().__init__(channels, reduction.scale, 1, None, temporal_halo=frames // 2, causal=frames == 1)
        self.reduction, self.flow, self.frames, self.iterations = reduction, flow, frames, iterations
        self.phase: Phase = phase

    def predict(self, lr: Tensor) -> Prediction:
        seen = windows(lr, self.frames // 2)
        results = [self.projected(seen[:, place]) for place in range(lr.shape[1])]
        return Prediction(torch.stack(results, 1), {})

    def projected(self, seen: Tensor) -> Tensor:
        """Of a window (B, K, C, h, w), the middle frame: (B, C, scale h, scale w) in [0, 1]."""
        middle = self.frames // 2
        enlarged = torch.stack([self.enlarged(seen[:, place]) for place in range(self.frames)], 1)
        sr = enlarged[:, middle].clamp(0, 1)
        neighbours = [place for place in range(self.frames) if place != middle]
        there, back = dict[int, Tensor](), dict[int, Tensor]()
        for place in neighbours:
            assert self.flow is not None
            there[place] = self.flow(enlarged[:, place], enlarged[:, middle])  # warps the middle to this one
            back[place] = self.flow(enlarged[:, middle], enlarged[:, place])
        for _ in range(self.iterations):
            lacking = self.lacking(seen[:, middle], sr)
            for place in neighbours:
                lacking = lacking + warp(self.lacking(seen[:, place], warp(sr, there[place])), back[place])
            sr = (sr + lacking / self.frames).clamp(0, 1)
        return sr

    def lacking(self, lr: Tensor, sr: Tensor) -> Tensor:
        """What a frame has beyond a result's reduction, enlarged."""
        return self.enlarged(lr - self.reduction.to_size(sr, (lr.shape[2], lr.shape[3])))

    def enlarged(self, lr: Tensor) -> Tensor:
        return enlarge(lr, self.scale, "bicubic", self.phase)


class FrameBefore(WindowedNetwork):
    """Each frame as the one before, warped to it, and enlarged by bicubic interpolation; the first frame as it is.

    No way to enlarge a clip, but what a flow is worth, in dB; and what a flow network is pre-trained in, without HR, by the
    losses `photometric` and `smoothness`.

    Args:
        channels: C.
        scale: of the enlargement.
        flow: that is trained, or measured; None: nothing has moved.
        phase: where an LR pixel lies among the HR pixels that it becomes.
    """

    def __init__(self, channels: int, scale: int, flow: FlowNetwork | None, phase: Phase = "centre") -> None:
        super().__init__(channels, scale, multiple_of=1, halo=None, temporal_halo=1, causal=True)
        self.flow = flow
        self.phase: Phase = phase

    def predict(self, lr: Tensor) -> Prediction:
        guess, known = lr[:, :-1], dict[str, Tensor]()
        if self.flow is not None and lr.shape[1] > 1:
            flow = self.flow(lr[:, 1:], guess)
            known = told(lr[:, 1:], guess, flow) if self.training else {}
            guess = torch.unflatten(warp(guess.flatten(0, 1), flow.flatten(0, 1)), 0, guess.shape[:2])
        frames = torch.cat([lr[:, :1], guess], 1)
        sr = enlarge(frames.flatten(0, 1).float(), self.scale, "bicubic", self.phase)
        return Prediction(torch.unflatten(sr, 0, lr.shape[:2]), known)
