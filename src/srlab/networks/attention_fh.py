"""Enhance patch after patch, in an order that is learned (Attention-FH; Cao et al., CVPR 2017, arXiv 1708.03132).

A recurrent policy looks at the image as it stands and chooses the next patch; a local network enhances that patch, with
what the policy remembers as context (section 3). The policy is trained by `paradigm=attention_fh`.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import Convolution
from srlab.networks.interpolation import enlarge
from srlab.networks.network import Network
from srlab.types import Prediction

Memory = tuple[Tensor, Tensor]
"""An LSTM's hidden state and cell, each (B, features)."""


class Episode(NamedTuple):
    """A sequence of patches.

    Attributes:
        images: the enlarged LR image, and the image after each step: steps + 1 of (B, C, H, W).
        log_probabilities: of each step's choice: steps of (B,).
        places: the choices, numbered over the grid from the top left: steps of (B,).
    """

    images: list[Tensor]
    log_probabilities: list[Tensor]
    places: list[Tensor]


class AttentionFH(Network):
    """lr (B, C, H, W) -> sr (B, C, scale H, scale W); the image after each step is an intermediate output.

    Args:
        channels: C.
        scale: the factor.
        steps: patches that are enhanced, one after another (paper: 25).
        fraction: of the image's height and width that a patch takes (paper: 60 x 45 of 160 x 120 pixels).
        places: positions of a patch along each axis, evenly spaced.
        view: height and width to which the policy reduces the image.
        remembered: units of the policy's LSTM (paper: 512).
        context: height and width of the map that the memory gives the local network.
        width: channels of the local network's features.
        layers: convolutions of the local network (paper: 8).
        kernel_size: of these (paper: 5 and 7).

    Raises:
        ValueError: no step, no place, or a patch larger than the image.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        steps: int = 25,
        fraction: float = 0.375,
        places: int = 8,
        view: int = 32,
        remembered: int = 512,
        context: int = 16,
        width: int = 64,
        layers: int = 8,
        kernel_size: int = 5,
    ) -> None:
        if min(steps, places) < 1 or not 0 < fraction <= 1:
            raise ValueError(
                f"steps={steps}, places={places}, fraction={fraction}: expected at least 1, 1, and a part of 1."
            )
        super().__init__(channels, scale, multiple_of=1, halo=None)
        self.policy = Policy(channels, view, remembered, places**2)
        self.local = LocalEnhancement(channels, remembered, context, width, layers, kernel_size)
        self.steps, self.fraction, self.places = steps, fraction, places

    def predict(self, lr: Tensor) -> Prediction:
        images = self.episode(lr, explore=False).images
        return Prediction(images[-1], {f"step{number}": image for number, image in enumerate(images[1:], start=1)})

    def episode(self, lr: Tensor, explore: bool) -> Episode:
        """Enhance patch after patch: those that the policy draws (`explore`), or its most probable ones."""
        image = enlarge(lr, self.scale)
        memory = self.policy.start(len(image), image)
        episode = Episode([image], [], [])
        for _ in range(self.steps):
            logits, memory = self.policy(image, memory)
            chances = logits.float().log_softmax(1)
            place = torch.multinomial(chances.exp(), 1)[:, 0] if explore else chances.argmax(1)
            image = self.enhanced(image, place, memory[0])
            episode.images.append(image)
            episode.log_probabilities.append(chances.gather(1, place[:, None])[:, 0])
            episode.places.append(place)
        return episode

    def enhanced(self, image: Tensor, place: Tensor, remembered: Tensor) -> Tensor:
        """Replace one patch of each image."""
        rows = self.span(image.shape[2], place // self.places)[:, :, None]
        columns = self.span(image.shape[3], place % self.places)[:, None]
        sample = torch.arange(len(image), device=image.device)[:, None, None]
        patch = image[sample, :, rows, columns].permute(0, 3, 1, 2)
        result = image.clone()
        result[sample, :, rows, columns] = self.local(patch, remembered).permute(0, 2, 3, 1).to(image.dtype)
        return result

    def span(self, size: int, place: Tensor) -> Tensor:
        """The pixels of a patch along an axis: (B,) -> (B, patch)."""
        patch = max(1, round(self.fraction * size))
        start = place * (size - patch) // max(1, self.places - 1)
        return start[:, None] + torch.arange(patch, device=place.device)


class Policy(nn.Module):
    """Where to look next: image (B, C, H, W) and memory -> logits (B, places), memory (section 3.1)."""

    def __init__(self, channels: int, view: int, remembered: int, places: int) -> None:
        super().__init__()
        self.look = nn.Sequential(
            nn.AdaptiveAvgPool2d(view), nn.Flatten(), nn.Linear(channels * view**2, remembered // 2), nn.ReLU()
        )
        self.remember = nn.LSTMCell(remembered // 2, remembered)
        self.choose = nn.Linear(remembered, places)

    def start(self, batch: int, like: Tensor) -> Memory:
        empty = like.new_zeros(batch, self.remember.hidden_size)
        return empty, empty

    def forward(self, image: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        memory = self.remember(self.look(image), memory)
        return self.choose(memory[0]), memory


class LocalEnhancement(nn.Module):
    """Add what a patch lacks, given the policy's memory as one more channel (section 3.2): (B, C, h, w) -> the same."""

    def __init__(self, channels: int, remembered: int, context: int, width: int, layers: int, kernel_size: int) -> None:
        super().__init__()
        self.context = nn.Sequential(nn.Linear(remembered, context**2), nn.Unflatten(1, (1, context, context)))
        stack: list[nn.Module] = []
        for place in range(layers - 1):
            stack += [Convolution(width if place else channels + 1, width, kernel_size), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*stack, Convolution(width, channels, kernel_size))

    def forward(self, patch: Tensor, remembered: Tensor) -> Tensor:
        context = F.interpolate(self.context(remembered), patch.shape[-2:], mode="bilinear", align_corners=False)
        result: Tensor = patch + self.layers(torch.cat([patch, context], dim=1))
        return result
