"""Reduction as a sensor does it: a Gaussian whose modulation transfer function (MTF) has a stated gain, then decimation.

What Wald's protocol makes the LR image of a cube with (Wald, Ranchin and Mangolini, 1997; Aiazzi et al., 2006): the
gain is that at the Nyquist frequency of the LR image. An LR pixel lies in the middle of the scale x scale pixels that it
covers, for odd and even scales alike; half a pixel off, as in widespread code, costs decibels.
"""

import math

import numpy as np
from torch import Tensor

from srlab.degradation.base import Degradation, Degraded, round_up
from srlab.degradation.separable import reduce_by


class MTF(Degradation):
    """Blur matched to a sensor's MTF, then one pixel of each scale x scale: (B, C, H, W) -> (B, C, H / s, W / s).

    Args:
        scale: HR pixels per LR pixel.
        gain: of the MTF at the LR image's Nyquist frequency, above 0 and below 1: about 0.3 for hyperspectral and
            multispectral bands, 0.15 for panchromatic ones.
    """

    borders = "reflect"

    def __init__(self, scale: int, gain: float = 0.3) -> None:
        super().__init__()
        if scale < 1:
            raise ValueError(f"scale={scale}: give 1 or more.")
        self.scale, self.gain, self.taps = scale, float(gain), mtf_taps(scale, gain)
        self.margin = round_up(len(self.taps) // 2, scale)

    @property
    def tag(self) -> str:
        return mtf_tag(self.gain)

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        return Degraded(self.reduce(hr), {})

    def reduce(self, hr: Tensor) -> Tensor:
        """The same without a batch's bookkeeping, in float64; gradients pass."""
        return reduce_by(hr, self.taps, self.scale, self.borders)


def mtf_tag(gain: float) -> str:
    """What LR made so is called, where networks that are trained on it are told from others."""
    return f"mtf {gain:g}"


def mtf_taps(scale: int, gain: float) -> list[float]:
    """The Gaussian (K,), K odd, sum 1, cut off at three standard deviations, where it acts on an axis for `scale`.

    Its standard deviation is scale / pi sqrt(-2 ln gain) HR pixels, since exp(-(pi sigma / scale)^2 / 2) is the gain.
    """
    if not 0 < gain < 1:
        raise ValueError(f"gain={gain}: expected above 0 and below 1, as of a sensor's MTF at Nyquist (0.3, 0.15).")
    sigma = scale / math.pi * math.sqrt(-2 * math.log(gain))
    middle, reach = (scale - 1) / 2, math.ceil(3 * sigma)
    radius = math.floor(middle + reach)  # so many pixels to the right of the one that is kept, and fewer to its left
    offset = np.arange(-radius, radius + 1) - middle
    taps = np.exp(-0.5 * (offset / sigma) ** 2) * (np.abs(offset) <= reach)
    normal: list[float] = (taps / taps.sum()).tolist()
    return normal
