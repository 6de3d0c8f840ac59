"""Drawn waves of every direction and length: an example of a data set that lives outside srlab."""

import numpy as np

from srlab.data.images import Header
from srlab.data.source import Source
from srlab.data.stream import key
from srlab.types import Pixels


class Gratings(Source):
    """Images of one wave each, grey, which colour channels share.

    Args:
        count: of images.
        size: height and width in pixels.
        seed: what they are drawn from.
    """

    name = "gratings"

    def __init__(self, count: int, size: int, seed: int = 0) -> None:
        self.count, self.size, self.seed = count, size, seed

    def __len__(self) -> int:
        return self.count

    def label(self, index: int) -> str:
        return f"{index:04}"

    def header(self, index: int) -> Header:
        return Header(self.size, self.size, 3, "uint8")

    def image(self, index: int) -> Pixels:
        """(size, size, 3) uint8: from 4 to 40 pixels a period."""
        rng = np.random.default_rng(key(self.seed, "grating", index))
        angle, period = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(4), np.log(40)))
        y, x = np.mgrid[: self.size, : self.size]
        wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
        grey = np.round(127.5 + 120 * wave).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)

    def identity(self, index: int) -> str:
        return f"gratings/{self.seed}/{self.size}/{index}"
