"""Files that survive a kill at any moment: either the old one is there, or the new one is, whole."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

UNFINISHED = ".tmp"


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file beside its target, flush it to the disk, then rename it there.

    A temporary file elsewhere would be copied, not renamed, where it lies on another file system.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename too is on the disk
    finally:
        os.close(folder)


def forget_unfinished(folder: Path) -> None:
    """Remove what a kill while writing left in a folder."""
    for path in folder.glob(f".*{UNFINISHED}"):
        path.unlink(missing_ok=True)
