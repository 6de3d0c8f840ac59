"""Images made for the tests of the data."""

from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from srlab.data.images import write_image


class Draw(Protocol):
    """Write an image of noise, other noise for every path, and return its path."""

    def __call__(self, path: Path, height: int = 8, width: int = 12, channels: int = 3) -> Path: ...


@pytest.fixture(scope="session")
def draw() -> Draw:
    def write(path: Path, height: int = 8, width: int = 12, channels: int = 3) -> Path:
        rng = np.random.default_rng(list(path.name.encode()))
        write_image(path, rng.integers(0, 256, (height, width, channels), dtype=np.uint8))
        return path

    return write
