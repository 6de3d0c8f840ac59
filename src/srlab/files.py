"""Files that survive a kill at any moment: either the old one is there, or the new one is, whole."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from srlab.errors import InputError

UNFINISHED = ".tmp"
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


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
    except (OSError, RuntimeError) as error:  # torch turns the one into the other
        cause = error if isinstance(error, OSError) else error.__context__
        if isinstance(cause, OSError) and cause.errno in FULL:
            raise InputError(
                f"{path} could not be written ({cause.strerror}). What was saved before is whole: make room, and go on "
                f"with the run (resume=<its folder>)."
            ) from error
        raise
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
