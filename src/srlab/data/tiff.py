"""TIFF in any depth and number of bands (TIFF 6.0; layouts as tifffile names them)."""

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from srlab.data.pixels import channels_last, orient
from srlab.errors import InputError

_ORIENTATION = 274


def read(path: Path) -> tuple[NDArray[np.generic], bool]:
    """Decode the first image to (H, W, C) in its own dtype, and say whether the last channel is alpha.

    Where the file does not say which axis holds the bands (a stack of pages), the shortest one does.
    """
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        page = series.keyframe
        array = series.asarray()
        palette = page.colormap
        if palette is not None:
            array = _look_up(array, palette)
        elif page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            array = ~array if array.dtype == np.bool_ else np.iinfo(array.dtype).max - array
        if array.ndim == 3:
            array = np.moveaxis(array, -1 if palette is not None else _band_axis(series), -1)
        return orient(channels_last(array), _orientation(page)), _has_alpha(page)


def header(path: Path) -> tuple[int, int, int, np.dtype[np.generic], bool]:
    """Height, width, channels, dtype, and whether the last channel is alpha, without decoding."""
    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        page = series.keyframe
        shape = list(series.shape)
        if len(shape) not in (2, 3):
            raise InputError(f"its axes are {series.axes} {series.shape}, expected one image: store one image a file")
        channels = shape.pop(_band_axis(series)) if len(shape) == 3 else 1
        dtype = series.dtype
        if page.colormap is not None:
            channels, dtype = 3, np.dtype(np.uint8)
        height, width = shape if _orientation(page) < 5 else reversed(shape)
        return height, width, channels, dtype, _has_alpha(page)


def _band_axis(series: tifffile.TiffPageSeries) -> int:
    for label in "SC":
        if label in series.axes:
            return series.axes.index(label)
    return int(np.argmin(series.shape))


def _orientation(page: tifffile.TiffPage) -> int:
    tag = page.tags.get(_ORIENTATION)
    return int(tag.value) if tag else 1


def _has_alpha(page: tifffile.TiffPage) -> bool:
    kinds = (tifffile.EXTRASAMPLE.ASSOCALPHA, tifffile.EXTRASAMPLE.UNASSALPHA)
    return bool(page.extrasamples) and page.extrasamples[-1] in kinds


def _look_up(indices: NDArray[np.generic], colormap: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """(H, W) palette indices -> (H, W, 3): TIFF stores 16-bit colours of which nearly all writers fill 8."""
    colours: NDArray[np.uint8] = (colormap >> 8).astype(np.uint8).transpose()
    return np.take(colours, indices.astype(np.intp), axis=0)
