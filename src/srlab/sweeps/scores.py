"""The scores of a sweep over images as one table: a benchmark, each of whose images was a job of its own."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from srlab.evaluation.results import MEAN, Result, print_means, read_results, write_results
from srlab.sweeps.jobs import DONE, Job, find_jobs

RESULTS = "results.csv"
IMAGE = ("data.index", "data.image", "data.hr")
"""The options that name a job's image."""


def join_scores(sweep: Path) -> list[Result]:
    """Write `results.csv` into the folder of a sweep over images, and print its means.

    A row is named for its network, and for the settings in which the jobs differ beside the image. Nothing is done for
    other sweeps, and for those over protocols, whose scores have no mean.
    """
    jobs = [(folder, job) for folder, job in find_jobs(sweep) if job.status == DONE and (folder / RESULTS).is_file()]
    asked = [_settings(job) for _, job in jobs]
    differing = {name for one in asked for name in one if len({other.get(name) for other in asked}) > 1}
    if not differing & set(IMAGE):
        return []
    rows: dict[tuple[str, str, str, str, int], Result] = {}
    for (folder, _), own in zip(jobs, asked, strict=True):
        label = " ".join(f"{name}={own[name]}" for name in sorted(differing - set(IMAGE)) if name in own)
        for row in _images(read_results(folder / RESULTS)):
            named = replace(row, network=f"{row.network} {label}".rstrip())
            rows.setdefault((named.network, row.dataset, row.image, row.metric, row.scale), named)
    if len({row.protocol_hash for row in rows.values()}) != 1:
        return []
    results = [*rows.values(), *_means(list(rows.values()))]
    write_results(sweep / RESULTS, results)
    print_means(results)
    return results


def _images(results: Sequence[Result]) -> list[Result]:
    return [row for row in results if row.image != MEAN]


def _means(rows: Sequence[Result]) -> list[Result]:
    """The mean over its images of each network, scale, dataset and metric."""
    groups: dict[tuple[str, int, str, str], list[Result]] = {}
    for row in rows:
        groups.setdefault((row.network, row.scale, row.dataset, row.metric), []).append(row)
    return [
        replace(group[0], image=MEAN, value=fmean(r.value for r in group), seconds=fmean(r.seconds for r in group))
        for group in groups.values()
    ]


def _settings(job: Job) -> dict[str, str]:
    parts = (override.partition("=") for override in job.overrides)
    return {name.lstrip("+~"): value for name, _, value in parts}
