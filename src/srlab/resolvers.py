"""What the commands' YAML may compute, as `${name:arguments}`."""

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

from srlab.sweeps.jobs import sweep_folder


def run_directory(resume: str | None, fresh: str) -> str:
    """The folder of a run: the resumed one, or a fresh one."""
    return str(Path(resume).expanduser()) if resume and resume != "auto" else fresh


def hydra_records(run_dir: str, stamp: str) -> str:
    """Where in the run folder Hydra writes its own records: those of the first start, which `resume` reads, are kept."""
    return f".hydra/{stamp}" if (Path(run_dir) / ".hydra/config.yaml").exists() else ".hydra"


def sweep_name() -> str | None:
    """The name of the sweep that this job belongs to: its folder's; None outside a sweep."""
    folder = sweep_folder()
    return None if folder is None else folder.name


def fast_precision() -> str:
    """`bf16-mixed` where this machine gains from it, else `32-true`."""
    from srlab.machine import gains_from_bfloat16, pick_device

    return "bf16-mixed" if gains_from_bfloat16(pick_device("auto")) else "32-true"


RESOLVERS: dict[str, Callable[..., Any]] = {
    "plus": operator.add,
    "run_directory": run_directory,
    "hydra_records": hydra_records,
    "sweep_name": sweep_name,
    "fast_precision": fast_precision,
}
"""Each by its name."""
