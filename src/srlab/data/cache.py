"""Decode once: keep the decoded images in RAM if they fit, else in a memory-mapped file, else decode them each time.

What takes long to make, as drawn images do, goes into the file even if it fits in RAM: the next run finds it there.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srlab.data.audit import Needs, Problem, audit_headers, audit_values, in_threads, report
from srlab.data.disk_cache import Entry
from srlab.data.images import Header
from srlab.data.source import Part, Source
from srlab.errors import InputError
from srlab.types import Pixels

log = logging.getLogger(__name__)

GB = 10**9


@dataclass(frozen=True)
class CacheLimits:
    """How much room decoded images may take, in 10^9 bytes.

    Attributes:
        ram_gb: in this process's memory.
        disk_gb: in all files below `folder` together; what was not used for longest makes room.
        folder: where memory-mapped files are kept, for all runs.
    """

    ram_gb: float
    disk_gb: float
    folder: Path


class Cached(Source):
    """The decoded images of a source, one after the other in an array of bytes.

    Worker processes are forked, so that they share the array, be it in RAM or mapped from a file, without a copy.
    """

    def __init__(self, source: Source, headers: Sequence[Header], store: NDArray[np.uint8]) -> None:
        self.name, self.truth = source.name, source.truth
        self.source = source
        self.landmarks = source.landmarks
        self.headers = list(headers)
        self.store = store
        self.starts = list(accumulate((header.bytes for header in headers), initial=0))

    def __len__(self) -> int:
        return len(self.headers)

    def label(self, index: int) -> str:
        return self.source.label(index)

    def header(self, index: int) -> Header:
        return self.headers[index]

    def image(self, index: int) -> Pixels:
        header, start = self.headers[index], self.starts[index]
        view = self.store[start : start + header.bytes].view(header.dtype)
        pixels: Pixels = view.reshape(header.height, header.width, header.channels)
        return pixels

    def identity(self, index: int) -> str:
        return self.source.identity(index)

    def where(self, index: int) -> str:
        return self.source.where(index)


def prepare(source: Source, needs: Needs, limits: CacheLimits, on_bad_file: str, purpose: str) -> Source:
    """Audit a source and decode it once, into the place where it fits; one log line says which, and how much.

    Every image is decoded here, also where none is kept: a broken file is found now, not in the middle of a run.

    Args:
        source: of all images.
        needs: what they must be.
        limits: how much may be kept, and where.
        on_bad_file: `stop` or `skip`.
        purpose: "train", "val" or "test", for the log.

    Raises:
        InputError: naming every bad file, unless they are to be skipped and some are good.
    """
    headers, problems = audit_headers(source, needs)
    good = [index for index, header in enumerate(headers) if header is not None]
    sound = Part(source, good)
    if source.prepared:
        report(source, problems, len(sound), on_bad_file)
        log.info("%s: %s, %d images, read as they lie there", purpose, source.name, len(sound))
        return sound
    sides = {"hr": sound, **sound.companions()}
    headers_of = {name: [side.header(index) for index in range(len(sound))] for name, side in sides.items()}
    bytes_of = {name: sum(header.bytes for header in each) for name, each in headers_of.items()}
    size = sum(bytes_of.values())

    def laid_out(store: NDArray[np.uint8]) -> dict[str, Cached]:
        """The sides one after the other in an array."""
        ends = accumulate(bytes_of.values())
        return {
            name: Cached(side, headers_of[name], store[end - bytes_of[name] : end])
            for (name, side), end in zip(sides.items(), ends, strict=True)
        }

    def fill(store: NDArray[np.uint8]) -> list[Problem]:
        """Decode everything into the array."""
        return [problem for side in laid_out(store).values() for problem in _decode(side)]

    entry = Entry(limits.folder, _name_of(sound), size)
    store: NDArray[np.uint8] | None
    fits_in_ram = size <= limits.ram_gb * GB
    if (source.costly or not fits_in_ram) and entry.make_room(int(limits.disk_gb * GB)):
        store, broken = entry.open(fill)
        place = f"memory-mapped from {entry.folder}"
    elif fits_in_ram:
        store, place = np.empty(size, np.uint8), "in RAM"
        broken = fill(store)
    else:
        store, place = None, "decoded anew at each use"
        broken = [problem for side in sides.values() for problem in _decode(side)]

    bad = {problem.index for problem in broken}
    kept = [index for index in range(len(sound)) if index not in bad]
    report(source, [*problems, *broken], len(kept), on_bad_file)
    log.info(
        "%s: %s, %d images, %.3f GB decoded, %s (allowed: cache_gb=%.4g in RAM, disk_cache_gb=%.4g)",
        *(purpose, source.name, len(kept), size / GB, place, limits.ram_gb, limits.disk_gb),
    )
    usable: Source = sound
    if store is not None:
        kept_sides = laid_out(store)
        usable = kept_sides.pop("hr").accompanied(kept_sides)
    return Part(usable, kept) if bad else usable


def ram_bytes(source: Source) -> int:
    """Bytes of decoded images that a prepared source holds in memory; what is mapped from a file is not counted."""
    if isinstance(source, Part):
        return ram_bytes(source.source)
    held = source.store.nbytes if isinstance(source, Cached) and not isinstance(source.store, np.memmap) else 0
    return held + sum(map(ram_bytes, source.companions().values()))


def _decode(source: Source) -> list[Problem]:
    """Decode every image, into its place if the source is `Cached`; return those that fail, each with its reason."""
    target = source if isinstance(source, Cached) else None
    images = target.source if target else source

    def decode(index: int) -> Problem | None:
        try:
            pixels = images.image(index)
        except InputError as error:
            return Problem(index, str(error))
        if fault := audit_values(pixels):
            return Problem(index, f"{images.where(index)}: {fault}")
        header = source.header(index)
        said = f"{(header.height, header.width, header.channels)} {header.dtype}"
        if (found := f"{pixels.shape} {pixels.dtype}") != said:
            return Problem(index, f"{images.where(index)}: holds {found}, but its header says {said}: save it anew")
        if target:
            np.copyto(target.image(index), pixels)
        return None

    return [problem for problem in in_threads(decode, range(len(source))) if problem]


def _name_of(source: Source) -> str:
    """A name for all that the decoded pixels depend on: which images, in which order."""
    digest = blake2b(digest_size=16)
    for side in (source, *source.companions().values()):
        for index in range(len(side)):
            digest.update(f"{side.identity(index)}\n".encode())
    return f"{''.join(c if c.isalnum() else '_' for c in source.name)}-{digest.hexdigest()}"
