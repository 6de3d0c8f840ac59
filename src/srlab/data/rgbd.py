"""Depth maps with the photographs of their scenes: folders of pairs, and the pair that scikit-image ships."""

import importlib.util
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from srlab.data.crops import cut
from srlab.data.images import Header, find_images, levels_of
from srlab.data.pairs import match
from srlab.data.pixels import to_pixels
from srlab.data.source import Source
from srlab.data.sources import Files
from srlab.errors import InputError
from srlab.types import Pixels

# What tells a map from its photograph in file names: RGBD_01_output_depth with RGBD_01_ouput_color, left_disp with left_rgb.
_KIND = re.compile(r"([ _-](out?put|depth|disp|disparity|colou?r|rgb|image|gt|HR))+$", re.IGNORECASE)


class Depth(Files):
    """Depth maps (H, W, 1) of any kind of file, their holes filled with the nearest known depth.

    Args:
        name: of the set.
        paths: the files; integers have white at their largest code.
        complaints: what was found wrong while the files were looked for.
        labels: the maps' names.
        white: what maps are divided by, in the files' own unit, so that white is 1: 10 for metres up to 10 m, 10000 for the
            same in 16-bit millimetres. None: integers have white at their largest code, floats at 1.
        hole: the code or the value that stands for no depth; None: every pixel has one. Values that are no number are
            holes in any case.

    Raises:
        InputError: when a map is read, for one whose every pixel is a hole, or that has depths below 0 or above white.
    """

    def __init__(
        self,
        name: str,
        paths: list[Path],
        complaints: list[str] | None = None,
        labels: list[str] | None = None,
        white: float | None = None,
        hole: float | None = None,
    ) -> None:
        super().__init__(name, paths, None, complaints or [], labels)
        self.white, self.hole = white, hole

    def header(self, index: int) -> Header:
        header = super().header(index)
        if header.channels != 1:
            raise InputError(f"{self.where(index)} has {header.channels} channels, and depth has one: convert it.")
        return header if self.white is None else replace(header, dtype="float32")

    def image(self, index: int) -> Pixels:
        pixels = self.stored(index)
        known = self.known(pixels)
        if not known.any():
            raise InputError(f"{self.where(index)} has no pixel of known depth: leave it out, or see data.hole.")
        if self.white is not None or not levels_of(pixels):
            white = self.white or 1.0
            low, high = float(pixels[known].min()), float(pixels[known].max())
            if low < 0 or high > white * (1 + 1e-6):
                raise InputError(
                    f"{self.where(index)} has depths from {low:g} to {high:g}, expected 0 to its white, {white:g}: set "
                    f"data.white, or data.hole to the value that stands for no depth."
                )
            pixels = (pixels / white).astype(np.float32)
        return filled(pixels, known)

    def stored(self, index: int) -> Pixels:
        """The map as its file has it, holes and all."""
        return super().image(index)

    def known(self, pixels: Pixels) -> NDArray[np.bool_]:
        """Where a stored map has a depth: (H, W, 1)."""
        known: NDArray[np.bool_] = np.isfinite(pixels)
        return known if self.hole is None else known & (pixels != self.hole)

    def identity(self, index: int) -> str:
        return f"depth {self.white} {self.hole} {super().identity(index)}"


class Known(Source):
    """Masks of depth maps: white where the depth is known.

    Args:
        depth: the maps.
    """

    def __init__(self, depth: Depth) -> None:
        self.name, self.depth = depth.name, depth

    def __len__(self) -> int:
        return len(self.depth)

    def label(self, index: int) -> str:
        return self.depth.label(index)

    def header(self, index: int) -> Header:
        header = self.depth.header(index)
        return Header(header.height, header.width, 1, "uint8")

    def image(self, index: int) -> Pixels:
        return self.depth.known(self.depth.stored(index)).astype(np.uint8) * np.uint8(255)

    def identity(self, index: int) -> str:
        return f"known {self.depth.identity(index)}"


class Motorcycle(Depth):
    """A part of scikit-image's stereo pair (Middlebury 2014): disparities in pixels, 7 % of them holes; white is 64.

    Args:
        columns: from and up to which column, in hundredths of the width: a split into scenes that do not overlap.
    """

    def __init__(self, columns: tuple[int, int] = (0, 100)) -> None:
        spec = importlib.util.find_spec("skimage")  # importing it would take a second
        if spec is None or spec.origin is None:
            raise InputError("The motorcycle comes with scikit-image, which is missing: pip install scikit-image.")
        folder = Path(spec.origin).parent / "data"
        super().__init__("motorcycle", [folder / "motorcycle_disp.npz"], white=64.0)
        self.columns = slice(*(round(741 * part / 100) for part in columns))
        self.guide = Photograph(Files("motorcycle", [folder / "motorcycle_left.png"]), self.columns)
        self.mask = Known(self)

    def header(self, index: int) -> Header:
        return Header(500, self.columns.stop - self.columns.start, 1, "float32")

    def stored(self, index: int) -> Pixels:
        with np.load(self.paths[index]) as file:
            disparity: NDArray[np.float32] = file["arr_0"][:, self.columns, None].astype(np.float32)
        return disparity

    def identity(self, index: int) -> str:
        return f"{self.columns} {super().identity(index)}"


class Photograph(Source):
    """Some columns of each photograph of a source."""

    def __init__(self, source: Source, columns: slice) -> None:
        self.name, self.source, self.columns = source.name, source, columns

    def __len__(self) -> int:
        return len(self.source)

    def label(self, index: int) -> str:
        return self.source.label(index)

    def header(self, index: int) -> Header:
        header = self.source.header(index)
        return Header(header.height, self.columns.stop - self.columns.start, header.channels, header.dtype)

    def image(self, index: int) -> Pixels:
        return self.source.image(index)[:, self.columns]

    def identity(self, index: int) -> str:
        return f"{self.columns} {self.source.identity(index)}"


class OtherGuide(Source):
    """Instead of its own, the photograph of the next scene, mirrored or cut to the size of the map; or no photograph.

    What a network makes of it tells whether it looks at its guide.

    Args:
        depth: the maps, with their guides.
        blank: an even grey, the same for all.
    """

    def __init__(self, depth: Source, blank: bool = False) -> None:
        assert depth.guide is not None
        self.name, self.depth, self.guides, self.blank = depth.name, depth, depth.guide, blank

    def __len__(self) -> int:
        return len(self.guides)

    def label(self, index: int) -> str:
        return self.guides.label(index)

    def header(self, index: int) -> Header:
        map_, guide = self.depth.header(index), self.guides.header(self.next(index))
        return Header(map_.height, map_.width, guide.channels, guide.dtype)

    def image(self, index: int) -> Pixels:
        header = self.header(index)
        if self.blank:
            grey = torch.full((header.channels, header.height, header.width), 0.5)
            return to_pixels(grey, {"uint8": 255, "uint16": 65535}.get(header.dtype, 0))
        longest = max(header.height, header.width)
        square = cut(self.guides.image(self.next(index)), 0, 0, longest, "symmetric")
        return square[: header.height, : header.width]

    def identity(self, index: int) -> str:
        header = self.header(index)
        kind = "blank" if self.blank else f"other {self.guides.identity(self.next(index))}"
        return f"{kind} {header.height} x {header.width}"

    def next(self, index: int) -> int:
        return (index + 1) % len(self.guides)


def rgbd_folder(
    root: str, depth: str = "depth", guide: str = "rgb", white: float | None = None, hole: float | None = None
) -> Depth:
    """The pairs below a folder: maps in one folder, photographs of the same names, but for what tells the two, in another.

    Args:
        root: the folder of both; its name is the set's.
        depth: the maps' folder below it.
        guide: the photographs' folder below it.
        white: see `Depth`.
        hole: see `Depth`.
    """
    base = Path(root).expanduser()
    maps, photographs = base / depth, base / guide
    pairs = match(maps, find_images(maps), photographs, find_images(photographs), sides=("depth", "guide"), bare=scene)
    labels = [scene(path.stem) for path in pairs.hr]
    source = Depth(base.resolve().name.lower(), pairs.hr, pairs.complaints, labels, white, hole)
    source.guide = Files(source.name, pairs.lr, labels=labels)
    source.mask = Known(source)
    return source


def scene(stem: str) -> str:
    """A file's stem without what says whether it is a map or a photograph."""
    return _KIND.sub("", stem) or stem


def filled(pixels: Pixels, known: NDArray[np.bool_]) -> Pixels:
    """A map whose holes have the depth of the nearest known pixel, of which there is one: (H, W, 1)."""
    if known.all():
        return pixels
    rows, columns = ndimage.distance_transform_edt(~known[..., 0], return_distances=False, return_indices=True)
    nearest: Pixels = pixels[rows, columns]
    return nearest
