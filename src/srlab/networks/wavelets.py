"""The two-dimensional orthonormal wavelet transform as layers (Mallat, PAMI 1989), with the filters of PyWavelets.

One level of the transform is a strided convolution of each channel with four filters; the filters are orthonormal, so
the transposed convolution with the same ones is its inverse. The borders are periodic (PyWavelets' "periodization"),
which only filters longer than Haar's two taps meet.
"""

import pywt
import torch
from torch import Tensor, nn
from torch.nn import functional as F


def filters(wavelet: str, turned: bool = False) -> Tensor:
    """The filters of the four sub-bands: (4, 1, taps, taps), in PyWavelets' order: average, then along H, W, both.

    Args:
        wavelet: an orthonormal one by PyWavelets' name.
        turned: by 180 degrees. Haar's details are then positive where brightness grows down or to the right, not where
            it falls, which layers with ReLUs tell apart.

    Raises:
        ValueError: the wavelet is unknown, or not orthonormal.
    """
    try:
        family = pywt.Wavelet(wavelet)
    except ValueError as error:
        raise ValueError(f"wavelet={wavelet!r} is unknown: choose one as haar, db2, sym4 or coif1.") from error
    if not family.orthogonal:
        raise ValueError(f"wavelet={wavelet!r} is not orthonormal: choose one as haar, db2, sym4 or coif1.")
    low, high = torch.tensor(family.rec_lo), torch.tensor(family.rec_hi)
    pairs = ((low, low), (high, low), (low, high), (high, high))
    bank = torch.stack([torch.outer(vertical, horizontal) for vertical, horizontal in pairs])[:, None].float()
    return bank.flip(2, 3) if turned else bank


def transform_halo(wavelet: str, beyond: int | None) -> int | None:
    """The halo of an analysis, layers that reach `beyond` sub-band pixels, and the synthesis; None where borders wrap."""
    return None if beyond is None or pywt.Wavelet(wavelet).rec_len > 2 else 2 * beyond + 1


class WaveletLayer(nn.Module):
    """What analysis and synthesis share: one set of filters for each channel.

    Args:
        channels: C.
        wavelet, turned: see `filters`.
    """

    filters: Tensor

    def __init__(self, channels: int, wavelet: str = "haar", turned: bool = False) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("filters", filters(wavelet, turned).repeat(channels, 1, 1, 1), persistent=False)


class WaveletAnalysis(WaveletLayer):
    """Image to sub-bands: (B, C, H, W) -> (B, 4 C, H / 2, W / 2), the four of a channel side by side.

    Args:
        channels: C.
        wavelet, turned: see `filters`.
    """

    def forward(self, image: Tensor) -> Tensor:
        margin = self.filters.shape[-1] // 2 - 1
        if margin:
            image = F.pad(image, (margin,) * 4, mode="circular")
        return F.conv2d(image, self.filters, stride=2, groups=self.channels)


class WaveletSynthesis(WaveletLayer):
    """Sub-bands to image, the inverse of `WaveletAnalysis`: (B, 4 C, H, W) -> (B, C, 2 H, 2 W).

    Args:
        channels: C.
        wavelet, turned: see `filters`.
    """

    def forward(self, bands: Tensor) -> Tensor:
        taps = self.filters.shape[-1]
        margin = taps // 4  # sub-band pixels beyond the border that reach into the image
        if margin:
            bands = F.pad(bands, (margin,) * 4, mode="circular")
        outside = 2 * margin + taps // 2 - 1
        return F.conv_transpose2d(bands, self.filters, stride=2, padding=outside, groups=self.channels)
