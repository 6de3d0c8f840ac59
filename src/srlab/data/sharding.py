"""Write a source as shards: in parallel, part by part, so that an ended command goes on where it was; then read all back.

A part is some images in a row. Its files appear under their own names when it is whole, its record (`parts/00000.json`)
after them, and each set's index after all parts: what has an index is complete.
"""

import contextlib
import fcntl
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from srlab.data.audit import Problem, audit_values, report
from srlab.data.shard_files import Form, Writer, digest_of, write_index, write_json
from srlab.data.shards import INDEX, Shards
from srlab.data.source import Source
from srlab.errors import InputError
from srlab.types import Pixels

log = logging.getLogger(__name__)

VERSION = 1
T = TypeVar("T")


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
                write_index(source, root / side, form, [record["sides"][side] for record in done])
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
    if source.landmarks is not None:
        digest.update(source.landmarks[part.start : part.stop].tobytes())
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
    writers = {side: Writer(root / side, number, form) for side in sides}
    problems: list[tuple[int, str]] = []
    for index in part:
        try:
            read = {side: _read(images, index) for side, images in sides.items()}
        except InputError as error:
            problems.append((index, str(error)))
            continue
        for side, pixels in read.items():
            writers[side].add(sides[side], index, pixels)
    record = {"digest": digest, "problems": problems, "sides": {side: each.close() for side, each in writers.items()}}
    write_json(root / "parts" / f"{number:05d}.json", record)


def _read(source: Source, index: int) -> Pixels:
    pixels = source.image(index)
    if fault := audit_values(pixels):
        raise InputError(f"{source.where(index)}: {fault}")
    return pixels


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
