"""Training crops: the sample at each position of the stream."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from srlab.data.pixels import levels_of, to_tensor, with_channels
from srlab.data.source import Source
from srlab.data.stream import image_at, keys
from srlab.types import Pixels


class Crops(Dataset[dict[str, Tensor]]):
    """Aligned crops of a source: which image, where, and how it is turned depends on the seed and the position alone.

    A sample is a dict of `hr` (C, H, W) float32, `position`, `seed` (of the degradation) and `levels`, all int64, and
    for paired sources `lr` (C, h, w), for guided ones `guide` (G, H, W), for those with holes `mask` (1, H, W). Without
    LR images, `hr` is a window that is `margin` larger on each side, filled at the image's borders as the degradation
    does it, so that what is made of it equals a crop of the whole LR image.

    Args:
        source: of images, each at least patch * scale in size.
        seed: of the run.
        scale: HR pixels per LR pixel; crops lie on its grid, that is, on whole LR pixels.
        channels: of the samples: see `with_channels`.
        patch: height and width of the LR crop, as papers count it; the HR crop is `scale` times as large.
        margin: HR pixels around the crop for the degradation, where LR is made.
        borders: `symmetric` or `replicate`: how a window is filled beyond the image.
        augment: turn and flip crops, all 8 ways alike.
    """

    def __init__(
        self,
        source: Source,
        seed: int,
        scale: int,
        channels: int = 3,
        patch: int = 48,
        margin: int = 0,
        borders: str = "symmetric",
        augment: bool = True,
    ) -> None:
        self.source = source
        self.seed = seed
        self.scale = scale
        self.channels = channels
        self.patch = patch
        self.margin = margin
        self.borders = borders
        self.augment = augment

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        return self.sample(position)

    def sample(self, position: int, attempt: int = 0) -> dict[str, Tensor]:
        """The sample at a position, or another one in its stead, of any image: any `attempt` but 0."""
        index = image_at(self.seed, position, len(self.source))
        down, right, turn, degradation_seed = keys(4, self.seed, "crop", position)
        if attempt:
            down, right, turn, degradation_seed, index = keys(5, self.seed, "crop", position, attempt)
            index %= len(self.source)
        hr = self.source.image(index)
        rows, columns = hr.shape[0] // self.scale, hr.shape[1] // self.scale
        top, left = down % (rows - self.patch + 1), right % (columns - self.patch + 1)
        inside = tuple(slice(at * self.scale, (at + self.patch) * self.scale) for at in (top, left))
        others = {name: source.image(index) for name, source in self.source.companions().items()}
        lr = others.pop("lr", None)
        if lr is None:
            window = cut(hr[: rows * self.scale, : columns * self.scale], *self._hr_window(top, left), self.borders)
            images = {"hr": window}
        else:
            images = {"hr": hr[inside], "lr": lr[top : top + self.patch, left : left + self.patch]}
        images = {name: with_channels(pixels, self.channels) for name, pixels in images.items()}
        images |= {name: pixels[inside] for name, pixels in others.items()}
        sample = {name: to_tensor(dihedral(pixels, turn % 8 if self.augment else 0)) for name, pixels in images.items()}
        numbers = {"position": position, "seed": degradation_seed, "levels": levels_of(images["hr"])}
        return sample | {name: torch.tensor(number) for name, number in numbers.items()}

    def _hr_window(self, top: int, left: int) -> tuple[int, int, int]:
        """Top, left and size of the HR window with its margin; the first two may be negative."""
        return (
            top * self.scale - self.margin,
            left * self.scale - self.margin,
            self.patch * self.scale + 2 * self.margin,
        )


def cut(pixels: Pixels, top: int, left: int, size: int, borders: str) -> Pixels:
    """The window (size, size, C) of an image (H, W, C); beyond the image it is filled as `borders` says."""
    height, width = pixels.shape[:2]
    if top >= 0 and left >= 0 and top + size <= height and left + size <= width:
        return pixels[top : top + size, left : left + size]
    rows, columns = _inside(top, size, height, borders), _inside(left, size, width, borders)
    return pixels[rows[:, None], columns]


def _inside(start: int, size: int, length: int, borders: str) -> NDArray[np.intp]:
    """Indices in [0, length) for start .. start + size: `symmetric` goes on as 2 1 0 0 1 2, `replicate` as 0 0 0 0 1 2."""
    places = np.arange(start, start + size)
    if borders == "replicate":
        return places.clip(0, length - 1)
    if borders != "symmetric":
        raise ValueError(f"borders={borders}, expected symmetric or replicate.")
    places %= 2 * length
    return np.minimum(places, 2 * length - 1 - places)


def dihedral(pixels: Pixels, which: int) -> Pixels:
    """One of the 8 ways to turn and flip (H, W, C): bit 0 flips the columns, bit 1 the rows, bit 2 swaps the axes."""
    view: NDArray[Any] = pixels
    if which & 4:
        view = view.transpose(1, 0, 2)
    if which & 2:
        view = view[::-1]
    if which & 1:
        view = view[:, ::-1]
    return view
