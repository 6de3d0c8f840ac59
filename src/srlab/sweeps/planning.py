"""What the launchers of a sweep share: which jobs there are, where each has its folder, and what it came to."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext
from omegaconf import DictConfig, open_dict

from srlab.sweeps.jobs import ENDED, Job, find_jobs


class JobFailedError(RuntimeError):
    """A job of a sweep that came to nothing; the sweep's table has its reason."""


class Planned(NamedTuple):
    """A job and its place."""

    number: int
    name: str
    overrides: list[str]
    folder: Path
    config: DictConfig


def plan_jobs(
    context: HydraContext, config: DictConfig, job_overrides: Sequence[Sequence[str]], first: int
) -> list[Planned]:
    """Compose every job before one is started: a mistyped name is refused now.

    A job's folder is the one that holds a job of the same overrides, else that of the next free number: a sweep that is
    run again in its folder does what is missing, with more values too.
    """
    known = list(find_jobs(Path(config.hydra.sweep.dir)))
    shared = set.intersection(*(set(overrides) for overrides in job_overrides)) if len(job_overrides) > 1 else set()
    taken = {folder.resolve() for folder, _ in known}
    planned, number = [], first
    for overrides in map(list, job_overrides):
        asked = asked_of(overrides)
        folder = next((folder.resolve() for folder, job in known if job.same(asked)), None)
        if folder:
            composed = _composed(context, config, overrides, number)[0]
        else:
            composed, folder = _composed(context, config, overrides, number)
            while folder in taken:
                number += 1
                composed, folder = _composed(context, config, overrides, number)
        taken.add(folder)
        name = " ".join([f"#{number}", *(override for override in asked if override not in shared)])
        planned.append(Planned(number, name, overrides, folder, composed))
        number += 1
    return planned


def asked_of(overrides: Sequence[str]) -> list[str]:
    """What the job's own command line calls its overrides: all but those of Hydra itself."""
    return [override for override in overrides if not override.lstrip("+~").startswith("hydra.")]


def _composed(context: HydraContext, config: DictConfig, overrides: list[str], number: int) -> tuple[DictConfig, Path]:
    composed = context.config_loader.load_sweep_config(config, overrides)
    with open_dict(composed):
        composed.hydra.job.id, composed.hydra.job.num = str(number), number
    state = Singleton.get_state()
    HydraConfig.instance().set_config(composed)
    try:
        return composed, Path(composed.hydra.sweep.dir, composed.hydra.sweep.subdir).resolve()
    finally:
        Singleton.set_state(state)


def returned_job(planned: Planned, job: Job) -> JobReturn:
    """What a job came to, as a sweeper takes it."""
    returned = JobReturn(planned.overrides, planned.config, working_dir=str(planned.folder))
    returned.status = JobStatus.COMPLETED if job.status in ENDED else JobStatus.FAILED
    returned.return_value = job.objective and job.objective.value
    if job.status not in ENDED:
        returned.return_value = JobFailedError(f"{planned.folder}: {job.error}")
    return returned


def quoted(path: Path) -> str:
    """A path as an override takes it, whatever is in its name."""
    text = str(path).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
