"""Guided enlargement without training: a map that is filtered along the edges of its photograph.

All are parts of one kind, `Ranged` networks without parameters, and take `back_projections`: without these no filter is
nearer to the truth than bicubic interpolation in RMSE at x4, and with them every one is. Their numbers are fields, so that
what all take is written once.
"""

import math
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.networks.guided.ranged import Ranged, box


@dataclass(eq=False, repr=False)
class Filter(Ranged):
    """What filters take beside their own numbers, of which none is learned: see `Ranged`.

    Args:
        scale: HR pixels per LR pixel.
    """

    scale: int
    _: KW_ONLY
    guide_channels: int = 3
    range_from: Literal["lr", "given"] = "lr"
    back_projections: int = 0
    channels: int = 1

    def __post_init__(self) -> None:
        super().__init__(
            self.scale, self.guide_channels, self.range_from, self.back_projections, channels=self.channels
        )


@dataclass(eq=False, repr=False)
class GuidedFilter(Filter):
    """The guided filter of the bicubic enlargement (He, Sun, Tang, ECCV 2010), guided by the photograph's mean.

    Args:
        radius: of the window, in HR pixels at x4; it grows with the scale.
        eps: the variance of the guide, in [0, 1]^2, below which an edge is smoothed over.
    """

    radius: int = 1
    eps: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.radius < 1 or self.eps <= 0:
            raise ValueError(f"radius={self.radius} must be 1 or more, and eps={self.eps} above 0.")

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        image, grey = self.enlarged(lr), guide.mean(1, keepdim=True)
        radius = max(1, self.radius * self.scale // 4)
        mean, mean_guide = box(image, radius), box(grey, radius)
        covariance = box(image * grey, radius) - mean * mean_guide
        variance = box(grey * grey, radius) - mean_guide.square()
        slope = covariance / (variance + self.eps)
        return box(slope, radius) * grey + box(mean - slope * mean_guide, radius)


@dataclass(eq=False, repr=False)
class JointBilateral(Filter):
    """The bilateral filter of the bicubic enlargement whose similarity is the photograph's (Petschnigg et al., 2004).

    Beyond x4 it looks at every second, every fourth pixel of its window, so that a pixel costs the same at any scale.

    Args:
        radius: of the window in LR pixels.
        sigma_color: of the L1 distance of colours in [0, 1]^3.
        sigma_space: in LR pixels.
    """

    radius: int = 1
    sigma_color: float = 0.1
    sigma_space: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.radius < 1 or min(self.sigma_color, self.sigma_space) <= 0:
            raise ValueError(
                f"radius={self.radius}, sigma_color={self.sigma_color}, sigma_space={self.sigma_space}: all above 0."
            )

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        image, spread, step = self.enlarged(lr), self.sigma_space * self.scale, max(1, self.scale // 4)
        total, weights = torch.zeros_like(image), torch.zeros_like(image)
        for down, across, depth in around(image, self.radius * self.scale, step):
            near = math.exp(-(down**2 + across**2) / (2 * spread**2))
            distance = (guide - shifted(guide, down, across, self.radius * self.scale)).abs().sum(1, keepdim=True)
            weight = near * (-distance.square() / (2 * self.sigma_color**2)).exp()
            total, weights = total + weight * depth, weights + weight
        return total / weights


class JointBilateralUpsampling(JointBilateral):
    """Each HR pixel from the LR pixels around it, weighted by the likeness of the photograph there (Kopf et al., 2007)."""

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        height, width = lr.shape[2:]
        cells = F.pixel_unshuffle(guide, self.scale).view(len(lr), guide.shape[1], -1, height, width)
        colours = F.avg_pool2d(guide, self.scale)  # of an LR pixel: what it covers
        phase = (torch.arange(self.scale, device=lr.device, dtype=lr.dtype) + 0.5) / self.scale - 0.5
        total, weights = torch.zeros_like(cells[:, 0]), torch.zeros_like(cells[:, 0])
        for down, across, depth in around(lr, self.radius + 1):
            other = shifted(colours, down, across, self.radius + 1)[:, :, None]
            distance = (phase[:, None] - down).square() + (phase - across).square()
            near = (-distance / (2 * self.sigma_space**2)).exp().view(1, -1, 1, 1)
            alike = (-(cells - other).square().sum(1) / (2 * self.sigma_color**2)).exp()
            weight = near * (alike + 1e-6)  # where nothing is alike, what is near
            total, weights = total + weight * depth, weights + weight
        return F.pixel_shuffle(total / weights, self.scale)


@dataclass(eq=False, repr=False)
class GlobalSmoother(Filter):
    """Fast global smoothing of the bicubic enlargement along the photograph's edges (Min et al., IEEE TIP 2014).

    Weighted least squares, solved exactly for one row or column after the other; three rounds, each weaker.

    Args:
        smoothness: lambda, at x4; it grows with the scale's square.
        sigma_color: of the distance of neighbouring colours in [0, 1].
        rounds: of rows, then columns.
    """

    smoothness: float = 5.0
    sigma_color: float = 0.03
    rounds: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.smoothness, self.sigma_color) <= 0 or self.rounds < 1:
            raise ValueError(
                f"smoothness={self.smoothness}, sigma_color={self.sigma_color}, rounds={self.rounds}: all above 0."
            )

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        image, smoothness = self.enlarged(lr), self.smoothness * (self.scale / 4) ** 2
        for number in range(1, self.rounds + 1):
            strength = 1.5 * smoothness * 4 ** (self.rounds - number) / (4**self.rounds - 1)
            image = along_rows(image, self.likeness(guide), strength)
            image = along_rows(image.mT, self.likeness(guide.mT), strength).mT
        return image

    def likeness(self, guide: Tensor) -> Tensor:
        """Of neighbours in a row: (B, G, H, W) -> (B, 1, H, W - 1) in (0, 1]."""
        squared = guide.diff(dim=3).square().sum(1, keepdim=True).clamp(min=1e-12)  # a root has no slope at 0
        return (-squared.sqrt() / self.sigma_color).exp()


def along_rows(image: Tensor, likeness: Tensor, strength: float) -> Tensor:
    """The minimum over u of |u - image|^2 + strength sum likeness (u[x + 1] - u[x])^2, row by row, by Thomas' algorithm.

    Args:
        image: (B, 1, H, W).
        likeness: (B, 1, H, W - 1).
        strength: of the smoothing.
    """
    bonds = (-strength * likeness).unbind(3)
    values = image.unbind(3)
    last = len(values) - 1
    ratios, solved = list[Tensor](), list[Tensor]()
    for place, value in enumerate(values):
        before = bonds[place - 1] if place else torch.zeros_like(value)
        after = bonds[place] if place < last else torch.zeros_like(value)
        pivot, known = 1 - before - after, value
        if place:
            pivot, known = pivot - before * ratios[-1], value - before * solved[-1]
        ratios.append(after / pivot)
        solved.append(known / pivot)
    for place in range(last - 1, -1, -1):
        solved[place] = solved[place] - ratios[place] * solved[place + 1]
    return torch.stack(solved, 3)


def around(image: Tensor, radius: int, step: int = 1) -> Iterator[tuple[int, int, Tensor]]:
    """Every pixel's neighbours: how far down, how far across, and the image (B, C, H, W) that has them in its places."""
    for down in range(-radius, radius + 1, step):
        for across in range(-radius, radius + 1, step):
            yield down, across, shifted(image, down, across, radius)


def shifted(image: Tensor, down: int, across: int, radius: int) -> Tensor:
    """The neighbours of all pixels in one direction, the border's going on: (B, C, H, W) -> the same."""
    padded = F.pad(image, (radius,) * 4, mode="replicate")
    height, width = image.shape[2:]
    return padded[..., radius + down : radius + down + height, radius + across : radius + across + width]
