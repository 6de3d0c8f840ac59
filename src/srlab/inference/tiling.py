"""Enlarge an image of any size within a bounded memory: tile by tile, from what the network says of itself.

Each tile is enlarged with a margin of the network's halo around it, at places that are multiples of its size unit, and the
margin is cut away: its pixels are those of the whole image, to float rounding. The image's own borders are the borders of
its outer tiles, so that padding acts where it acts on the whole image, and nowhere else.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from srlab.data.pixels import levels_of, to_pixels, to_tensor
from srlab.inference.enlarge import enlarge, enlarge_with_alpha
from srlab.networks.interpolation import enlarge_halo
from srlab.networks.network import Network
from srlab.types import Pixels

log = logging.getLogger(__name__)

OVERLAP = 32
"""The margin in LR pixels where a network sees the whole image, so that no margin makes a tile exact."""


class Span(NamedTuple):
    """A tile along one axis, in LR pixels: `start` to `stop` is kept, `first` to `last` is enlarged."""

    start: int
    stop: int
    first: int
    last: int


class Window(NamedTuple):
    """A tile: its rows and its columns."""

    rows: Span
    columns: Span

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.last - self.rows.first, self.columns.last - self.columns.first


def spans(start: int, stop: int, size: int, tile: int, halo: int, unit: int) -> list[Span]:
    """Cut `start` to `stop` of an axis into tiles of nearly equal length, at multiples of the unit.

    Args:
        start: of the part to be kept, a multiple of the unit.
        stop: of the part to be kept, a multiple of the unit or `size`.
        size: of the image's axis.
        tile: the longest kept part; at least one unit.
        halo: the margin, rounded up to units; cut off at the image's borders.
        unit: the network's `multiple_of`.
    """
    units = -(-(stop - start) // unit)
    count = -(-units // max(1, tile // unit))
    margin = -(-halo // unit) * unit
    edges = [start + units * place // count * unit for place in range(count)] + [stop]
    return [Span(low, high, max(0, low - margin), min(size, high + margin)) for low, high in pairwise(edges)]


@dataclass
class Tiling:
    """Enlarges images tile by tile.

    Attributes:
        network: its scale, unit and halo decide where tiles lie.
        tile: the longest side of a tile's kept part, in LR pixels; it shrinks for good where memory runs out.
        halo: the margin in LR pixels; see `halo_of` for the exact one.
        batch: tiles of one size that are enlarged at once.
        device: where the network is.
        bfloat16: compute in bfloat16.
        factor: another whole enlargement, for networks of several.
    """

    network: Network
    tile: int
    halo: int
    batch: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    bfloat16: bool = False
    factor: int | None = None

    @property
    def scale(self) -> int:
        return self.factor or self.network.scale

    def bands(self, pixels: Pixels, alpha: bool = False) -> Iterator[Pixels]:
        """Enlarge (H, W, C) to horizontal bands of the result, from top to bottom, in the image's own depth.

        Args:
            pixels: the whole image; only its tiles become floats.
            alpha: the last channel is alpha.
        """
        height, width, channels = pixels.shape
        top = 0
        while top < height:
            rows = self.spans(top, height, height)[0]  # one band at a time: the tile may shrink on the way
            band = np.empty((self.scale * (rows.stop - rows.start), self.scale * width, channels), pixels.dtype)
            windows = [Window(rows, columns) for columns in self.spans(0, width, width)]
            for window, part in self.enlarged(pixels, windows, alpha):
                band[:, self.scale * window.columns.start : self.scale * window.columns.stop] = part
            yield band
            top = rows.stop

    def spans(self, start: int, stop: int, size: int) -> list[Span]:
        return spans(start, stop, size, self.tile, self.halo, self.network.multiple_of)

    def enlarged(self, pixels: Pixels, windows: list[Window], alpha: bool) -> Iterator[tuple[Window, Pixels]]:
        """Each window's kept part, enlarged; windows of one size share a batch."""
        while windows:
            alike = [window for window in windows if window.shape == windows[0].shape][: self.batch]
            windows = [window for window in windows if window not in alike]
            yield from zip(alike, self.parts(pixels, alike, alpha), strict=True)

    def parts(self, pixels: Pixels, windows: list[Window], alpha: bool) -> list[Pixels]:
        """Windows of one size, enlarged and cut: fewer at once, then smaller ones, where memory runs out."""
        try:
            return self.forward(pixels, windows, alpha)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(windows) > 1:
            self.batch = max(1, len(windows) // 2)
            log.warning("Out of memory: going on with %d tiles at once.", self.batch)
            return [part for window in windows for part in self.parts(pixels, [window], alpha)]
        (rows, columns), unit = windows[0], self.network.multiple_of
        longest = max(rows.stop - rows.start, columns.stop - columns.start)
        if longest <= unit:
            raise MemoryError(f"Not even a tile of {unit} pixels fits into memory: take another device or network.")
        self.tile = min(self.tile, max(unit, longest // 2 // unit * unit))
        log.warning("Out of memory: going on with tiles of %d pixels.", self.tile)
        height, width, channels = pixels.shape
        scale = self.scale
        whole = np.empty(
            (scale * (rows.stop - rows.start), scale * (columns.stop - columns.start), channels), pixels.dtype
        )
        for above in self.spans(rows.start, rows.stop, height):
            for left in self.spans(columns.start, columns.stop, width):
                (part,) = self.parts(pixels, [Window(above, left)], alpha)
                y, x = scale * (above.start - rows.start), scale * (left.start - columns.start)
                whole[y : y + part.shape[0], x : x + part.shape[1]] = part
        return [whole]

    @torch.no_grad()
    def forward(self, pixels: Pixels, windows: list[Window], alpha: bool) -> list[Pixels]:
        lr = torch.stack([to_tensor(pixels[r.first : r.last, c.first : c.last]) for r, c in windows])
        lr = lr.to(self.device, memory_format=torch.channels_last)
        method: Callable[..., Tensor] = enlarge_with_alpha if alpha else enlarge
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            sr = method(self.network, lr, self.factor)
        return [
            to_pixels(one[(slice(None), *(self.kept(span) for span in window))], levels_of(pixels))
            for one, window in zip(sr, windows, strict=True)
        ]

    def kept(self, span: Span) -> slice:
        """Where in an enlarged window its kept part lies, along one axis."""
        return slice(self.scale * (span.start - span.first), self.scale * (span.stop - span.first))


def halo_of(network: Network, factor: int | None = None) -> int:
    """The margin with which tiles are exact; `OVERLAP` where none is, since the network sees the whole image.

    Alpha, and colour beside a network of one channel, is enlarged by bicubic interpolation, which reaches as far at least;
    and one pixel is the least with which a padded tile is the padded image's.
    """
    if network.halo is None:
        return OVERLAP
    return max(network.halo, enlarge_halo(factor or network.scale, "bicubic"), 1)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch, NumPy or the CPU's allocator says that memory ran out."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(
        sign in str(error) for sign in ("out of memory", "can't allocate memory", "could not allocate")
    )
