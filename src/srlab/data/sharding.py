"""Write a source as shards: in parallel, part by part, so that an ended command goes on where it was; then read all back.

A part is some images in a row. Its files appear under their own names when it is whole, its record (`parts/00000.json`)
after them, and each set's index after all parts: what has an index is complete.
"""

import contextlib
import fcntl
import json
import logging
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from srlab.data.audit import Problem, audit_values, report
from srlab.data.images import Header
from srlab.data.shards import CODECS, INDEX, NONE, Grid, Shards, litdata, packed
from srlab.data.source import Source
from srlab.errors import InputError
from srlab.files import write_atomically
from srlab.types import Pixels

log = logging.getLogger(__name__)

VERSION = 1
LARGEST_MB = 4000
"""A shard's places are 32-bit numbers of bytes."""
T = TypeVar("T")


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


def write_shards(source: Source, root: Path, form: Form, workers: int = 1, on_bad_file: str = "stop") -> int:
    """Write what of a source is not written yet, and compare all that was written with what was read; return the images.

    Args:
        source: images, with their companions.
        root: the folder to write into.
        form: of the shards.
        workers: processes.
        on_bad_file: `stop` or `skip`.

    Raises:
        InputError: files that cannot be read, a folder that holds other shards, or shards that differ from what was
            written (their parts are then written again by the next start).
    """
    parts = [range(start, min(start + form.images, len(source))) for start in range(0, len(source), form.images)]
    digests = [_digest_of(source, part, form) for part in parts]
    records = root / "parts"
    with _alone(root):
        if (root / "hr" / INDEX).is_file() and [
            _recorded(records, n).get("digest") for n in range(len(parts))
        ] != digests:
            raise InputError(f"{root} holds the shards of other images, or in another form: give another output.")
        missing = [n for n, digest in enumerate(digests) if _recorded(records, n).get("digest") != digest]
        log.info("%s: %d of %d parts are to be written", root, len(missing), len(parts))
        write = partial(_write_part, source, root, form)
        _each(write, [(number, parts[number], digests[number]) for number in missing], workers)
        done = [_recorded(records, number) for number in range(len(parts))]
        problems = [Problem(*problem) for record in done for problem in record["problems"]]
        kept = len(source) - len(problems)
        report(source, problems, kept, on_bad_file)
        for side in ("lr", "guide", "mask", "hr"):
            if side in _sides(source):
                _write_index(source, root / side, form, [record["sides"][side] for record in done])
        _compare(root, kept, workers, parts)
    return kept


def _sides(source: Source) -> dict[str, Source]:
    return {"hr": source, **source.companions()}


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Two commands in one folder would write over each other."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{root}: another srlab-shards is writing there. Wait for its end.") from None
        yield


def _digest_of(source: Source, part: range, form: Form) -> str:
    """A name for all that a part's files depend on."""
    digest = blake2b(f"{VERSION} {form} {part}".encode(), digest_size=16)
    for side, images in _sides(source).items():
        for index in part:
            with contextlib.suppress(OSError):  # a file that is gone is told of when it is read
                digest.update(f"{side} {images.identity(index)}\n".encode())
    return digest.hexdigest()


def _recorded(records: Path, number: int) -> dict[str, Any]:
    path = records / f"{number:05d}.json"
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def _each(work: Callable[..., T], arguments: Sequence[tuple[Any, ...]], workers: int) -> list[T]:
    """Do independent work, in several processes where there are several."""
    if workers <= 1 or len(arguments) <= 1:
        return [work(*given) for given in arguments]
    with ProcessPoolExecutor(min(workers, len(arguments))) as pool:
        running = [pool.submit(work, *given) for given in arguments]
        for count, finished in enumerate(as_completed(running), 1):
            finished.result()
            log.info("%d of %d", count, len(running))
        return [each.result() for each in running]


def _write_part(source: Source, root: Path, form: Form, number: int, part: range, digest: str) -> None:
    sides = _sides(source)
    writers = {side: _Writer(root / side, number, form) for side in sides}
    problems: list[tuple[int, str]] = []
    for index in part:
        try:
            read = {side: _read(images, index) for side, images in sides.items()}
        except InputError as error:
            problems.append((index, str(error)))
            continue
        for side, pixels in read.items():
            writers[side].add(sides[side].label(index), pixels)
    record = {"digest": digest, "problems": problems, "sides": {side: each.close() for side, each in writers.items()}}
    _write_json(root / "parts" / f"{number:05d}.json", record)


def _read(source: Source, index: int) -> Pixels:
    pixels = source.image(index)
    if fault := audit_values(pixels):
        raise InputError(f"{source.where(index)}: {fault}")
    return pixels


class _Writer:
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

    def add(self, label: str, pixels: Pixels) -> None:
        """Write an image, tile by tile."""
        grid = Grid(Header.of(pixels), self.form.tile)
        entry = {"label": label, "first": self.items, "digest": digest_of(pixels)}
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


def _write_index(source: Source, folder: Path, form: Form, parts: Sequence[dict[str, Any]]) -> None:
    """Join the parts: the list of images as the last item, then LitData's index."""
    images, items = [], 0
    for part in parts:
        images += [image | {"first": image["first"] + items} for image in part["images"]]
        items += part["items"]
    companions = list(source.companions()) if folder.name == "hr" else []
    listing = {"name": source.name, "tile": form.tile, "codec": form.codec, "companions": companions, "images": images}
    writer = _Writer(folder, "images", form)
    writer.add_item(zlib.compress(json.dumps(listing).encode()))
    last = writer.close()
    chunks = [chunk for part in (*parts, last) for chunk in part["chunks"]]
    _write_json(folder / INDEX, {"chunks": chunks, "config": last["config"]})


def _compare(root: Path, images: int, workers: int, parts: Sequence[range]) -> None:
    """Read every tile of every image back."""
    written = Shards(str(root))
    counted = {side: len(source) for side, source in _sides(written).items()}
    found = _each(partial(_differing, root), [(range(part.start, min(part.stop, images)),) for part in parts], workers)
    bad = [place for places in found for place in places]
    if set(counted.values()) != {images} or bad:
        shutil.rmtree(root / "parts")
        for side in counted:
            (root / side / INDEX).unlink()
        raise InputError(
            f"{root}: {counted} images were written of {images}, of which these differ: {', '.join(bad) or 'none'}. Look "
            f"after the disk, and write them again by the same command."
        )


def _differing(root: Path, indices: range) -> list[str]:
    sides = _sides(Shards(str(root))).values()
    return [side.where(index) for side in sides for index in indices if not _is_whole(side, index)]


def _is_whole(side: Source, index: int) -> bool:
    try:
        return digest_of(side.image(index)) == side.identity(index)
    except (InputError, OSError):
        return False


def _write_json(path: Path, content: object) -> None:
    write_atomically(path, lambda file: file.write(json.dumps(content).encode()))
