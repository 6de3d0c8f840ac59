"""A scene: a cube and its guide, another sensor's image or one that is made of the cube's own bands."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from srlab.data.cube_files import read_cube
from srlab.degradation.mtf import MTF
from srlab.errors import InputError

log = logging.getLogger(__name__)

WORTH_TELLING = 1e-3
"""The share of values outside 0 to white that is no matter of some hot pixels."""


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
        lost = int(np.count_nonzero(~np.isfinite(values)))
        if lost:
            raise InputError(
                f"{self.path}: {lost} of its {values.size} samples are no numbers (nan, inf): put 0 where nothing was "
                f"measured, or cut the scene to where all bands were."
            )
        white = values.max() if self.white is None else self.white
        if not white > 0:
            raise InputError(f"{self.path}: its white is {white}, expected above 0: set data.scene.white.")
        values = values / white
        outside = float(((values < 0) | (values > 1)).mean())
        if outside > WORTH_TELLING:
            log.warning(
                "%s: %.2g %% of its values lie below 0 or above white, %g, where no result is: set data.scene.white.",
                *(self.path, 100 * outside, white),
            )
        return values

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

    @cached_property
    def fine(self) -> NDArray[np.float32]:
        """The real guide at its own size: (scale H, scale W, G), for a cube (H, W, C); `InputError` where there is none."""
        if self.guide is None:
            raise InputError(f"{self.path}: full resolution needs another sensor's image: set data.scene.guide.")
        height, width = self._extent
        return self._real_guide()[: height * self.scale, : width * self.scale].astype(np.float32)

    def _real_guide(self) -> NDArray[np.float64]:
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
        guide: NDArray[np.float64] = np.asarray(values, dtype=np.float64) / white
        return guide

    def _reduced_guide(self) -> NDArray[np.float32]:
        fine = torch.from_numpy(self._real_guide()).permute(2, 0, 1)[None]
        reduced: NDArray[np.float32] = (
            MTF(self.scale, self.guide_gain).reduce(fine)[0].permute(1, 2, 0).float().contiguous().numpy()
        )
        return reduced
