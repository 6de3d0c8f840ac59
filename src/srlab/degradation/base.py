"""What every degradation is: HR images in, LR images out, with what was drawn kept beside them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from srlab.borders import Borders

Range = float | Sequence[float]
"""A number, or the two ends between which one is drawn per image."""


class Degraded(NamedTuple):
    """What a degradation made.

    Attributes:
        lr: (B, C, H / scale, W / scale) float32.
        parameters: what was drawn for each image, by name, each (B, ...).
    """

    lr: Tensor
    parameters: dict[str, Tensor]


class Degradation(nn.Module, ABC):
    """HR -> LR, on any device, without anything to train or to save.

    Everything random is drawn on the CPU from a generator seeded with the image's own seed: what an image becomes
    depends neither on its neighbours in the batch nor on the device.

    Attributes:
        scale: HR pixels per LR pixel, on each axis.
        margin: HR pixels beyond a crop, on each side, that its LR pixels may read; a multiple of `scale`. The LR of a
            window that is `margin` larger than a crop, trimmed, equals the crop of the whole image's LR to the bit,
            unless the degradation draws per pixel (noise) or works on blocks (JPEG).
        borders: how a window that reaches beyond the image has to be filled for that to hold.
    """

    scale: int
    margin: int
    borders: Borders = "symmetric"

    @property
    def tag(self) -> str:
        """What it is, in a word that travels with the networks that are trained on it."""
        return type(self).__name__.lower()

    @abstractmethod
    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        """Degrade images: (B, C, H, W) -> (B, C, H / scale, W / scale).

        Args:
            hr: float32 in [0, 1], H and W multiples of `scale`.
            seeds: (B,) int64, one per image.
            levels: (B,) int64, the largest code of each image's depth (255, 65535), 0 for float.
        """

    def make_pair(self, window: Tensor, seeds: Tensor, levels: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Degrade windows (B, C, H + 2 margin, W + 2 margin), trim the margin: LR, HR (B, C, H, W), parameters."""
        lr, parameters = self(window, seeds, levels)
        return trim(lr, self.margin // self.scale), trim(window, self.margin), parameters

    def of_clips(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        """Degrade clips (B, T, C, H, W), with a seed and a level for each: lr (B, T, ...), and what was drawn, (B, ...).

        What is drawn is drawn once, for all frames of a clip. A degradation that draws per pixel overrides this: grain
        that stood still while the scene moves would be one of the scene's textures.
        """
        frames = hr.shape[1]
        lr, drawn = self(hr.flatten(0, 1), seeds.repeat_interleave(frames), levels.repeat_interleave(frames))
        return Degraded(torch.unflatten(lr, 0, hr.shape[:2]), {name: each[::frames] for name, each in drawn.items()})

    def make_clips(self, window: Tensor, seeds: Tensor, levels: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """`make_pair` of windows of clips (B, T, C, H + 2 margin, W + 2 margin)."""
        lr, parameters = self.of_clips(window, seeds, levels)
        return trim(lr, self.margin // self.scale), trim(window, self.margin), parameters

    def check(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> None:
        """Refuse a batch that cannot be degraded (ValueError)."""
        batch, height, width = hr.shape[0], *hr.shape[-2:]
        if height % self.scale or width % self.scale:
            raise ValueError(
                f"HR of {height} x {width} is not a multiple of scale={self.scale}: crop it with crop_to_multiple."
            )
        if seeds.shape != (batch,) or levels.shape != (batch,):
            raise ValueError(
                f"expected a seed and a level per image, ({batch},), got {tuple(seeds.shape)}, {tuple(levels.shape)}."
            )


class Chain(Degradation):
    """Degradations one after the other; each draws from a stream of its own.

    A window that reaches beyond its image is mirrored once, before the first step, a whole image before each step: the
    two agree at the image's borders where the kernels before the last are symmetric.

    Args:
        steps: the first works on HR. A name that two steps draw is kept for the later one with its place
            ("noise_sigma_3").
    """

    def __init__(self, steps: Sequence[Degradation]) -> None:
        super().__init__()
        if not steps:
            raise ValueError("a chain of no steps degrades nothing: name at least one step.")
        self.steps = nn.ModuleList(steps)
        self.scale, reach = 1, 0
        for step in steps:
            reach += step.margin * self.scale  # a step's own pixels are as large as all before it made them
            self.scale *= step.scale
        self.margin = round_up(reach, self.scale)
        if len({step.borders for step in steps if step.margin}) > 1:
            raise ValueError("the steps of a chain need one kind of borders: set them all alike.")
        self.borders = next((step.borders for step in steps if step.margin), "symmetric")

    @property
    def tag(self) -> str:
        return ", ".join(str(step.tag) for step in self.steps)

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        return self.chained(Degradation.__call__, hr, seeds, levels)

    def of_clips(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        return self.chained(lambda step, *given: step.of_clips(*given), hr, seeds, levels)

    def chained(self, degrade: Callable[..., Degraded], hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        """Images or clips through all steps, each by `degrade(step, image, seeds, levels)`."""
        self.check(hr, seeds, levels)
        image, parameters = hr, dict[str, Tensor]()
        for place, step in enumerate(self.steps):
            image, drawn = degrade(step, image, derive_seeds(seeds, place), levels)
            for name, values in drawn.items():
                parameters[name if name not in parameters else f"{name}_{place}"] = values
        return Degraded(image, parameters)


def trim(image: Tensor, pixels: int) -> Tensor:
    """Cut `pixels` from each side: (..., H, W) -> (..., H - 2 pixels, W - 2 pixels)."""
    height, width = image.shape[-2:]
    return image[..., pixels : height - pixels, pixels : width - pixels]


def round_up(value: int, multiple: int) -> int:
    return math.ceil(value / multiple) * multiple


def generators(seeds: Tensor) -> list[torch.Generator]:
    """A generator on the CPU for each seed (B,)."""
    return [torch.Generator().manual_seed(seed) for seed in seeds.tolist()]


def derive_seeds(seeds: Tensor, place: int) -> Tensor:
    """Seeds of an independent stream: (B,) int64 -> (B,) int64, by splitmix64's finaliser (Steele et al., 2014)."""
    mask = (1 << 64) - 1

    def mix(seed: int) -> int:
        z = (seed + (place + 1) * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return (z ^ (z >> 31)) >> 1  # a non-negative int64

    return torch.tensor([mix(seed) for seed in seeds.tolist()], dtype=torch.int64)


def as_range(name: str, value: Range, least: float = 0.0, most: float = math.inf) -> tuple[float, float]:
    """The two ends of a range, checked (ValueError)."""
    ends = [float(end) for end in value] if isinstance(value, Sequence) else [float(value)] * 2
    if len(ends) != 2 or not least <= ends[0] <= ends[1] <= most:
        raise ValueError(f"{name}={value} must be a number or two ascending ones, from {least:g} to {most:g}.")
    return ends[0], ends[1]


def draw(ends: tuple[float, float], generator: torch.Generator) -> float:
    """A number drawn uniformly from a range."""
    return ends[0] + (ends[1] - ends[0]) * float(torch.rand((), generator=generator, dtype=torch.float64))
