"""The files of shards: images tile by tile in LitData's chunks, and the index that joins the parts."""

import json
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from srlab.data.images import Header
from srlab.data.shards import CODECS, INDEX, NONE, Grid, litdata, packed
from srlab.data.source import Source
from srlab.files import write_atomically
from srlab.types import Pixels

LARGEST_MB = 4000
"""A shard's places are 32-bit numbers of bytes."""


@dataclass(frozen=True)
class Form:
    """How shards are laid out.

    Attributes:
        tile: height and width of what is read at once, in pixels.
        shard_mb: size of a file, in 10^6 bytes.
        codec: `none`, or `zstd` (nothing is lost).
        images: in a part, which one process writes at a time, and which is the most that a restart does again.
    """

    tile: int = 256
    shard_mb: int = 64
    codec: str = NONE
    images: int = 32

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise ValueError(f"codec={self.codec}: choose one of {', '.join(CODECS)}.")
        if min(self.tile, self.shard_mb, self.images) < 1 or self.shard_mb > LARGEST_MB:
            raise ValueError(
                f"tile={self.tile}, part_images={self.images}, shard_mb={self.shard_mb}: expected 1 or more, and at most "
                f"{LARGEST_MB} MB."
            )


class Writer:
    """The shards of one part of one set: written aside, then renamed.

    Args:
        folder: of the set.
        name: the part's number, or another name.
        form: of the shards.
    """

    def __init__(self, folder: Path, name: int | str, form: Form) -> None:
        litdata()
        from litdata.streaming.writer import BinaryWriter

        self.folder, self.form = folder, form
        self.stem = f"part-{name:05d}" if isinstance(name, int) else name
        self.aside = folder / f".{self.stem}"
        shutil.rmtree(self.aside, ignore_errors=True)
        self.writer = BinaryWriter(str(self.aside), chunk_bytes=form.shard_mb * 10**6)
        self.images: list[dict[str, Any]] = []
        self.items = 0

    def add(self, source: Source, index: int, pixels: Pixels) -> None:
        """Write an image of a source, tile by tile, and note what is known of it."""
        grid = Grid(Header.of(pixels), self.form.tile)
        entry = {"label": source.label(index), "first": self.items, "digest": digest_of(pixels)}
        if source.landmarks is not None:
            entry["landmarks"] = source.landmarks[index].tolist()
        self.images.append(entry | vars(grid.header))
        for number in range(len(grid)):
            top, left, height, width = grid.place(number)
            self.add_item(packed(pixels[top : top + height, left : left + width], self.form.codec))

    def add_item(self, item: bytes) -> None:
        self.writer[self.items] = item
        self.items += 1

    def close(self) -> dict[str, Any]:
        """Give the files their names; what LitData's index has of them, and the list of images."""
        for old in self.folder.glob(f"{self.stem}-*.bin"):
            old.unlink()
        if not self.items:
            shutil.rmtree(self.aside, ignore_errors=True)
            return {"chunks": [], "config": None, "images": [], "items": 0}
        self.writer.done()
        index = json.loads((self.aside / f"0.{INDEX}").read_text())
        for place, chunk in enumerate(index["chunks"]):
            name = f"{self.stem}-{place}.bin"
            (self.aside / chunk["filename"]).rename(self.folder / name)
            chunk["filename"] = name
        shutil.rmtree(self.aside)
        return {**index, "images": self.images, "items": self.items}


def digest_of(pixels: Pixels) -> str:
    """A name for an image's samples, shape and depth."""
    return blake2b(f"{pixels.shape} {pixels.dtype}".encode() + pixels.tobytes(), digest_size=16).hexdigest()


def write_index(source: Source, folder: Path, form: Form, parts: Sequence[dict[str, Any]]) -> None:
    """Join the parts: the list of images as the last item, then LitData's index."""
    images, items = [], 0
    for part in parts:
        images += [image | {"first": image["first"] + items} for image in part["images"]]
        items += part["items"]
    companions = list(source.companions()) if folder.name == "hr" else []
    listing = {"name": source.name, "tile": form.tile, "codec": form.codec, "companions": companions, "images": images}
    writer = Writer(folder, "images", form)
    writer.add_item(zlib.compress(json.dumps(listing).encode()))
    last = writer.close()
    chunks = [chunk for part in (*parts, last) for chunk in part["chunks"]]
    write_json(folder / INDEX, {"chunks": chunks, "config": last["config"]})


def write_json(path: Path, content: object) -> None:
    write_atomically(path, lambda file: file.write(json.dumps(content).encode()))
