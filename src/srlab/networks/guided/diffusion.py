"""Guided anisotropic diffusion (Metzger, Daudt, Schindler, CVPR 2023, arXiv 2211.11592), without its network.

Depth flows between neighbours that look alike in the photograph, and after each step every LR pixel is given its mean back:
what flows is what LR does not tell. The authors' variant without a network compares neighbours in the map as well.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.networks.guided.filters import Filter
from srlab.networks.guided.ranged import LEAST_SPAN, centred


@dataclass(eq=False, repr=False)
class GuidedDiffusion(Filter):
    """See the module.

    Args:
        steps: of the diffusion (paper: 8000 and more; the effect of a step shrinks with their number).
        sigma_color: the mean difference of colours in [0, 1] at which half as much flows (Perona and Malik, 1990).
        own_edges: neighbours must be alike in the enlarged map too, as the authors have it: `sigma_color` is then the mean
            difference of colours, scaled as ImageNet's, and of depth in its standard deviations (authors: 0.03).
        rate: the share of a difference that flows in a step (paper: 0.24; from 0.25 on it is unstable).
    """

    steps: int = 200
    sigma_color: float = 0.03
    rate: float = 0.24
    own_edges: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1 or self.sigma_color <= 0 or not 0 < self.rate < 0.25:
            raise ValueError(
                f"steps={self.steps} and sigma_color={self.sigma_color} must be above 0, rate={self.rate} below 0.25."
            )

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        enlarged = self.enlarged(lr)
        image, seen = self.adjusted(enlarged, lr), guide
        if self.own_edges:
            deviation = lr.var((1, 2, 3), correction=0, keepdim=True).clamp(min=LEAST_SPAN**2).sqrt()
            seen = torch.cat([centred(guide), enlarged / deviation], 1)
        down, across = (self.conductance(seen, dim) for dim in (2, 3))
        for _ in range(self.steps):
            flow_down, flow_across = down * image.diff(dim=2), across * image.diff(dim=3)
            change = F.pad(flow_down, (0, 0, 0, 1)) - F.pad(flow_down, (0, 0, 1, 0))
            change = change + F.pad(flow_across, (0, 1)) - F.pad(flow_across, (1, 0))
            image = self.adjusted(image + self.rate * change, lr)
        return image

    def conductance(self, seen: Tensor, dim: int) -> Tensor:
        """Between neighbours along an axis: (B, 1, H - 1, W) or (B, 1, H, W - 1) in (0, 1]."""
        return 1 / (1 + (seen.diff(dim=dim).abs().mean(1, keepdim=True) / self.sigma_color).square())

    def adjusted(self, image: Tensor, lr: Tensor) -> Tensor:
        """The image with each LR pixel as the mean of what it covers, exactly. (The paper scales: not so depth 0.)"""
        lacking = lr - F.avg_pool2d(image, self.scale)
        return image + lacking.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)
