"""Noise of the sensor. The result is not clamped: end a chain with `Quantize`."""

import torch
from torch import Tensor

from srlab.degradation.base import Degradation, Degraded, Range, as_range, draw, generators


class GaussianNoise(Degradation):
    """Additive white Gaussian noise.

    Args:
        sigma: standard deviation, white at 1 (8-bit noise of 25: 25 / 255), or the range it is drawn from per image or clip.
        grey: the same noise in every channel.

    Draws `noise_sigma` (B,).
    """

    def __init__(self, sigma: Range, grey: bool = False) -> None:
        super().__init__()
        self.scale = 1
        self.margin = 0
        self.sigma = as_range("sigma", sigma, most=1.0)
        self.grey = grey

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        *frames, channels, height, width = hr.shape[1:]
        sigmas, noises = [], []
        for generator in generators(seeds):
            sigmas.append(draw(self.sigma, generator))
            noise = torch.randn(*frames, 1 if self.grey else channels, height, width, generator=generator)
            noises.append(sigmas[-1] * noise)
        noisy = hr + torch.stack(noises).to(hr)
        return Degraded(noisy, {"noise_sigma": torch.tensor(sigmas).to(hr)})

    def of_clips(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        """One standard deviation for a clip, and noise of its own for each frame."""
        return self.forward(hr, seeds, levels)


class PoissonNoise(Degradation):
    """Shot noise: each value is a count of photons.

    Args:
        photons: the expected count at white, or the range it is drawn from per image (or clip); fewer are noisier.

    Draws `photons` (B,).
    """

    def __init__(self, photons: Range) -> None:
        super().__init__()
        self.scale = 1
        self.margin = 0
        self.photons = as_range("photons", photons, least=1.0)

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        photons, counts = [], []
        for image, generator in zip(hr.clamp(min=0).cpu(), generators(seeds), strict=True):
            photons.append(draw(self.photons, generator))
            counts.append(torch.poisson(image * photons[-1], generator=generator) / photons[-1])
        return Degraded(torch.stack(counts).to(hr), {"photons": torch.tensor(photons).to(hr)})

    def of_clips(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        """One number of photons at white for a clip, and counts of its own for each frame."""
        return self.forward(hr, seeds, levels)
