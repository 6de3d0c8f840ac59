"""Train on some rows of a cube and test on others: hyperspectral and multispectral scenes, with a guide or without.

The guide is another sensor's image of the scene. Where it is real, it is `scale` times as large as the cube, and both
are reduced by that (Wald's protocol), so that the cube itself is the truth. Where there is none, one can be made of the
cube's own bands, by a sensor's spectral response: that is the finer of the two images then.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from srlab.data.cube_scene import Scene
from srlab.data.found import FoundData
from srlab.data.guides import Guides, check_guides
from srlab.data.images import Header
from srlab.data.source import Source
from srlab.errors import InputError
from srlab.types import Pixels

Rows = tuple[int, int | None]
"""From, and up to but not including; None: to the end."""

Kind = Literal["cube", "guide", "lr", "fine", "unknown"]
"""At reduced resolution the cube is HR, and the guide has its size; at full resolution the cube is LR, the guide is as fine
as it was taken, and HR is unknown."""


class Strips(Source):
    """One image: some rows of a scene's cube, and of its guide where it has one.

    Args:
        scene: read when the image or its header is asked for.
        rows: of the cube: see `Rows`.
        kind: what of the scene it is: see `Kind`. Of `cube` and `unknown`, the others are companions. The unknown has LR's
            pixels, enlarged, in its place.
        guides: `own`; `other`: the strip's own, turned by half, so that it shows another place; `blank`: zeros.
    """

    def __init__(self, scene: Scene, rows: Rows, kind: Kind = "cube", guides: Guides = "own") -> None:
        self.name = scene.name
        self.scene, self.rows, self.kind, self.guides = scene, rows, kind, guides
        if kind == "cube" and scene.guided:
            self.guide = Strips(scene, rows, "guide", guides)
        elif kind == "unknown":
            self.truth = False
            self.lr, self.guide = Strips(scene, rows, "lr"), Strips(scene, rows, "fine", guides)

    def __len__(self) -> int:
        return 1

    def label(self, index: int) -> str:
        first, end = self.rows
        return f"rows_{first}_{'end' if end is None else end - 1}" if self.rows != (0, None) else "whole"

    def header(self, index: int) -> Header:
        height, width, channels = self.image(index).shape
        return Header(height, width, channels, "float32")

    def image(self, index: int) -> Pixels:
        scale, fineness = self.scene.scale, self.scene.scale if self.kind == "fine" else 1
        whole_scene = self.scene.fine if self.kind == "fine" else self.scene.cube
        values = self.scene.other if self.kind == "guide" else whole_scene
        assert values is not None
        first, end = self.rows
        values = values[first * fineness : None if end is None else end * fineness]
        whole = len(values) // (scale * fineness) * scale * fineness
        if not whole:
            raise InputError(f"{self.where(index)}: the cube has {len(self.scene.cube)} rows: choose some of these.")
        strip = values[:whole]
        if self.kind in ("guide", "fine") and self.guides != "own":
            strip = np.zeros_like(strip) if self.guides == "blank" else strip[::-1, ::-1]
        if self.kind == "unknown":
            strip = strip.repeat(scale, 0).repeat(scale, 1)
        contiguous: Pixels = np.ascontiguousarray(strip)
        return contiguous

    def identity(self, index: int) -> str:
        files = [path for path in (self.scene.path, self.scene.guide, self.scene.response) if path]
        stats = [Path(path).stat() for path in files if Path(path).is_file()]
        facts = [(stat.st_size, stat.st_mtime_ns) for stat in stats]
        return f"{self.scene} {self.rows} {self.kind} {self.guides} {facts}"


@dataclass(kw_only=True, eq=False, repr=False)
class CubeData(FoundData):
    """Train on rows of a scene, and validate and test on other ones, or on another scene: no pixel is in both.

    Args:
        scene: the cube and its guide.
        test_path: test on this file instead, of the same sensor; None: on the same.
        test_guide: where the guide is a file, that of `test_path`.
        train_rows: of the cube, [from, to); None: nothing is trained, unless `test_path` is given.
        test_rows: of the cube that is tested; None: all.
        guides: see `Strips`: what the guide is worth to a network.
        full_resolution: nothing is reduced: the cube is LR, its real guide as fine as it is, and there is no truth.

    Raises:
        InputError: rows are shared, or none.
    """

    scene: Scene
    test_path: str | None = None
    test_guide: str | None = None
    train_rows: Sequence[int] | None = None
    test_rows: Sequence[int] | None = None
    guides: Guides = "own"
    full_resolution: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scene.scale != self.scale:
            raise InputError(f"data.scene.scale={self.scene.scale}, but scale={self.scale}: leave the former out.")
        check_guides(self.guides)
        if self.full_resolution and self.scene.guide is None:
            raise InputError("data.full_resolution=true needs another sensor's image: set data.scene.guide.")
        kind: Kind = "unknown" if self.full_resolution else "cube"
        trained, tested = _rows("train_rows", self.train_rows), _rows("test_rows", self.test_rows)
        if self.train_rows is not None or self.test_path is not None:
            self.train = Strips(self.scene, trained, kind, self.guides)
        if self.train and self._one_scene and max(trained[0], tested[0]) < min(_end(trained), _end(tested)):
            raise InputError(
                f"data.train_rows={self.train_rows} and data.test_rows={self.test_rows} share rows, and what is tested "
                f"must not be trained on: set them apart."
            )
        self.val = self.test = Strips(self._tested_scene(), tested, kind, self.guides)

    @property
    def _one_scene(self) -> bool:
        """Whether what is tested is of the file that is trained on."""
        return self.test_path is None or Path(self.test_path).resolve() == Path(self.scene.path).resolve()

    def _tested_scene(self) -> Scene:
        """The scene of `test_path`, in the same unit and with its own guide.

        Raises:
            InputError: it is not said what its guide is, or what white is in both.
        """
        guide = self.scene.guide
        if self.test_path is None or self._one_scene:
            return self.scene
        if self.scene.white is None:
            raise InputError(
                "data.test_path is another scene, whose largest value is another: set data.scene.white for both."
            )
        if guide is not None and Path(guide).expanduser().is_file():
            if self.test_guide is None:
                raise InputError(
                    f"{guide} is the guide of {self.scene.path}: set data.test_guide to {self.test_path}'s."
                )
            guide = self.test_guide
        return replace(self.scene, path=self.test_path, guide=guide)


def _end(rows: Rows) -> float:
    return math.inf if rows[1] is None else rows[1]


def _rows(name: str, rows: Sequence[int] | None) -> Rows:
    if rows is None:
        return 0, None
    if len(rows) != 2 or not 0 <= rows[0] < rows[1]:
        raise InputError(f"data.{name}={list(rows)}: expected two ascending numbers, from and up to.")
    return rows[0], rows[1]
