"""What tiles cost in fidelity, measured on a piece of the image: how narrow a margin will do, and what tiling changes."""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from srlab.data.pixels import to_tensor
from srlab.inference.tiling import Span, Tiling, Window
from srlab.types import Pixels

CORE = 48
"""Side of the probed piece in LR pixels, without its margin."""

NARROW = (4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64)
"""Margins in LR pixels that are tried, the narrowest first."""

TOLERATED = 1.02
"""A narrower margin may make bfloat16's own error so many times as large."""


def enough_halo(tiling: Tiling, pixels: Pixels) -> int:
    """The narrowest margin with which bfloat16 is as near to float32 as it is with the exact one.

    bfloat16 rounds each value to eight bits; what pixels beyond some distance add is less than that.
    """
    piece = busiest(pixels, CORE + 2 * tiling.halo)
    if min(piece.shape[:2]) < CORE + 2 * tiling.halo or tiling.network.halo is None:
        return tiling.halo
    exact = core_of(replace(tiling, bfloat16=False), piece, tiling.halo)
    least = error(core_of(tiling, piece, tiling.halo), exact)
    for halo in NARROW:
        if halo >= tiling.halo:
            break
        if error(core_of(tiling, piece, halo), exact) <= TOLERATED * least:
            return halo
    return tiling.halo


class Difference(NamedTuple):
    """Between an image in tiles and as a whole: the largest, in 0 to 1, and the PSNR in dB."""

    largest: float
    psnr: float


def difference_of_tiles(tiling: Tiling, pixels: Pixels) -> Difference:
    """What tiling changes with a network that sees the whole image, on a piece that is cut into four; an upper bound.

    Tiles of half the size show more of it than the real ones do.
    """
    unit = tiling.network.multiple_of
    side = max(2 * unit, min(tiling.tile, 2 * CORE) // (2 * unit) * 2 * unit)
    piece = busiest(pixels, side)
    whole = np.concatenate(list(replace(tiling, tile=side, halo=0).bands(piece)))
    tiles = np.concatenate(list(replace(tiling, tile=side // 2).bands(piece)))
    wrong = np.abs(whole - tiles)
    mean = float(np.square(wrong, dtype=np.float64).mean())
    return Difference(float(wrong.max()), -10 * math.log10(mean) if mean else math.inf)


def core_of(tiling: Tiling, piece: NDArray[np.float32], halo: int) -> NDArray[np.float32]:
    """The middle of a piece, enlarged with a margin."""
    unit = tiling.network.multiple_of
    start = -(-tiling.halo // unit) * unit
    margin = -(-halo // unit) * unit
    spans = [Span(start, side - start, start - margin, side - start + margin) for side in piece.shape[:2]]
    (core,) = replace(tiling).forward(piece, [Window(*spans)], alpha=False)
    return np.asarray(core, np.float32)


def busiest(pixels: Pixels, side: int) -> NDArray[np.float32]:
    """Of nine places the square (side, side, C) in which neighbours differ most, as float32; smaller where the image is."""
    height, width = (min(side, length) for length in pixels.shape[:2])
    tops = [round(part * (pixels.shape[0] - height) / 2) for part in (0, 1, 2)]
    lefts = [round(part * (pixels.shape[1] - width) / 2) for part in (0, 1, 2)]
    pieces = [floats(pixels[top : top + height, left : left + width]) for top in tops for left in lefts]
    return max(pieces, key=lambda piece: float(np.abs(np.diff(piece, axis=1)).sum()))


def floats(pixels: Pixels) -> NDArray[np.float32]:
    """(H, W, C) in its own depth -> float32, white 1: nothing is rounded."""
    image: NDArray[np.float32] = to_tensor(pixels).movedim(0, -1).numpy()
    return image


def error(image: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    """Root mean square."""
    return math.sqrt(float(np.square(image - reference, dtype=np.float64).mean()))
