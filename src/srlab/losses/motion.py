"""Losses of motion, which need no truth of it: frames brought to another should be like it, and a flow should be smooth."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.color import rgb_to_ycbcr
from srlab.errors import InputError
from srlab.losses.weighted import Step, Term
from srlab.networks.video.motion import ALIGNED, ALIGNED_TO, FLOW
from srlab.schedules import Schedule


class Alignment(Term):
    """A loss between the LR frames that a network brought to others, and these others.

    The warping loss of VESPCN and FRVSR and the alignment loss of TDAN; with only smoothness beside it, the photometric loss
    that teaches a flow network from zero.

    Args:
        loss: (frames, frames), both (N, C, h, w) -> ().
        weight, ramp: see `Term`.
    """

    def __init__(self, loss: nn.Module, weight: float = 1.0, ramp: Schedule | None = None) -> None:
        super().__init__(weight, ramp)
        self.loss = loss

    def measure(self, step: Step) -> Tensor:
        aligned, target = (of_motion(step, name) for name in (ALIGNED, ALIGNED_TO))
        value: Tensor = self.loss(aligned.flatten(0, -4).float(), target.flatten(0, -4).float())
        return value


class Smoothness(Term):
    """The mean over pixels of sqrt(eps + |d flow / dx|^2 + |d flow / dy|^2), which stands for Huber's (VESPCN, section 2.2).

    Args:
        eps: where the penalty turns from quadratic to linear, in squared LR pixels (paper: 0.01).
        weight, ramp: see `Term`.
    """

    def __init__(self, eps: float = 0.01, weight: float = 1.0, ramp: Schedule | None = None) -> None:
        super().__init__(weight, ramp)
        if eps <= 0:
            raise ValueError(f"eps={eps} must be above 0: the paper takes 0.01.")
        self.eps = eps

    def measure(self, step: Step) -> Tensor:
        flow = of_motion(step, FLOW).flatten(0, -4).float()
        down = F.pad(flow.diff(dim=2), (0, 0, 0, 1)).square()
        right = F.pad(flow.diff(dim=3), (0, 1)).square()
        return torch.sqrt(self.eps + (down + right).sum(1)).mean()


class Census(nn.Module):
    """How the surroundings of each pixel differ in two images, whatever their light: (N, C, H, W), (N, C, H, W) -> ().

    The soft ternary census of Meister, Hur and Roth (UnFlow, AAAI 2018): differences of a pixel to each
    neighbour, scaled and clipped, are compared by a soft Hamming distance; pixels near the borders are left out.

    Args:
        size: of the surroundings, odd (paper: 7).
        contrast: a difference that counts as one, in [0, 1] of white (paper: 0.9 of 255 grey levels).
    """

    def __init__(self, size: int = 7, contrast: float = 0.9 / 255) -> None:
        super().__init__()
        if size < 3 or size % 2 == 0 or contrast <= 0:
            raise ValueError(
                f"size={size}, contrast={contrast}: give an odd size of 3 or more, and a contrast above 0."
            )
        self.size, self.contrast = size, contrast

    def forward(self, images: Tensor, others: Tensor) -> Tensor:
        distance = (self.transformed(images) - self.transformed(others)).square()
        soft = (distance / (0.1 + distance)).sum(1)
        return torch.pow(soft.square() + 0.001**2, 0.45).mean()

    def transformed(self, images: Tensor) -> Tensor:
        """The ternary signature of each inner pixel, softly: (N, size^2, H - size + 1, W - size + 1)."""
        luma = rgb_to_ycbcr(images)[:, :1] if images.shape[1] == 3 else images.mean(1, keepdim=True)
        height, width = (side - self.size + 1 for side in luma.shape[-2:])
        if min(height, width) < 1:
            raise InputError(f"frames of {tuple(luma.shape[-2:])} are smaller than the census window, {self.size}.")
        around = torch.unflatten(F.unfold(luma, self.size), 2, (height, width))
        centre = luma[..., self.size // 2 :, self.size // 2 :][..., :height, :width]
        difference = (around - centre) / self.contrast
        ternary: Tensor = difference / torch.sqrt(1 + difference.square())
        return ternary


def of_motion(step: Step, name: str) -> Tensor:
    """What a network of clips told of its motion.

    Raises:
        InputError: it told nothing.
    """
    found = step.prediction.intermediate.get(name)
    if found is None:
        raise InputError(
            f"a loss of motion needs a network that tells its {name!r}, in clips of two frames or more: take vespcn, frvsr, "
            f"basicvsr, tdan or spynet, with history=warped and data.frames=2 or more."
        )
    return found
