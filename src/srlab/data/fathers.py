"""Training images cut from one image (Shocher, Cohen, Irani: "Zero-Shot" SR, CVPR 2018, arXiv 1712.06087, section 3.2).

A father is a crop of the image itself, turned, or warped to a smaller scale; its son, reduced as the image once was, is
what a network learns to enlarge. Everything is drawn from the global generator, which each iteration seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.inference.self_ensemble import turned


class Ancestor(NamedTuple):
    """An image that fathers are cut from.

    Attributes:
        image: (1, C, h, w) in [0, 1].
        scale: its size in terms of the LR image's, along the axis that was enlarged less.
    """

    image: Tensor
    scale: float


@dataclass(frozen=True)
class Fathers:
    """How fathers are drawn, with the authors' numbers.

    The cubic warp has a = -0.75, as OpenCV's, and is black beyond the image. Unlike the authors', whose windows reach
    beyond a shrunken image's one side and miss the other, ours lie within the shrunken image, or in its middle.

    Args:
        crop: pixels square; of a smaller image, its smaller side.
        as_is: probability of a crop that is neither turned nor warped.
        exact: probability of one of the eight turns and flips alone. All others are warped.
        smallest: scale of a warp, drawn uniformly from here to the largest that there is.
        anisotropy: standard deviation of the difference of the scales along x and y.
        shear: standard deviation of the shear along either axis.
        turn: turn and flip, which a kernel that is not symmetric forbids.
    """

    crop: int = 128
    as_is: float = 0.05
    exact: float = 0.45
    smallest: float = 0.5
    anisotropy: float = 0.25
    shear: float = 0.1
    turn: bool = True

    def __post_init__(self) -> None:
        if self.crop < 8 or min(self.as_is, self.exact) < 0 or self.as_is + self.exact > 1:
            raise ValueError(
                f"fathers.crop={self.crop}, as_is={self.as_is}, exact={self.exact}: expected 8 pixels or more, and "
                f"probabilities with a sum of at most 1."
            )
        if not 0 < self.smallest <= 1 or min(self.anisotropy, self.shear) < 0:
            raise ValueError(
                f"fathers.smallest={self.smallest} must be above 0 and at most 1, anisotropy={self.anisotropy} and "
                f"shear={self.shear} 0 or more."
            )

    def draw(self, ancestors: Sequence[Ancestor], multiple: int = 1) -> Tensor:
        """A father (1, C, n, n) in [0, 1], n a multiple of `multiple`; ancestors from the LR image on, in ascending scale.

        It is cut from the smallest ancestor that is not below the scale drawn, as all that warps is lost detail.
        """
        chance = _uniform(0, 1)
        scale = 1.0 if chance < self.as_is else _uniform(self.smallest, ancestors[-1].scale)
        image, own = next(one for one in ancestors if one.scale > scale - 1e-6)
        size = min(self.crop, *ancestors[0].image.shape[-2:]) // multiple * multiple
        if chance < self.as_is:
            return _window(image, size)
        if chance < self.as_is + self.exact:
            return _window(turned(image, int(torch.randint(8, ()))) if self.turn else image, size)
        return self._warped(image, scale / own, size)

    def _warped(self, image: Tensor, scale: float, size: int) -> Tensor:
        difference = self.anisotropy * _normal()
        angle = _uniform(0, 2 * math.pi) if self.turn else 0.0
        flip = -1.0 if self.turn and _uniform(0, 1) < 0.5 else 1.0
        cosine, sine = math.cos(angle), math.sin(angle)
        stretch = torch.tensor([[flip * (scale + difference / 2), 0.0], [0.0, scale - difference / 2]])
        rotation = torch.tensor([[cosine, sine], [-sine, cosine]])
        shear = torch.tensor([[1.0, self.shear * _normal()], [self.shear * _normal(), 1.0]])
        back = torch.linalg.inv((shear @ rotation @ stretch).double())
        sides = torch.tensor([image.shape[-1], image.shape[-2]], dtype=torch.float64)  # x, y
        room = (scale * sides - size).clamp(min=0) / 2
        middle = torch.tensor([_uniform(-1, 1), _uniform(-1, 1)], dtype=torch.float64) * room
        steps = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
        y, x = torch.meshgrid(steps + middle[1], steps + middle[0], indexing="ij")
        places = torch.stack([x, y], dim=-1) @ back.T  # in the image, from its middle
        grid = (places / ((sides - 1) / 2)).float()[None].to(image.device)
        warped = F.grid_sample(image, grid, mode="bicubic", padding_mode="zeros", align_corners=True)
        return warped.clamp(0, 1)


def _window(image: Tensor, size: int) -> Tensor:
    top, left = (int(torch.randint(side - size + 1, ())) for side in image.shape[-2:])
    return image[..., top : top + size, left : left + size]


def _uniform(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), dtype=torch.float64))


def _normal() -> float:
    return float(torch.randn((), dtype=torch.float64))
