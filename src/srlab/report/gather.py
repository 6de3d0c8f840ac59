"""Read what runs left behind: scores, curves, settings. A folder without `results.csv` is no run."""

import csv
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from omegaconf import OmegaConf

from srlab.build import build
from srlab.errors import InputError
from srlab.evaluation.metrics import higher_is_better
from srlab.evaluation.results import MEAN, Result, read_results
from srlab.networks.cost import Cost, cost

log = logging.getLogger(__name__)

POINTS = 200
"""Of a curve: as many as a plot can show."""

NO_SETTING = ("seed=", "hydra.", "logger", "callbacks", "resume=", "trainer.enable", "run_dir=", "+run_dir=")
"""Overrides that do not make another setting."""

Curves = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Run:
    """A run folder, or a study's folder.

    Attributes:
        folder: where it lies.
        setting: what it has in common with runs of other seeds: the network's name and the other overrides.
        seed: of the run; None where there is no configuration.
        results: the rows of its `results.csv`.
        curves: of `metrics.csv`, by metric: (iteration, value).
        config: the resolved configuration; empty for a study.
    """

    folder: Path
    setting: str
    seed: int | None
    results: list[Result]
    curves: Curves = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A line of the leaderboard: the runs of a setting under one protocol, on one dataset at one scale.

    Attributes:
        values: of each metric the mean over the runs, their standard deviation (None for one run), and its unit.
        seeds: how many runs.
        folders: of the runs.
    """

    setting: str
    protocol: str
    protocol_hash: str
    dataset: str
    scale: int
    values: dict[str, tuple[float, float | None, str]]
    seconds: float
    seeds: int
    folders: list[str]
    parameters: int | None = None
    multiply_adds: int | None = None


def find_runs(root: Path) -> list[Run]:
    """The runs in a folder and below, sorted by their folders; what cannot be read is named and left out.

    Raises:
        InputError: there is none.
    """
    runs = []
    for path in sorted(root.rglob("results.csv") if root.is_dir() else []):
        try:
            runs.append(read_run(path.parent))
        except InputError as fault:
            log.warning("%s", fault)
    if not runs:
        raise InputError(
            f"{root}: no run with a results.csv lies there: give a run, a sweep, or the folder of experiments."
        )
    return runs


def read_run(folder: Path) -> Run:
    """One run's scores, curves and setting."""
    results = read_results(folder / "results.csv")
    path = folder / "config.yaml"
    config = OmegaConf.to_container(OmegaConf.load(path)) if path.is_file() else {}
    assert isinstance(config, dict)
    names = {row.network for row in results}
    own = config.get("network_name")
    setting = str(own) if own in names else ""
    changed = [item for item in overrides_of(folder) if not item.startswith(NO_SETTING) and item not in setting]
    changed = [item for item in changed if item != f"network={setting.split()[0] if setting else ''}"]
    label = " ".join([setting, *sorted(changed)]).strip()
    return Run(
        folder,
        label,
        config.get("seed"),
        results,
        curves_of(folder / "metrics.csv"),
        {str(k): v for k, v in config.items()},
    )


def overrides_of(folder: Path) -> list[str]:
    """What was typed to start the run."""
    path = folder / ".hydra/overrides.yaml"
    items = OmegaConf.to_container(OmegaConf.load(path)) if path.is_file() else []
    return [str(item) for item in items] if isinstance(items, list) else []


def curves_of(path: Path) -> Curves:
    """The validation means and the total loss, thinned out evenly."""
    if not path.is_file():
        return {}
    curves: Curves = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            name = row["metric"]
            if name == "train/loss" or (name.startswith("val/") and name.count("/") == 1):
                curves.setdefault(name, []).append((int(float(row["iteration"])), float(row["value"])))
    return {name: thinned(points) for name, points in curves.items()}


def thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    step = -(-len(points) // POINTS)
    return points[:-1:step] + points[-1:] if step > 1 else points


def leaderboard(runs: Iterable[Run]) -> list[Row]:
    """A row for each setting, protocol, dataset and scale; the best of a table first.

    Rows of two protocol hashes are never of one table. A baseline that every run of a sweep scores anew is one row.
    """
    groups: dict[tuple[str, str, str, str, int], list[tuple[Run, list[Result]]]] = {}
    for run in runs:
        means: dict[tuple[str, str, str, str, int], list[Result]] = {}
        for row in run.results:
            if row.image == MEAN:
                setting = run.setting if row.network == run.config.get("network_name") else row.network
                means.setdefault((setting, row.protocol, row.protocol_hash, row.dataset, row.scale), []).append(row)
        for key, rows in means.items():
            groups.setdefault(key, []).append((run, rows))
    table = [row_of(key, members) for key, members in groups.items()]
    return sorted(table, key=order)


def row_of(key: tuple[str, str, str, str, int], members: list[tuple[Run, list[Result]]]) -> Row:
    found: dict[tuple[str, str], list[float]] = {}
    for _, rows in members:
        for row in rows:
            found.setdefault((row.metric, row.unit), []).append(row.value)
    values = {
        metric: (fmean(some), stdev(some) if len(some) > 1 else None, unit) for (metric, unit), some in found.items()
    }
    setting, protocol, digest, dataset, scale = key
    first = members[0][0]
    own = setting == first.setting and "framework" in first.config
    facts = cost_of(json.dumps(first.config["framework"], sort_keys=True)) if own else None
    return Row(
        setting,
        protocol,
        digest,
        dataset,
        scale,
        values,
        fmean(row.seconds for _, rows in members for row in rows),
        len(members),
        [str(run.folder) for run, _ in members],
        facts.parameters if facts else None,
        facts.multiply_adds if facts else None,
    )


def order(row: Row) -> tuple[object, ...]:
    metric = next(iter(row.values))
    value = row.values[metric][0]
    return row.protocol_hash, row.dataset, row.scale, -value if higher_is_better(metric) else value


@cache
def cost_of(framework: str) -> Cost | None:
    """Parameters and multiply-adds of a composition; None where it cannot be built here."""
    try:
        with torch.device("meta"):
            return cost(build(OmegaConf.create(json.loads(framework))))
    except Exception as error:  # a part of another package, or one that does not count: the table does without
        log.info("No cost of a network: %s", error)
        return None
