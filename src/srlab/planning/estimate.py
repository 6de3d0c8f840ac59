"""From a command line to its jobs, and from what a few steps took to hours."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig

from srlab.errors import InputError
from srlab.planning.measure import Measured

COSTLESS = re.compile(
    r"\+*(seed|iterations|optimizer(_\w)?\.(lr|betas|eps|weight_decay)|scheduler\.\w+|training\.ema_decay|loss\.\w+\.weight"
    r"|network_name|trainer\.(val_check_interval|devices|num_nodes|strategy))="
)
"""Numbers that change what is learned, or how often, but not what a step takes: jobs that differ in them alone share a
measurement."""


@dataclass(frozen=True)
class Job:
    """One job of a sweep.

    Attributes:
        overrides: its line.
        iterations, validations: in the run.
        devices: that it holds, of all nodes.
    """

    overrides: tuple[str, ...]
    iterations: int
    validations: int
    devices: int

    @property
    def costly(self) -> tuple[str, ...]:
        """What of its line changes what a step takes."""
        return tuple(override for override in self.overrides if not COSTLESS.match(override))


@dataclass(frozen=True)
class Estimate:
    """What a job will take.

    Attributes:
        job: it.
        measured: a few of its steps, on one device.
        efficiency: what a device does among all of the job, of what it does alone.
    """

    job: Job
    measured: Measured
    efficiency: float = 1.0

    @property
    def hours(self) -> float:
        """From start to end."""
        share = self.efficiency if self.job.devices > 1 else 1.0
        training = self.job.iterations * self.measured.step_seconds / share
        validating = self.job.validations * self.measured.validation_seconds / self.job.devices
        return (self.measured.start_seconds + training + validating) / 3600

    @property
    def device_hours(self) -> float:
        """Hours of all devices."""
        return self.hours * self.job.devices


def jobs_of(arguments: Sequence[str]) -> list[tuple[str, ...]]:
    """The override lines of a sweep's jobs, as Hydra's own sweeper makes them.

    Raises:
        InputError: a range of which only another sweeper knows how many values it takes.
    """
    asked = [argument for argument in arguments if not re.match(r"hydra[./](?!searchpath)", argument)]
    try:
        [jobs] = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(asked), None)
    except HydraException as error:
        raise InputError(
            f"{error}. Give one value of each that a sweeper chooses, and multiply by its trials."
        ) from error
    return [tuple(job) for job in jobs]


def job_of(overrides: Sequence[str], cfg: DictConfig, visible_gpus: int) -> Job:
    """What of a composed configuration counts for an estimate."""
    interval = min(int(cfg.trainer.val_check_interval), cfg.iterations)
    devices = device_count(cfg.trainer.devices, visible_gpus) * int(cfg.trainer.num_nodes)
    return Job(tuple(overrides), cfg.iterations, cfg.iterations // interval, devices)


def device_count(devices: Any, visible_gpus: int) -> int:
    """Devices of a node, as Lightning reads `trainer.devices`: a number, a list of them, auto, or -1 for all."""
    if devices in ("auto", -1, "-1"):
        return max(1, visible_gpus)
    if isinstance(devices, int):
        return devices
    listed = devices.split(",") if isinstance(devices, str) else list(devices)
    return (
        int(listed[0]) if isinstance(devices, str) and len(listed) == 1 else len([each for each in listed if str(each)])
    )


def rows_of(estimates: Sequence[Estimate]) -> list[dict[str, str]]:
    """A line for each group of jobs that take the same, what all have in common left out, and one for the sum."""
    groups: dict[tuple[Any, ...], list[Estimate]] = {}
    for estimate in estimates:
        job = estimate.job
        groups.setdefault((job.costly, job.iterations, job.validations, job.devices), []).append(estimate)
    shared = set.intersection(*(set(estimate.job.overrides) for estimate in estimates))
    rows = []
    for same in groups.values():
        first = same[0]
        differing = set.intersection(*(set(estimate.job.overrides) for estimate in same)) - shared
        rows.append(
            {
                "jobs": str(len(same)),
                "of": " ".join(each for each in first.job.overrides if each in differing) or "the whole line",
                "iterations/s": f"{1 / first.measured.step_seconds:.3g}",
                "validation (s)": f"{first.measured.validation_seconds:.2f}",
                "GPU memory (GB)" if first.measured.on_gpu else "memory (GB)": f"{first.measured.memory_gb:.2f}",
                "devices": str(first.job.devices),
                "hours a job": f"{first.hours:.3g}",
                "device-hours": f"{sum(estimate.device_hours for estimate in same):.3g}",
            }
        )
    return rows


def totals(estimates: Sequence[Estimate], at_a_time: int) -> Mapping[str, float]:
    """Of a sweep: its device-hours, and the hours from its start to its end with so many jobs at a time, in order."""
    free = [0.0] * max(1, min(at_a_time, len(estimates)))
    for estimate in estimates:
        soonest = free.index(min(free))
        free[soonest] += estimate.hours
    return {"hours": max(free), "device_hours": sum(estimate.device_hours for estimate in estimates)}
