"""Crops of one image, the likelier the more happens in them (KernelGAN; arXiv 1909.06581, section 3.3, and its code)."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.color import rgb_to_y
from srlab.degradation.resize import resize
from srlab.errors import InputError

WINDOW = 5
STRONGEST = 0.97
"""Gradients below this quantile count for nothing, and all above it alike."""


class BusyCrops:
    """Draws crops from the global random state, at even places.

    Args:
        image: (1, C, H, W), H and W even.
        size: of the crops' sides, even.
        halved: look for what happens in the image at half its size, since that is what becomes of the crop.

    Raises:
        InputError: the image is smaller than a crop.
    """

    def __init__(self, image: Tensor, size: int, halved: bool = False) -> None:
        if min(image.shape[-2:]) < size:
            raise InputError(f"an image of {tuple(image.shape[-2:])} has no crop of {size} x {size} pixels.")
        self.image, self.size = image, size
        activity = activity_of(resize(image, scale=0.5) if halved else image)
        if halved:
            activity = activity.repeat_interleave(2, 0).repeat_interleave(2, 1)
        self.reached = chances(activity, size).flatten().cumsum(0)

    def draw(self) -> Tensor:
        """A crop: (1, C, size, size)."""
        height, width = self.image.shape[-2:]
        place = int(
            torch.searchsorted(self.reached, torch.rand((), dtype=torch.float64) * self.reached[-1], right=True)
        )
        top, left = (
            min(max(0, centre - self.size // 2), side - self.size) // 2 * 2
            for centre, side in zip(divmod(place, width), (height, width), strict=True)
        )
        return self.image[..., top : top + self.size, left : left + self.size]


def activity_of(image: Tensor) -> Tensor:
    """The strongest gradients along rows, along columns and in all, blurred: (1, C, H, W) -> (H, W) float64, CPU."""
    grey = (rgb_to_y(image) if image.shape[1] == 3 else image.mean(1, keepdim=True))[0, 0].double().cpu()
    down, across = torch.gradient(grey)
    total = torch.zeros_like(grey)
    for gradients in (down.abs(), across.abs(), torch.hypot(down, across)):
        kept = torch.zeros_like(grey)
        kept[WINDOW:-WINDOW, WINDOW:-WINDOW] = gradients[WINDOW:-WINDOW, WINDOW:-WINDOW]
        in_order = kept.flatten().sort().values
        pivot = min(math.floor(STRONGEST * kept.numel()), kept.numel() - 2)
        least, most = in_order[pivot], in_order[pivot + 1]
        strongest = kept.clamp(least, most if most > least else least + 1e-5) - least
        total += strongest / strongest.sum().clamp(min=1e-12)
    return mean_over(total, WINDOW)


def chances(activity: Tensor, size: int) -> Tensor:
    """The probability with which each pixel is a crop's middle, but for a factor: none so near a border that it is cut."""
    blurred, margin = mean_over(activity, size // 2), size // 2
    inside = torch.zeros_like(blurred)
    rows, columns = (slice(margin, max(margin + 1, side - margin)) for side in blurred.shape)
    inside[rows, columns] = blurred[rows, columns]
    return inside if bool(inside.sum() > 0) else torch.ones_like(inside)


def mean_over(values: Tensor, window: int) -> Tensor:
    """Box filter, with zeros beyond the borders: (H, W) -> (H, W)."""
    before, after = window // 2, window - 1 - window // 2
    return F.avg_pool2d(F.pad(values[None, None], (before, after, before, after)), window, stride=1)[0, 0]
