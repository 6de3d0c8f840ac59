"""Decoded images in files that all runs share, within a stated size."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from srlab.data.audit import Problem

_PIXELS, _PROBLEMS = "pixels.bin", "problems.json"
_UNFINISHED = ".unfinished"
_STALE_SECONDS = 86400  # an unfinished entry of that age was left by a process that was killed


class Entry:
    """The decoded images of one data set: a folder that appears only when it is complete.

    Args:
        root: the cache's folder.
        name: of the entry; it stands for all that the pixels depend on.
        size: bytes of pixels.
    """

    def __init__(self, root: Path, name: str, size: int) -> None:
        self.root = root
        self.folder = root / name
        self.size = size

    def make_room(self, limit: int) -> bool:
        """Remove the entries that were not used for longest until this one fits in `limit` bytes with the rest.

        Returns whether it does, and the disk has room; a run that has a removed entry open keeps it until its end.
        """
        if self._complete():
            return self.size <= limit
        if self.size > limit:
            return False
        self.root.mkdir(parents=True, exist_ok=True)
        entries = sorted((entry for entry in self.root.iterdir() if entry.is_dir()), key=_last_use)
        total = sum(map(_bytes_in, entries))
        for entry in entries:
            if total + self.size <= limit:
                break
            if not entry.name.endswith(_UNFINISHED) or time.time() - _last_use(entry) > _STALE_SECONDS:
                total -= _bytes_in(entry)
                shutil.rmtree(entry, ignore_errors=True)
        return total + self.size <= limit and self.size < shutil.disk_usage(self.root).free

    def open(self, fill: Callable[[NDArray[np.uint8]], list[Problem]]) -> tuple[NDArray[np.uint8], list[Problem]]:
        """Map the entry's pixels, read-only; `fill` writes them if nobody has, and says which images failed."""
        if not self._complete():
            self._create(fill)
        self.folder.touch()  # now is its last use
        problems = [Problem(index, text) for index, text in json.loads((self.folder / _PROBLEMS).read_text())]
        return np.memmap(self.folder / _PIXELS, np.uint8, "r", shape=(self.size,)), problems

    def _complete(self) -> bool:
        pixels = self.folder / _PIXELS
        return pixels.is_file() and pixels.stat().st_size == self.size

    def _create(self, fill: Callable[[NDArray[np.uint8]], list[Problem]]) -> None:
        unfinished = self.root / f"{uuid4().hex}{_UNFINISHED}"
        unfinished.mkdir(parents=True)
        try:
            store = np.memmap(unfinished / _PIXELS, np.uint8, "w+", shape=(self.size,))
            problems = fill(store)
            store.flush()
            (unfinished / _PROBLEMS).write_text(json.dumps([(problem.index, problem.text) for problem in problems]))
            try:
                unfinished.rename(self.folder)
            except OSError:
                if not self._complete():  # else another process was quicker, with the same pixels
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _last_use(entry: Path) -> float:
    return entry.stat().st_mtime


def _bytes_in(entry: Path) -> int:
    return sum(file.stat().st_size for file in entry.iterdir())
