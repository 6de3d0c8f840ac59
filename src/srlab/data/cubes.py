"""Train on some rows of a cube and test on others: hyperspectral and multispectral scenes, with a guide or without.

The guide is another sensor's image of the scene. Where it is real, it is `scale` times as large as the cube, and both
are reduced by that (Wald's protocol), so that the cube itself is the truth. Where there is none, one can be made of the
cube's own bands, by a sensor's spectral response: that is the finer of the two images then.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from srlab.data.cube_files import read_cube
from srlab.data.guides import Guides, check_guides
from srlab.data.images import Header
from srlab.data.module import Sources, SuperResolutionData
from srlab.data.source import Source
from srlab.degradation.mtf import MTF
from srlab.errors import InputError
from srlab.types import Pixels

Rows = tuple[int, int | None]
"""From, and up to but not including; None: to the end."""


@dataclass(frozen=True)
class Scene:
    """A cube and its guide, read when they are asked for.

    Args:
        path, key, size: see `read_cube`.
        white: the value that becomes 1; None: the largest there is.
        scale: HR pixels per LR pixel.
        crop: keep so many rows and columns from the top left; None: as many as are whole LR pixels.
        guide: a file of the real guide, `scale` times as large as the cube; or, for a .mat cube, a variable in that file.
        guide_key: the variable in a .mat guide.
        guide_gain: of the guide's sensor, at the cube's Nyquist frequency: see `mtf_taps`.
        guide_bands: ranges of the cube's bands [from, to), each of whose means is a band of the guide.
        response: a file of the guide's spectral response (G, C) or (C, G), whose rows are normalised to sum 1.
        response_key: the variable in a .mat response.
    """

    path: str
    scale: int
    key: str | None = None
    size: Sequence[int] | None = None
    white: float | None = None
    crop: int | None = None
    guide: str | None = None
    guide_key: str | None = None
    guide_gain: float = 0.15
    guide_bands: Sequence[Sequence[int]] | None = None
    response: str | None = None
    response_key: str | None = None

    def __post_init__(self) -> None:
        chosen = [name for name in ("guide", "guide_bands", "response") if getattr(self, name) is not None]
        if len(chosen) > 1:
            raise InputError(f"data.{' and data.'.join(chosen)} all say what the guide is: leave all but one out.")

    @property
    def name(self) -> str:
        return Path(self.path).stem.lower()

    @property
    def guided(self) -> bool:
        return any(what is not None for what in (self.guide, self.guide_bands, self.response))

    @cached_property
    def whole(self) -> NDArray[np.float64]:
        """The cube before any crop: (H, W, C), white at 1."""
        values = np.asarray(read_cube(self.path, self.key, self.size), dtype=np.float64)
        white = values.max() if self.white is None else self.white
        if not white > 0:
            raise InputError(f"{self.path}: its white is {white}, expected above 0: set data.scene.white.")
        return values / white

    @cached_property
    def cube(self) -> NDArray[np.float32]:
        """(H, W, C)."""
        height, width = self._extent
        return self.whole[:height, :width].astype(np.float32)

    @cached_property
    def other(self) -> NDArray[np.float32] | None:
        """The guide (H, W, G) at the cube's size; None: there is none."""
        height, width = self._extent
        if self.guide is not None:
            return self._reduced_guide()[:height, :width]
        weights = self._weights()
        return None if weights is None else (self.whole[:height, :width] @ weights.T).astype(np.float32)

    @property
    def _extent(self) -> tuple[int, int]:
        height, width = (side if self.crop is None else min(side, self.crop) for side in self.whole.shape[:2])
        return height // self.scale * self.scale, width // self.scale * self.scale

    def _weights(self) -> NDArray[np.float64] | None:
        """How the guide's bands come from the cube's: (G, C), each row with the sum 1."""
        bands = self.whole.shape[2]
        if self.response is not None:
            weights = np.asarray(read_cube(self.response, self.response_key), dtype=np.float64)[..., 0]
            weights = weights.T if weights.shape[1] != bands and weights.shape[0] == bands else weights
            if weights.shape[1] != bands:
                raise InputError(
                    f"{self.response}: its response is {weights.shape}, but the cube has {bands} bands: resample it to "
                    f"these."
                )
        elif self.guide_bands is not None:
            weights = np.zeros((len(self.guide_bands), bands))
            for row, (first, end) in zip(weights, self.guide_bands, strict=True):
                if not 0 <= first < end <= bands:
                    raise InputError(
                        f"data.scene.guide_bands: [{first}, {end}] is no range of the cube's {bands} bands."
                    )
                row[first:end] = 1
        else:
            return None
        normal: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return normal

    def _reduced_guide(self) -> NDArray[np.float32]:
        path = Path(str(self.guide)).expanduser()
        inside = not path.is_file() and Path(self.path).suffix.lower() == ".mat"
        values = read_cube(self.path, self.guide) if inside else read_cube(path, self.guide_key)
        height, width = (side * self.scale for side in self.whole.shape[:2])
        if values.shape[:2] != (height, width):
            raise InputError(
                f"{self.guide}: the guide is {values.shape[0]} x {values.shape[1]}, expected {height} x {width}, "
                f"scale={self.scale} times the cube: set scale to theirs, or data.scene.guide to the guide's file."
            )
        white = values.max() if self.white is None else self.white
        fine = torch.from_numpy(np.asarray(values, dtype=np.float64) / white).permute(2, 0, 1)[None]
        reduced: NDArray[np.float32] = (
            MTF(self.scale, self.guide_gain).reduce(fine)[0].permute(1, 2, 0).float().contiguous().numpy()
        )
        return reduced


class Strips(Source):
    """One image: some rows of a scene's cube, and of its guide where it has one.

    Args:
        scene: read when the image or its header is asked for.
        rows: see `Rows`.
        guide: of the guide instead of the cube.
        guides: `own`; `other`: the strip's own, turned by half, so that it shows another place; `blank`: zeros.
    """

    def __init__(self, scene: Scene, rows: Rows, guide: bool = False, guides: Guides = "own") -> None:
        self.name = scene.name
        self.scene, self.rows, self.of_guide, self.guides = scene, rows, guide, guides
        self.guide = Strips(scene, rows, True, guides) if scene.guided and not guide else None

    def __len__(self) -> int:
        return 1

    def label(self, index: int) -> str:
        first, end = self.rows
        return f"rows_{first}_{'end' if end is None else end - 1}" if self.rows != (0, None) else "whole"

    def header(self, index: int) -> Header:
        height, width, channels = self.image(index).shape
        return Header(height, width, channels, "float32")

    def image(self, index: int) -> Pixels:
        values = self.scene.other if self.of_guide else self.scene.cube
        assert values is not None
        values = values[slice(*self.rows)]
        whole = len(values) // self.scene.scale * self.scene.scale
        if not whole:
            raise InputError(f"{self.where(index)}: the cube has {len(self.scene.cube)} rows: choose some of these.")
        strip = values[:whole]
        if self.of_guide and self.guides != "own":
            strip = np.zeros_like(strip) if self.guides == "blank" else strip[::-1, ::-1]
        contiguous: Pixels = np.ascontiguousarray(strip)
        return contiguous

    def identity(self, index: int) -> str:
        files = [path for path in (self.scene.path, self.scene.guide, self.scene.response) if path]
        stats = [Path(path).stat() for path in files if Path(path).is_file()]
        facts = [(stat.st_size, stat.st_mtime_ns) for stat in stats]
        return f"{self.scene} {self.rows} {self.of_guide} {self.guides} {facts}"


@dataclass(kw_only=True, eq=False, repr=False)
class CubeData(SuperResolutionData):
    """Train on rows of a scene, and validate and test on other ones, or on another scene: no pixel is in both.

    Args:
        scene: the cube and its guide.
        test_path: test on this file instead, of the same sensor; None: on the same.
        train_rows: of the cube, [from, to); None: nothing is trained, unless `test_path` is given.
        test_rows: of the cube that is tested; None: all.
        guides: see `Strips`: what the guide is worth to a network.

    Raises:
        InputError: rows are shared, or none.
    """

    scene: Scene
    test_path: str | None = None
    train_rows: Sequence[int] | None = None
    test_rows: Sequence[int] | None = None
    guides: Guides = "own"
    train: Source | None = field(default=None, init=False)
    val: Sources = field(default=None, init=False)
    test: Sources = field(default=None, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scene.scale != self.scale:
            raise InputError(f"data.scene.scale={self.scene.scale}, but scale={self.scale}: leave the former out.")
        check_guides(self.guides)
        trained, tested = _rows("train_rows", self.train_rows), _rows("test_rows", self.test_rows)
        if self.train_rows is not None or self.test_path is not None:
            self.train = Strips(self.scene, trained, guides=self.guides)
        if self.train and self.test_path is None and max(trained[0], tested[0]) < min(_end(trained), _end(tested)):
            raise InputError(
                f"data.train_rows={self.train_rows} and data.test_rows={self.test_rows} share rows, and what is tested "
                f"must not be trained on: set them apart."
            )
        other = self.scene if self.test_path is None else replace(self.scene, path=self.test_path)
        self.val = self.test = Strips(other, tested, guides=self.guides)


def _end(rows: Rows) -> float:
    return math.inf if rows[1] is None else rows[1]


def _rows(name: str, rows: Sequence[int] | None) -> Rows:
    if rows is None:
        return 0, None
    if len(rows) != 2 or not 0 <= rows[0] < rows[1]:
        raise InputError(f"data.{name}={list(rows)}: expected two ascending numbers, from and up to.")
    return rows[0], rows[1]
