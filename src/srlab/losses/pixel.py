"""Pixel losses: the mean over all elements, or over the known pixels, of a penalty of SR - HR."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class PixelLoss(nn.Module, ABC):
    """Mean penalty: (B, C, H, W), (B, C, H, W) -> ()."""

    def forward(self, sr: Tensor, hr: Tensor, mask: Tensor | None = None) -> Tensor:
        """With a mask (B, 1, H, W), 1 where HR is known and 0 in its holes: the mean over what is known."""
        penalty = self.penalty(sr - hr)
        if mask is None:
            return penalty.mean()
        known = (mask > 0.5).to(penalty).expand_as(penalty)
        return (penalty * known).sum() / known.sum().clamp(min=1)

    @abstractmethod
    def penalty(self, error: Tensor) -> Tensor:
        """Of each element of SR - HR."""


class L1(PixelLoss):
    """Mean absolute error."""

    def penalty(self, error: Tensor) -> Tensor:
        return error.abs()


class L2(PixelLoss):
    """Mean squared error."""

    def penalty(self, error: Tensor) -> Tensor:
        return error.square()


class Charbonnier(PixelLoss):
    """Mean of sqrt(error^2 + eps^2), a smooth L1 (LapSRN; Lai et al., CVPR 2017, arXiv 1704.03915, equation 5).

    Args:
        eps: where the penalty turns from quadratic to linear (paper: 1e-3).
    """

    def __init__(self, eps: float = 1e-3) -> None:
        super().__init__()
        if eps <= 0:
            raise ValueError(f"eps={eps} must be above 0: the paper takes 1e-3; L1 is the limit.")
        self.eps = eps

    def penalty(self, error: Tensor) -> Tensor:
        return torch.sqrt(error**2 + self.eps**2)
