"""The table of a sweep: all jobs, best first, the failed ones with their reason, and means over repeated seeds."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev

from rich.console import Console
from rich.table import Table

from srlab.files import write_atomically
from srlab.sweeps.jobs import DONE, RUNNING, Job, find_jobs

SWEEP = "sweep.csv"
OVER = ("seed",)
"""The overrides over which jobs are repeats of each other."""
MEAN = "mean"


@dataclass(frozen=True)
class Line:
    """A job, or the mean of several.

    Attributes:
        job: its folder, below the sweep's; `mean` for a mean.
        status: of the job; `done` for a mean, of which only the jobs that are done are part.
        settings: the overrides in which the jobs of the sweep differ; without those that a mean is over.
        metric: the name of the value.
        value: None where there is none.
        spread: the standard deviation of a mean's jobs (of a sample: over n - 1).
        runs: how many jobs a mean is of.
        seconds: that a job took since its last start; of a mean, the mean.
        note: the reason of a failure.
    """

    job: str
    status: str
    settings: dict[str, str]
    metric: str = ""
    value: float | None = None
    spread: float | None = None
    runs: int = 1
    seconds: float | None = None
    note: str = ""
    higher_is_better: bool = True


def lines_of(sweep: Path, over: Sequence[str] = OVER) -> list[Line]:
    """The means, best first, then the jobs, best first and those without a value last.

    Args:
        sweep: the folder.
        over: the overrides over which jobs are averaged: the seed; the image, where each job is one of a benchmark's.
    """
    found = list(find_jobs(sweep))
    asked = [dict(_setting(override) for override in job.overrides) for _, job in found]
    differing = [
        name
        for name in dict.fromkeys(name for one in asked for name in one)
        if len({one.get(name) for one in asked}) > 1
    ]
    jobs = [
        _line(str(folder.relative_to(sweep)), job, {name: one.get(name, "") for name in differing})
        for (folder, job), one in zip(found, asked, strict=True)
    ]
    return [*_best_first(_means(jobs, over)), *_best_first(jobs)]


def write_table(sweep: Path, over: Sequence[str] = OVER) -> list[Line]:
    """Write `sweep.csv` into a sweep's folder; give what it says."""
    lines = lines_of(sweep, over)
    if not lines:
        return lines
    names = list(lines[-1].settings)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["job", "status", *names, "metric", "value", "spread", "runs", "seconds", "note"])
    for line in lines:
        settings = [line.settings.get(name, "") for name in names]
        numbers = ["" if number is None else number for number in (line.value, line.spread, line.runs, line.seconds)]
        writer.writerow([line.job, line.status, *settings, line.metric, *numbers, line.note])
    write_atomically(sweep / SWEEP, lambda file: file.write(text.getvalue().encode()))
    return lines


def print_table(sweep: Path, lines: Sequence[Line], console: Console | None = None) -> None:
    """Print a sweep's lines, and how many of its jobs are done."""
    jobs = [line for line in lines if line.job != MEAN]
    if not jobs:
        return
    metric = next((line.metric for line in lines if line.metric), "value")
    table = Table(title=f"{sweep}: {sum(line.status == DONE for line in jobs)} of {len(jobs)} jobs done")
    for heading in ("job", *jobs[0].settings, metric, "seconds", "status"):
        table.add_column(heading, justify="right" if heading in {metric, "seconds"} else "left", overflow="fold")
    for line in lines:
        value = "" if line.value is None else f"{line.value:.4f}"
        if line.spread is not None:
            value += f" ± {line.spread:.4f} (n = {line.runs})"
        settings = [line.settings.get(name, "") for name in jobs[0].settings]
        seconds = "" if line.seconds is None else f"{line.seconds:.0f}"
        status = f"{line.status}: {line.note}" if line.note else line.status
        table.add_row(line.job, *settings, value, seconds, status.replace("[", r"\["))
    (console or Console(width=None if Console().is_terminal else 160)).print(table)


def _line(name: str, job: Job, settings: dict[str, str]) -> Line:
    seconds = job.ended - job.begun if job.ended else None
    note = job.error
    if job.status == RUNNING and not job.is_alive():
        worker = f"Slurm's job {job.slurm}" if job.slurm else f"process {job.pid} of {job.host}"
        note = f"no end is known: it runs elsewhere than here, or was killed ({worker})"
    if job.objective is None:
        return Line(name, job.status, settings, seconds=seconds, note=note)
    came_to = job.objective
    return Line(
        name,
        job.status,
        settings,
        came_to.metric,
        came_to.value,
        seconds=seconds,
        note=note,
        higher_is_better=came_to.higher_is_better,
    )


def _means(jobs: Sequence[Line], over: Sequence[str]) -> list[Line]:
    groups: dict[tuple[tuple[str, str], ...], list[Line]] = {}
    for line in jobs:
        if line.value is not None and math.isfinite(line.value):
            alike = tuple((name, value) for name, value in line.settings.items() if name not in over)
            groups.setdefault((*alike, ("", line.metric)), []).append(line)
    return [
        replace(
            group[0],
            job=MEAN,
            settings=dict(alike[:-1]),
            value=fmean(line.value or 0.0 for line in group),
            spread=stdev(line.value or 0.0 for line in group),
            runs=len(group),
            seconds=fmean(line.seconds or 0.0 for line in group),
            note="",
        )
        for alike, group in groups.items()
        if len(group) > 1
    ]


def _best_first(lines: Sequence[Line]) -> list[Line]:
    def place(line: Line) -> tuple[bool, float]:
        is_number = line.value is not None and line.value == line.value
        value = line.value if line.value is not None and is_number else 0.0
        return not is_number, -value if line.higher_is_better else value

    return sorted(lines, key=place)


def _setting(override: str) -> tuple[str, str]:
    name, _, value = override.partition("=")
    return name.lstrip("+~"), value
