"""Images in a few large files instead of many small ones: LitData's shards, of which any window is quick to read.

An image is stored as square tiles, row by row, and a tile is one item of a LitData set, found by its number: a window
takes one to a few reads, wherever it is. So a sample is what it is with the folder that the shards were made of, and a
position of the stream is found without replaying data. LitData's own order and its state are not used.

Each of `hr`, `lr`, `guide` and `mask` is a set in a folder of that name. The last item of a set is its list of images,
in which faces have their landmarks.
"""

import json
import os
import threading
import zlib
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from srlab.data.images import Header
from srlab.data.source import Source
from srlab.errors import InputError
from srlab.types import Pixels

NONE, ZSTD = "none", "zstd"
CODECS = (NONE, ZSTD)
INDEX = "index.json"
"""LitData's own; it is written last."""


class Shards(Source):
    """What `srlab-shards` wrote, and the companions beside it.

    Args:
        root: the folder, or an address that LitData reads (s3://..., gs://...).
        side: which of its sets.

    Raises:
        InputError: there are no shards, or not all of them yet.
    """

    prepared = True

    def __init__(self, root: str, side: str = "hr") -> None:
        remote = "://" in root or root.startswith("local:")
        self.root = root.rstrip("/") if remote else str(Path(root).expanduser())
        self.address = f"{self.root}/{side}"
        if not remote and not Path(self.address, INDEX).is_file():
            raise InputError(
                f"{self.root} holds no shards, or not all of them: write them with srlab-shards (again, if it was ended)."
            )
        self._open = threading.local()
        listing = json.loads(zlib.decompress(self._items[len(self._items) - 1]))
        self.name, self.side, self.codec, self.tile = listing["name"], side, listing["codec"], listing["tile"]
        self.entries: list[dict[str, Any]] = listing["images"]
        known = [entry.pop("landmarks") for entry in self.entries if "landmarks" in entry]
        self.landmarks = np.array(known, np.float32) if known else None
        self.accompanied({name: Shards(root, name) for name in listing["companions"]})

    def __len__(self) -> int:
        return len(self.entries)

    def label(self, index: int) -> str:
        return str(self.entries[index]["label"])

    def header(self, index: int) -> Header:
        entry = self.entries[index]
        return Header(entry["height"], entry["width"], entry["channels"], entry["dtype"])

    def image(self, index: int) -> Pixels:
        header = self.header(index)
        return self.window(index, slice(0, header.height), slice(0, header.width))

    def window(self, index: int, rows: slice, columns: slice) -> Pixels:
        grid = Grid(self.header(index), self.tile)
        pixels = np.empty((rows.stop - rows.start, columns.stop - columns.start, grid.header.channels), grid.dtype)
        for number in grid.reached(rows, columns):
            top, left, height, width = grid.place(number)
            item = self._items[self.entries[index]["first"] + number]
            tile = self._checked(index, item).reshape(height, width, grid.header.channels)
            inside, outside = zip(
                *(_overlap(*pair) for pair in ((top, height, rows), (left, width, columns))), strict=True
            )
            pixels[outside] = tile[inside]
        return pixels

    def identity(self, index: int) -> str:
        return str(self.entries[index]["digest"])

    def where(self, index: int) -> str:
        return f"{self.address}: {self.label(index)}"

    @property
    def _items(self) -> Any:
        """LitData's set, opened once in each process and thread: it has one file open at a time."""
        if getattr(self._open, "process", None) != os.getpid():
            self._open.items, self._open.process = litdata().StreamingDataset(self.address), os.getpid()
        return self._open.items

    def _checked(self, index: int, item: bytes) -> NDArray[Any]:
        try:
            return unpacked(item, self.codec, self.header(index).dtype, self.header(index).channels)
        except ValueError as error:
            raise InputError(f"{self.where(index)}: {error}. Write its shard again with srlab-shards.") from error

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_open"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._open = threading.local()


@dataclass(frozen=True)
class Grid:
    """The tiles of an image, numbered row by row.

    Attributes:
        header: of the image.
        tile: height and width; the last of a row or a column may be smaller.
    """

    header: Header
    tile: int

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.header.dtype)

    @property
    def across(self) -> int:
        """Tiles in a row."""
        return -(-self.header.width // self.tile)

    def __len__(self) -> int:
        return -(-self.header.height // self.tile) * self.across

    def place(self, number: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of a tile."""
        top, left = (place * self.tile for place in divmod(number, self.across))
        return top, left, min(self.tile, self.header.height - top), min(self.tile, self.header.width - left)

    def reached(self, rows: slice, columns: slice) -> list[int]:
        """The tiles that a window touches."""
        places = (range(part.start // self.tile, (part.stop - 1) // self.tile + 1) for part in (rows, columns))
        return [down * self.across + right for down, right in product(*places)]


def packed(pixels: Pixels, codec: str) -> bytes:
    """A tile (h, w, C) as an item: a checksum, and the tile's bytes.

    `zstd` packs differences of neighbours in a row, modulo 2^8, 2^16 or (of the bits of floats) 2^32: nothing is lost.
    """
    content: bytes | bytearray = pixels.tobytes()
    if codec == ZSTD:
        flat = _as_integers(np.frombuffer(content, pixels.dtype)).reshape(-1, pixels.shape[2])
        content = imagecodecs.zstd_encode(np.diff(flat, axis=0, prepend=flat[:1] * 0).tobytes(), level=3)
    return zlib.crc32(content).to_bytes(4, "little") + content


def unpacked(item: bytes, codec: str, dtype: str, channels: int) -> NDArray[Any]:
    """The samples (h * w, C) of an item; `ValueError` where its checksum is not that of its bytes."""
    checksum, content = int.from_bytes(item[:4], "little"), item[4:]
    if zlib.crc32(content) != checksum:
        raise ValueError("a tile is damaged")
    if codec == NONE:
        return np.frombuffer(content, dtype).reshape(-1, channels)
    steps = _as_integers(np.frombuffer(imagecodecs.zstd_decode(content), dtype)).reshape(-1, channels)
    return steps.cumsum(0, dtype=steps.dtype).view(dtype)


def litdata() -> Any:
    """LitData, which asks nobody for newer versions of itself."""
    os.environ.setdefault("LITDATA_DISABLE_VERSION_CHECK", "1")
    try:
        import litdata as package
    except ImportError as error:
        raise InputError("shards are LitData's, which is missing: pip install 'srlab[shards]'.") from error
    return package


def _as_integers(samples: NDArray[Any]) -> NDArray[Any]:
    return samples.view(f"u{samples.dtype.itemsize}")


def _overlap(start: int, length: int, window: slice) -> tuple[slice, slice]:
    """What a tile from `start` on has of a window: in the tile, and in the window."""
    low, high = max(start, window.start), min(start + length, window.stop)
    return slice(low - start, high - start), slice(low - window.start, high - window.start)
