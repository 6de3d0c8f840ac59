"""How an image goes on beyond its borders: what filters read there, and what crops that reach out are filled with."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Borders = Literal["symmetric", "replicate", "reflect"]
"""The pixels 0 1 2 ... are preceded by 2 1 0 (`symmetric`, MATLAB's), 0 0 0 (`replicate`), or 3 2 1 (`reflect`)."""


def inside(places: NDArray[np.int64], length: int, borders: Borders) -> NDArray[np.int64]:
    """Where to read instead of beyond the borders: any whole numbers -> 0 ... length - 1, of the same shape.

    A small image is mirrored as often as it takes.

    Raises:
        ValueError: `borders` is none of the three.
    """
    if borders not in get_args(Borders):
        raise ValueError(f"borders={borders!r}: choose one of {', '.join(get_args(Borders))}.")
    if borders == "replicate":
        return places.clip(0, length - 1)
    skipped = borders == "reflect"  # the border pixel itself
    period = max(1, 2 * (length - skipped))
    places = places % period
    return np.minimum(places, period - 1 + skipped - places)
