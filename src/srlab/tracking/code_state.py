"""Which state of the code a run is of."""

import subprocess
from pathlib import Path
from typing import Any

import srlab


def code_state() -> dict[str, Any]:
    """The version; and, in a checkout, the commit, and whether files differ from it (None where it is none)."""
    state: dict[str, Any] = {"version": srlab.__version__, "commit": None, "changed": None}
    commit = _git("rev-parse", "HEAD")
    if commit is not None and _git("ls-files", "--error-unmatch", __file__) is not None:  # ours, not one around .venv
        state |= {"commit": commit, "changed": bool(_git("status", "--porcelain", "--untracked-files=no"))}
    return state


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
