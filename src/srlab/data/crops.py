"""Training crops: the sample at each position of the stream."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from srlab.borders import Borders, inside
from srlab.data.pixels import levels_of, to_tensor, with_channels
from srlab.data.source import Source
from srlab.data.stream import image_at, keys
from srlab.faces.layout import PERMUTATION_68
from srlab.types import Pixels

Augment = bool | Literal["mirror"]


@dataclass(eq=False)
class Crops(Dataset[dict[str, Tensor]]):
    """Aligned crops of a source: which image, where, and how it is turned depends on the seed and the position alone.

    A sample is a dict of `hr` (C, H, W) float32, `position`, `seed` (of the degradation) and `levels`, all int64, and
    for paired sources `lr` (C, h, w), for guided ones `guide` (G, H, W), for those with holes `mask` (1, H, W), for
    faces `landmarks` (68, 2) in pixels of the crop without its margin. Without LR images, `hr` is a window that is
    `margin` larger on each side, filled at the image's borders as the degradation does it, so that what is made of it
    equals a crop of the whole LR image.

    Args:
        source: of images, each at least patch * scale in size.
        seed: of the run.
        scale: HR pixels per LR pixel; crops lie on its grid, that is, on whole LR pixels.
        channels: of the samples: see `with_channels`.
        patch: height and width of the LR crop, as papers count it; the HR crop is `scale` times as large.
        margin: HR pixels around the crop for the degradation, where LR is made.
        borders: how a window is filled beyond the image.
        augment: turn and flip crops, all 8 ways alike; `mirror`: leave half of them and mirror the others, left for right.
    """

    source: Source
    seed: int
    scale: int
    channels: int = 3
    patch: int = 48
    margin: int = 0
    borders: Borders = "symmetric"
    augment: Augment = True

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        return self.sample(position)

    def sample(self, position: int, attempt: int = 0) -> dict[str, Tensor]:
        """The sample at a position, or another one in its stead, of any image: any `attempt` but 0."""
        index = image_at(self.seed, position, len(self.source))
        down, right, turn, degradation_seed = keys(4, self.seed, "crop", position)
        if attempt:
            down, right, turn, degradation_seed, index = keys(5, self.seed, "crop", position, attempt)
            index %= len(self.source)
        top, left = corner = self.corner(index, down, right)
        images = self.pair(index, corner)
        for name, companion in self.source.companions().items():
            if name != "lr":
                images[name] = companion.window(index, *self._place(corner, self.scale))
        way = self.way(turn)
        sample = {name: to_tensor(dihedral(pixels, way)) for name, pixels in images.items()}
        if self.source.landmarks is not None:
            points = self.source.landmarks[index] - np.array((left, top), np.float32) * self.scale
            sample["landmarks"] = torch.from_numpy(dihedral_points(points, way, self.patch * self.scale))
        numbers = {"position": position, "seed": degradation_seed, "levels": levels_of(images["hr"])}
        return sample | {name: torch.tensor(number) for name, number in numbers.items()}

    def corner(self, index: int, down: int, right: int) -> tuple[int, int]:
        """Where in LR an image's crop begins, by two random numbers."""
        rows, columns = self._lr_size(index)
        return down % (rows - self.patch + 1), right % (columns - self.patch + 1)

    def way(self, turn: int) -> int:
        """Which `dihedral` way a crop is turned, by a random number."""
        return turn % {True: 8, False: 1, "mirror": 2}[self.augment]

    def pair(self, index: int, corner: tuple[int, int]) -> dict[str, Pixels]:
        """HR of a crop, with the margin where LR is made of it, and LR where the source has it."""
        lr = self.source.lr
        if lr is None:
            images = {"hr": self._hr_window(index, corner)}
        else:
            images = {
                "hr": self.source.window(index, *self._place(corner, self.scale)),
                "lr": lr.window(index, *self._place(corner, 1)),
            }
        return {name: with_channels(pixels, self.channels) for name, pixels in images.items()}

    def _place(self, corner: tuple[int, int], scale: int) -> tuple[slice, ...]:
        """Rows and columns of a crop, in an image that is so many times as large as LR."""
        return tuple(slice(at * scale, (at + self.patch) * scale) for at in corner)

    def _hr_window(self, index: int, corner: tuple[int, int]) -> Pixels:
        """The HR crop with its margin: what lies beyond the image, cut to whole LR pixels, is filled."""
        size = self.patch * self.scale + 2 * self.margin
        (rows, columns), (top, left) = ([at * self.scale for at in pair] for pair in (self._lr_size(index), corner))
        return cut_from(
            partial(self.source.window, index),
            (rows, columns),
            (top - self.margin, left - self.margin),
            size,
            self.borders,
        )

    def _lr_size(self, index: int) -> tuple[int, int]:
        header = self.source.header(index)
        return header.height // self.scale, header.width // self.scale


def cut(pixels: Pixels, top: int, left: int, size: int, borders: Borders) -> Pixels:
    """The part (size, size, C) of an image (H, W, C); beyond the image it is filled as `borders` says."""
    height, width = pixels.shape[:2]
    return cut_from(lambda rows, columns: pixels[rows, columns], (height, width), (top, left), size, borders)


def cut_from(
    window: Callable[[slice, slice], Pixels],
    shape: tuple[int, int],
    corner: tuple[int, int],
    size: int,
    borders: Borders,
) -> Pixels:
    """The part (size, size, C) of an image from a corner on; beyond the image it is filled as `borders` says.

    Args:
        window: rows and columns of the image -> (h, w, C).
        shape: the image's height and width.
        corner: top and left, which may be negative.
        size: of the part's sides.
        borders: see `Borders`.
    """
    (top, left), (height, width) = corner, shape
    if top >= 0 and left >= 0 and top + size <= height and left + size <= width:
        return window(slice(top, top + size), slice(left, left + size))
    rows, columns = (
        inside(np.arange(start, start + size), length, borders) for start, length in ((top, height), (left, width))
    )
    reached = window(*(slice(places.min(), places.max() + 1) for places in (rows, columns)))
    filled: Pixels = reached[(rows - rows.min())[:, None], columns - columns.min()]
    return filled


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


def dihedral_points(landmarks: NDArray[np.float32], which: int, size: int) -> NDArray[np.float32]:
    """Where a face's landmarks (68, 2), x and y, lie after its square image of `size` pixels went through `dihedral`.

    A mirrored face's left eye is its right one: after each of the flips and the swap of the axes, which mirror all
    three, the points change their names with those of the other side.
    """
    x, y = landmarks[:, 0], landmarks[:, 1]
    if which & 4:
        x, y = y, x
    if which & 2:
        y = size - 1 - y
    if which & 1:
        x = size - 1 - x
    turned = np.stack((x, y), axis=1).astype(np.float32)
    return turned[list(PERMUTATION_68)] if which.bit_count() % 2 else turned
