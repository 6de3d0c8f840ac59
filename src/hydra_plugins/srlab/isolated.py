"""`hydra/launcher=isolated`: each job of a sweep is a process of its own, which starts as if its line had been typed alone.

A job that raises, exits or is killed leaves the others alone; several devices a job work; nothing of one job (random
state, environment, memory, a W&B run) reaches the next. Its output goes to `output.log` in its folder.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from hydra.core.utils import JobReturn, configure_log, setup_globals
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from srlab.errors import InputError
from srlab.ranks import LAUNCHED
from srlab.sweeps.jobs import ENDED, FAILED, RUNNING, Job, read_job, write_job
from srlab.sweeps.planning import Planned, asked_of, plan_jobs, quoted, returned_job

log = logging.getLogger(__name__)

OUTPUT = "output.log"
OURS = (
    "hydra.sweep.",
    "hydra.sweeper",
    "hydra/sweeper",
    "hydra.launcher",
    "hydra/launcher",
    "hydra.mode",
    "hydra.run.",
)
"""Overrides of Hydra's that say how the sweep is run, and not how a job is."""
GRACE_SECONDS = 60
"""What a job that is told to stop has to save in."""

POLL_SECONDS = 1


class IsolatedLauncher(Launcher):
    """Run a sweep's jobs as processes on this machine.

    A job's folder is the one that holds a job of the same overrides, else that of the next free number: a sweep that is
    run again in its folder does what is missing, with more values too.

    Args:
        n_jobs: how many run at a time.
        timeout_minutes: after which a job is told to stop, as by Ctrl-C, and counts as failed; None for never.
    """

    def __init__(self, n_jobs: int = 1, timeout_minutes: float | None = None) -> None:
        if n_jobs < 1:
            raise InputError(f"hydra.launcher.n_jobs={n_jobs}: give 1 or more.")
        self.n_jobs, self.timeout_minutes = n_jobs, timeout_minutes
        self.running: set[subprocess.Popen[bytes]] = set()
        self.is_stopping = threading.Event()

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run each job; none that fails ends the others."""
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        sweep = Path(self.config.hydra.sweep.dir)
        sweep.mkdir(parents=True, exist_ok=True)
        planned = plan_jobs(self.hydra_context, self.config, job_overrides, initial_job_idx)
        log.info("%d jobs, %d at a time, in %s", len(planned), self.n_jobs, sweep)
        with ThreadPoolExecutor(self.n_jobs) as pool:
            try:
                return list(pool.map(self._run, planned))
            except BaseException:
                self._stop_all()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _run(self, planned: Planned) -> JobReturn:
        name, folder = planned.name, planned.folder
        asked = asked_of(planned.overrides)
        job = read_job(folder)
        if self.is_stopping.is_set():
            return returned_job(planned, Job(tuple(asked), FAILED, error="the sweep was ended before"))
        if job and job.same(asked) and job.is_alive():  # of a sweep that was killed: its jobs live on
            log.info("%s is at work already, as process %d: waiting for its end", name, job.pid)
            job = self._awaited(folder)
        if job and job.status in ENDED and job.same(asked):
            log.info("%s was %s already, in %s", name, job.status, folder)
            return returned_job(planned, job)
        log.info("%s", name)
        begun = time.time()
        status = self._process(planned)
        job = read_job(folder)
        if not job or job.status == RUNNING or (job.status in ENDED and status):
            reason = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
            if last := _last_line(folder / OUTPUT):
                reason += f": {last}"
            job = (
                Job(tuple(asked), FAILED, begun=begun, ended=time.time(), error=reason)
                if not job
                else replace(job, status=FAILED, ended=time.time(), error=reason)
            )
            folder.mkdir(parents=True, exist_ok=True)
            write_job(folder, job)
        result = f"{job.objective.metric} {job.objective.value:.6g}" if job.objective else job.error
        log.info("%s: %s after %.0f s: %s", name, job.status, time.time() - begun, result)
        return returned_job(planned, job)

    def _awaited(self, folder: Path) -> Job | None:
        """What a job that another process runs came to."""
        while (job := read_job(folder)) and job.is_alive() and not self.is_stopping.is_set():
            time.sleep(POLL_SECONDS)
        return job

    def _process(self, planned: Planned) -> int:
        """The exit status of a job's process."""
        planned.folder.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if name not in LAUNCHED}
        with (planned.folder / OUTPUT).open("ab") as output:
            process = subprocess.Popen(
                self._command(planned),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is handed on below, once
            )
        self.running.add(process)
        try:
            return process.wait(self.timeout_minutes and self.timeout_minutes * 60)
        except subprocess.TimeoutExpired:
            log.warning("#%d is over its %g minutes: stopping it.", planned.number, self.timeout_minutes)
            return _stop(process) or 124
        finally:
            self.running.discard(process)

    def _command(self, planned: Planned) -> list[str]:
        module = sys.modules[self.task_function.__module__]
        name = module.__spec__.name if module.__spec__ else self.task_function.__module__
        hydra = self.config.hydra
        sources = hydra.runtime.config_sources
        folders = [source.path for source in sources if source.provider == "command-line" and source.schema == "file"]
        kept = [override for override in hydra.overrides.hydra if not override.lstrip("+~").startswith(OURS)]
        return [
            *(sys.executable, "-m", name),
            *(argument for folder in folders for argument in ("--config-dir", folder)),
            *planned.overrides,
            *kept,
            f"hydra.run.dir={quoted(planned.folder)}",
            f"hydra.sweep.dir={quoted(Path(hydra.sweep.dir).resolve())}",
            f"hydra.job.num={planned.number}",
            "hydra.mode=RUN",
        ]

    def _stop_all(self) -> None:
        """Let all running jobs save and end, as Ctrl-C does."""
        self.is_stopping.set()
        for process in list(self.running):
            _signal(process, signal.SIGINT)


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Let a process save and end, and end it if it does not; its exit status."""
    _signal(process, signal.SIGINT)
    try:
        return process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        return process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _last_line(path: Path) -> str:
    lines = [line.strip() for line in path.read_text(errors="replace").splitlines()] if path.exists() else []
    return next((line for line in reversed(lines) if line), "")
