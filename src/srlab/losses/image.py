"""Losses of whole images beside the pixel losses: smoothness, spectrum, structure. Each is (sr, hr) -> (), in float32."""

from typing import Literal

import kornia
import torch
from torch import Tensor, nn

from srlab.errors import InputError
from srlab.evaluation.perceptual import Dists, Lpips
from srlab.networks.frozen import Frozen


class TotalVariation(nn.Module):
    """Mean absolute difference of neighbours, down plus across, of SR alone (Rudin et al. 1992; kornia)."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        variation: Tensor = kornia.losses.total_variation(sr.float(), reduction="mean")
        return variation.mean()


class Frequency(nn.Module):
    """Mean absolute difference of orthonormal Fourier spectra.

    Args:
        kind: `amplitude`: of their amplitudes, which forgives a shift; `complex`: of real plus of imaginary parts.
    """

    def __init__(self, kind: Literal["amplitude", "complex"] = "amplitude") -> None:
        super().__init__()
        if kind not in ("amplitude", "complex"):
            raise ValueError(f"kind={kind!r}: choose amplitude or complex.")
        self.kind = kind

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        ours, target = (torch.fft.rfft2(image.float(), norm="ortho") for image in (sr, hr))
        if self.kind == "amplitude":
            apart: Tensor = (ours.abs() - target.abs()).abs()
            return apart.mean()
        error: Tensor = torch.view_as_real(ours - target).abs()
        return error.sum(-1).mean()


class SSIM(nn.Module):
    """1 - SSIM (Wang et al. 2004; kornia), channel by channel, where the window fits.

    Args:
        window_pixels: of the Gaussian window (paper: 11).
    """

    def __init__(self, window_pixels: int = 11) -> None:
        super().__init__()
        if window_pixels < 3 or window_pixels % 2 == 0:
            raise ValueError(f"window_pixels={window_pixels}: choose an odd number from 3.")
        self.window_pixels = window_pixels

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        if min(sr.shape[-2:]) < self.window_pixels:
            raise InputError(
                f"SSIM's window of {self.window_pixels} pixels does not fit into {tuple(sr.shape[-2:])}: set data.patch "
                f"(LR pixels) higher, or window_pixels lower."
            )
        similarity: Tensor = kornia.metrics.ssim(sr.float(), hr.float(), self.window_pixels, padding="valid")
        return 1 - similarity.mean()


class MultiScaleSSIM(nn.Module):
    """Multi-scale SSIM, blended with a Gaussian L1 (Zhao et al., IEEE TCI 2017, arXiv 1511.08861; kornia).

    Args:
        alpha: the share of 1 - MS-SSIM; L1 has the rest (paper: 0.84; 1: MS-SSIM alone).
    """

    def __init__(self, alpha: float = 0.84) -> None:
        super().__init__()
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha={alpha}: give a share from 0 to 1; the paper takes 0.84.")
        self.loss = kornia.losses.MS_SSIMLoss(alpha=alpha, compensation=1.0)

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        value: Tensor = self.loss(sr.float(), hr.float())
        return value


class LearnedSimilarity(nn.Module):
    """LPIPS or DISTS (torchmetrics), the metric as a loss; grey and RGB images.

    Args:
        metric: with its weights.
    """

    def __init__(self, metric: Lpips | Dists) -> None:
        super().__init__()
        self.metric, self.network = metric, Frozen(metric.network)

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        with torch.autocast(sr.device.type, enabled=False):
            return self.metric.distance(sr.float(), hr.float()).mean()
