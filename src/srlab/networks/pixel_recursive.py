"""Draw the image sub-pixel by sub-pixel (Pixel Recursive Super Resolution; Dahl et al., ICCV 2017, arXiv 1702.00783).

A conditioning network says what the LR image tells of each sub-pixel, a PixelCNN what the sub-pixels before it tell; the
sum of their logits is a distribution over 256 codes (equation 3).
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import ResidualBlock
from srlab.networks.frameworks import backbone_facts
from srlab.networks.network import Network, published
from srlab.networks.pixelcnn import LEVELS, PixelCNN
from srlab.networks.staged import Upsampler
from srlab.types import Prediction


class Logits(NamedTuple):
    """Of the sub-pixels' codes, each (B, C, 256, scale H, scale W).

    Attributes:
        conditioning: what the LR image tells.
        both: with what the earlier sub-pixels of the HR image tell.
    """

    conditioning: Tensor
    both: Tensor


class PixelRecursive(Network):
    """lr (B, C, H, W) -> a sample sr (B, C, scale H, scale W): one pass of the prior a sub-pixel, so for small images.

    Args:
        backbone: image to features, at the small size.
        upsampler: makes the conditioning network's upsampler when called with `in_channels`, `scale` and `out_channels`.
        prior: makes the prior when called with `channels`.
        channels: C.
        scale: the factor (paper: 4).
        temperature: divides the logits; 1 samples from the model, less is smoother (paper: 1 / 1.1), 0 takes each most
            probable code.
        seed: of the sample: one image gives one sample.

    Raises:
        ValueError: a negative temperature, or the channels of two neighbours differ.
    """

    def __init__(
        self,
        backbone: nn.Module,
        upsampler: Callable[..., nn.Module],
        prior: Callable[..., PixelCNN],
        channels: int,
        scale: int,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> None:
        if temperature < 0:
            raise ValueError(f"temperature={temperature}: expected 0 (most probable codes) or more; 1 samples.")
        facts = backbone_facts(backbone, channels)
        super().__init__(channels, scale, facts.multiple_of, halo=None)
        self.backbone = backbone
        self.upsampler = upsampler(in_channels=facts.out_channels, scale=scale, out_channels=facts.out_channels)
        self.codes = nn.Conv2d(published(self.upsampler).out_channels, channels * LEVELS, 1)
        self.prior = prior(channels=channels)
        self.temperature = temperature
        self.seed = seed

    def conditioning(self, lr: Tensor) -> Tensor:
        """Logits given the LR image alone: (B, C, 256, scale H, scale W)."""
        codes = self.codes(self.upsampler(self.backbone(lr - 0.5)))
        return torch.unflatten(codes, 1, (self.channels, LEVELS))

    def logits(self, lr: Tensor, hr: Tensor) -> Logits:
        """Logits of every sub-pixel of a known HR image, given the LR image and the sub-pixels before it."""
        self.check(lr)
        conditioning = self.conditioning(lr)
        return Logits(conditioning, conditioning + self.prior(hr))

    def predict(self, lr: Tensor) -> Prediction:
        conditioning = self.conditioning(lr).float()
        with torch.no_grad():
            sample = self.sample(conditioning)
        return Prediction(sample, {"conditioning": decoded(conditioning.argmax(2))})

    def sample(self, conditioning: Tensor) -> Tensor:
        """Draw the sub-pixels in order: logits (B, C, 256, H, W) -> image (B, C, H, W)."""
        batch, channels, _, height, width = conditioning.shape
        image = conditioning.new_zeros(batch, channels, height, width)
        generator = torch.Generator(image.device).manual_seed(self.seed)
        reach = self.prior.reach
        for y in range(height):
            for x in range(width):
                top, left = max(0, y - reach), max(0, x - reach)
                seen = image[..., top : y + 1, left : x + reach + 1]  # a view: it shows each sub-pixel when it is drawn
                for channel in range(channels):
                    prior = self.prior(seen)[:, channel, :, y - top, x - left].float()
                    code = self.draw(conditioning[:, channel, :, y, x] + prior, generator)
                    image[:, channel, y, x] = decoded(code)
        return image

    def draw(self, logits: Tensor, generator: torch.Generator) -> Tensor:
        if self.temperature == 0:
            return logits.argmax(1)
        return torch.multinomial((logits / self.temperature).softmax(1), 1, generator=generator)[:, 0]


def encoded(image: Tensor) -> Tensor:
    """Codes of an image: (...) in [0, 1] -> int64 in 0 to 255."""
    return (image * (LEVELS - 1)).round().clamp(0, LEVELS - 1).long()


def decoded(codes: Tensor) -> Tensor:
    """The image of codes: (...) int64 -> float32 in [0, 1]."""
    return codes.float() / (LEVELS - 1)


def negative_log_likelihood(logits: Tensor, hr: Tensor) -> Tensor:
    """Mean over sub-pixels, in nats (256 equal chances: 5.545): (B, C, 256, H, W), (B, C, H, W) -> ()."""
    return F.cross_entropy(logits.float().movedim(2, 1), encoded(hr))


class ResidualTransposed(Upsampler):
    """Transposed convolution by 2, then residual blocks at the new size, as often as needed (the paper's table 4).

    Args:
        in_channels: C, given by the framework.
        scale: 2, 3, 4 or 8, given by the framework.
        out_channels: channels of the result, given by the framework.
        blocks: at each size (paper: 6).
        norm: of the blocks: none or batch.
    """

    def __init__(self, in_channels: int, scale: int, out_channels: int, blocks: int = 6, norm: str = "none") -> None:
        super().__init__(in_channels, scale, out_channels)
        self.blocks = blocks
        self.norm = norm
        self.build(staged=True, activation="none")

    def stage(self, in_channels: int, factor: int, out_channels: int) -> nn.Module:
        return nn.Sequential(
            nn.ConvTranspose2d(in_channels, out_channels, 2 * factor, factor, (factor + 1) // 2, factor % 2),
            *(ResidualBlock(out_channels, norm=self.norm) for _ in range(self.blocks)),
        )

    def stage_halo(self, factor: int, beyond: int) -> int:
        beyond += 2 * self.blocks
        size, padding = 2 * factor, (factor + 1) // 2  # as in Transposed
        return max(size - 1 - padding + beyond, factor - 1 + padding + beyond) // factor
