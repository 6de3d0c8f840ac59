"""Pixel losses: the mean over all elements of a penalty of SR - HR."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class L1(nn.Module):
    """Mean absolute error: (B, C, H, W), (B, C, H, W) -> ()."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return F.l1_loss(sr, hr)


class L2(nn.Module):
    """Mean squared error: (B, C, H, W), (B, C, H, W) -> ()."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return F.mse_loss(sr, hr)


class Charbonnier(nn.Module):
    """Mean of sqrt(error^2 + eps^2), a smooth L1 (LapSRN; Lai et al., CVPR 2017, arXiv 1704.03915, equation 5).

    Args:
        eps: where the penalty turns from quadratic to linear (paper: 1e-3).
    """

    def __init__(self, eps: float = 1e-3) -> None:
        super().__init__()
        if eps <= 0:
            raise ValueError(f"eps={eps} must be above 0: the paper takes 1e-3; L1 is the limit.")
        self.eps = eps

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return torch.sqrt((sr - hr) ** 2 + self.eps**2).mean()
