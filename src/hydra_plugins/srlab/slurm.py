"""`hydra/launcher=slurm`: the jobs of a sweep as one array, through submitit, with the ending that its launcher lacks.

That one gives up at the first job that fails, while others run, and loses what they came to.
"""

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, configure_log
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from srlab.errors import InputError
from srlab.sweeps.jobs import ENDED, FAILED, RUNNING, Job, read_job, write_job
from srlab.sweeps.planning import Planned, asked_of, plan_jobs, quoted, returned_job

log = logging.getLogger(__name__)

OF_EXECUTOR = ("submitit_folder", "max_num_timeout")
OF_ANY_CLUSTER = ("timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes", "name")
"""Options that submitit calls alike on all clusters; it calls the others `slurm_<name>`."""


class PatientSlurmLauncher(Launcher):
    """Submit what a sweep lacks as one array, and wait for all of it, for jobs too that are queued again or that fail.

    Args:
        options: of submitit's launcher.

    Raises:
        InputError: submitit's launcher is not installed.
    """

    def __init__(self, **options: Any) -> None:
        try:
            from hydra_plugins.hydra_submitit_launcher.submitit_launcher import SlurmLauncher
        except ImportError as error:
            raise InputError('hydra/launcher=slurm needs submitit: pip install "srlab[sweep]".') from error
        self.inner = SlurmLauncher(**options)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.config = hydra_context, config
        self.inner.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run each job; none that fails ends the others."""
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        sweep = Path(self.config.hydra.sweep.dir)
        sweep.mkdir(parents=True, exist_ok=True)
        planned = plan_jobs(self.hydra_context, self.config, job_overrides, initial_job_idx)
        missing = [one for one in planned if not _is_done(one)]
        array = dict(zip((one.number for one in missing), self._submitted(missing, sweep), strict=True))
        return [self._returned(one, array.get(one.number)) for one in planned]

    def _submitted(self, planned: Sequence[Planned], sweep: Path) -> Sequence[Any]:
        """Submitit's jobs."""
        import submitit

        if not planned:
            return []
        options = self.inner.params
        executor = submitit.AutoExecutor(
            options["submitit_folder"], cluster="slurm", slurm_max_num_timeout=options["max_num_timeout"]
        )
        resources = {name: value for name, value in options.items() if name not in OF_EXECUTOR}
        executor.update_parameters(
            **{name if name in OF_ANY_CLUSTER else f"slurm_{name}": value for name, value in resources.items()}
        )
        state = Singleton.get_state()
        arguments = []
        for one in planned:
            place = f"hydra.sweep.subdir={quoted(Path(os.path.relpath(one.folder, sweep.resolve())))}"
            arguments.append(([*one.overrides, place], "hydra.sweep.dir", one.number, str(one.number), state))
        jobs = executor.map_array(self.inner, *zip(*arguments, strict=True))
        log.info("%d jobs, the array %s, in %s", len(jobs), jobs[0].job_id.partition("_")[0], sweep)
        return list(jobs)

    @staticmethod
    def _returned(planned: Planned, job: Any) -> JobReturn:
        """What a job came to, once it ends; None for one that was done before."""
        died = "it ended, and told no result" if job is None else _awaited(job)
        known = read_job(planned.folder) or Job(tuple(asked_of(planned.overrides)), FAILED, error=died)
        if known.status == RUNNING:
            known = replace(known, status=FAILED, error=died)
        if known.status == FAILED:
            planned.folder.mkdir(parents=True, exist_ok=True)
            write_job(planned.folder, known)
        log.info("%s: %s %s", planned.name, known.status, known.error)
        return returned_job(planned, known)


def _is_done(planned: Planned) -> bool:
    job = read_job(planned.folder)
    return job is not None and job.status in ENDED and job.same(asked_of(planned.overrides))


def _awaited(job: Any) -> str:
    """Wait for a job's end; what is to be said of it if it told no result."""
    from submitit.core.utils import FailedJobError, UncompletedJobError

    try:
        job.results()
    except (FailedJobError, UncompletedJobError):
        lines = [line for line in (job.stderr() or "").splitlines() if line.strip()]
        return f"Slurm's job {job.job_id} ended ({job.state}): {lines[-1] if lines else 'it wrote nothing'}"
    return "it ended, and told no result"
