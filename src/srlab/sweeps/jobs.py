"""A job of a sweep and the file by which it is known: begun, done with what result, or failed and why.

The file is the job's own, so a sweep's table needs neither the launcher nor the process that started it; what is done is
not done again.
"""

import contextlib
import functools
import json
import logging
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from srlab.errors import InputError
from srlab.files import write_atomically
from srlab.ranks import is_first

log = logging.getLogger(__name__)

STATUS = "status.json"
RUNNING, DONE, FAILED, INTERRUPTED, PRUNED = "running", "done", "failed", "interrupted", "pruned"
ENDED = (DONE, PRUNED)
"""What is not run again."""
SAVED = (130, 143)
"""Exit statuses of what was told to stop, and saved first: it can go on."""


class PrunedError(Exception):
    """A trial of a study that is ended early, since others do better; its message says at which iteration."""


@dataclass(frozen=True)
class Objective:
    """What a job came to: the number that sweeps are sorted by.

    Attributes:
        metric: its name ("val/psnr_y").
        value: the best.
        higher_is_better: which way it is better.
    """

    metric: str
    value: float
    higher_is_better: bool


@dataclass(frozen=True)
class Job:
    """The contents of a status file.

    Attributes:
        overrides: what was asked for on the command line, swept or not.
        status: running, done, failed, interrupted, or pruned. One that was killed stays at running.
        host, pid: where it runs, or ran.
        slurm: the number of the Slurm job that it runs in ("12_3"), if it does.
        begun, ended: seconds since 1970; `begun` of the last start.
        objective: of a job that is done, if it has any.
        error: the last line of what went wrong; of a pruned job, when it was.
    """

    overrides: tuple[str, ...]
    status: str
    host: str = ""
    pid: int = 0
    begun: float = 0.0
    ended: float | None = None
    objective: Objective | None = None
    error: str = ""
    slurm: str = ""

    def same(self, overrides: object) -> bool:
        """Whether it is the job of these overrides, in any order."""
        return isinstance(overrides, list | tuple) and sorted(self.overrides) == sorted(overrides)

    def is_alive(self) -> bool:
        """Whether its process is known to run on this machine, or its Slurm job is still in the queue."""
        if self.slurm:
            return self.status == RUNNING and self.slurm != slurm_job() and is_queued(self.slurm)
        if self.status != RUNNING or self.host != socket.gethostname() or self.pid == os.getpid():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True


def slurm_job() -> str:
    """The number of the Slurm job that this process is part of; empty outside."""
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array else os.environ.get("SLURM_JOB_ID", "")


def is_queued(slurm: str) -> bool:
    """Whether a Slurm job waits or runs; no, where there is no Slurm to ask."""
    command = ["squeue", "--noheader", f"--jobs={slurm}", "--format=%T"]
    try:
        return bool(subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout.strip())
    except (OSError, subprocess.TimeoutExpired):
        return False


def write_job(folder: Path, job: Job) -> None:
    """Write a job's status file."""
    write_atomically(folder / STATUS, lambda file: file.write(json.dumps(asdict(job), indent=1).encode()))


def read_job(folder: Path) -> Job | None:
    """The job of a folder; None where there is none."""
    try:
        known = json.loads((folder / STATUS).read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    objective = known.pop("objective")
    return Job(**known | {"overrides": tuple(known["overrides"]), "objective": objective and Objective(**objective)})


def find_jobs(sweep: Path) -> Iterator[tuple[Path, Job]]:
    """Every job below a sweep's folder, in the order of their names, numbers as numbers."""
    folders = [path.parent for path in sweep.rglob(STATUS)]
    for folder in sorted(folders, key=lambda path: (len(path.name) if path.name.isdigit() else 99, str(path))):
        if job := read_job(folder):
            yield folder, job


def sweep_folder() -> Path | None:
    """The folder of the sweep that this process is a job of; None outside a sweep."""
    if not HydraConfig.initialized():
        return None
    config = HydraConfig.get()
    return None if OmegaConf.is_missing(config.job, "num") else Path(config.sweep.dir)


def reported(task: Callable[[DictConfig], Objective | None]) -> Callable[[DictConfig], float | None]:
    """The task as Hydra takes it, which in a sweep keeps its status file, and does nothing that was done before."""

    @functools.wraps(task)
    def job(cfg: DictConfig) -> float | None:
        if sweep_folder() is None or not is_first():
            with contextlib.suppress(PrunedError):  # on ranks other than the first
                return _value(task(cfg))
            return None
        folder = Path(HydraConfig.get().runtime.output_dir)
        overrides = tuple(HydraConfig.get().overrides.task)
        known = read_job(folder)
        if known and known.same(overrides):
            if known.status in ENDED:
                log.info("%s was done already.", folder)
                return _value(known.objective)
            if known.is_alive():
                worker = f"Slurm's job {known.slurm}" if known.slurm else f"process {known.pid}"
                raise InputError(f"{folder} is being worked on by {worker}: wait for it, or end it.")
        mine = Job(overrides, RUNNING, socket.gethostname(), os.getpid(), time.time(), slurm=slurm_job())
        write_job(folder, mine)
        try:
            objective = task(cfg)
        except PrunedError as pruned:
            write_job(folder, replace(mine, status=PRUNED, ended=time.time(), error=str(pruned)))
            return None
        except BaseException as error:
            told_to_stop = isinstance(error, KeyboardInterrupt) or (
                isinstance(error, SystemExit) and error.code in SAVED
            )
            status = INTERRUPTED if told_to_stop else FAILED
            write_job(folder, replace(mine, status=status, ended=time.time(), error=last_line(error)))
            raise
        write_job(folder, replace(mine, status=DONE, ended=time.time(), objective=objective))
        return _value(objective)

    return job


def _value(objective: Objective | None) -> float | None:
    return None if objective is None else objective.value


def last_line(error: BaseException) -> str:
    """The line that a traceback would end with."""
    line = next((line for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
