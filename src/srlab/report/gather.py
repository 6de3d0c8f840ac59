"""Read what runs left behind: scores, curves, settings. A folder without `results.csv` is no run."""

import csv
import json
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import torch
from omegaconf import OmegaConf

from srlab.build import build
from srlab.errors import InputError
from srlab.evaluation.metrics import best_first, higher_is_better
from srlab.evaluation.results import MEAN, Result, read_results
from srlab.networks.cost import Cost, cost
from srlab.report.names import Parts, parts_of

log = logging.getLogger(__name__)

POINTS = 200
"""Of a curve: as many as a plot can show."""

Curves = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Run:
    """A run folder, or a study's folder.

    Attributes:
        folder: where it lies.
        overrides: what was typed to start it.
        seed: of the run; None where there is no configuration.
        results: the rows of its `results.csv`.
        curves: of `metrics.csv`, by metric: (iteration, value).
        config: the resolved configuration; empty for a study.
    """

    folder: Path
    overrides: list[str]
    seed: int | None
    results: list[Result]
    curves: Curves = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def setting(self) -> str:
        """What it has in common with runs of other seeds."""
        return " ".join(parts_of(str(self.config.get("network_name", self.folder.name)), self.overrides))

    def owns(self, network: str) -> bool:
        """Whether a network of the results is the run's own, or one of its outputs ("prior, average"): no baseline."""
        own = str(self.config.get("network_name"))
        return network == own or network.startswith(f"{own}, ")


@dataclass(frozen=True)
class Row:
    """A line of the leaderboard: the runs of a setting under one protocol, on one dataset at one scale.

    Attributes:
        parts: the setting; of a baseline, its name alone.
        own: whether the runs made it, and did not score it beside their own.
        values: of each metric the mean over the runs, their standard deviation (None for one run), and its unit.
        seeds: how many runs.
        folders: of the runs.
    """

    parts: Parts
    own: bool
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

    @property
    def setting(self) -> str:
        """All of its parts."""
        return " ".join(self.parts)


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
    return Run(
        folder,
        overrides_of(folder),
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


class Key(NamedTuple):
    """What rows of one line of the leaderboard have in common."""

    parts: Parts
    own: bool
    protocol: str
    protocol_hash: str
    dataset: str
    scale: int


def leaderboard(runs: Iterable[Run]) -> list[Row]:
    """A row for each setting, protocol, dataset and scale; the best of a table first.

    Rows of two protocol hashes are never of one table. A baseline that every run of a sweep scores anew is one row.
    """
    groups: dict[Key, list[tuple[Run, list[Result]]]] = {}
    for run in runs:
        means: dict[Key, list[Result]] = {}
        for row in run.results:
            if row.image == MEAN:
                own = run.owns(row.network)
                parts = parts_of(row.network, run.overrides) if own else (row.network,)
                means.setdefault(Key(parts, own, row.protocol, row.protocol_hash, row.dataset, row.scale), []).append(
                    row
                )
        for key, rows in means.items():
            groups.setdefault(key, []).append((run, rows))
    table = [row_of(key, members) for key, members in groups.items()]
    return sorted(table, key=order)


def row_of(key: Key, members: list[tuple[Run, list[Result]]]) -> Row:
    found: dict[tuple[str, str], list[float]] = {}
    for _, rows in members:
        for row in rows:
            found.setdefault((row.metric, row.unit), []).append(row.value)
    values = {
        metric: (fmean(some), spread(some) if len(some) > 1 else None, unit) for (metric, unit), some in found.items()
    }
    framework = members[0][0].config.get("framework") if key.own else None
    facts = cost_of(json.dumps(framework, sort_keys=True)) if framework else None
    return Row(
        *key,
        values,
        fmean(row.seconds for _, rows in members for row in rows),
        len(members),
        [str(run.folder) for run, _ in members],
        facts.parameters if facts else None,
        facts.multiply_adds if facts else None,
    )


def spread(values: list[float]) -> float:
    """The standard deviation; nan where one of them is no finite number."""
    return stdev(values) if all(map(math.isfinite, values)) else math.nan


def order(row: Row) -> tuple[object, ...]:
    metric = next(iter(row.values))
    return row.protocol_hash, row.dataset, row.scale, best_first(row.values[metric][0], higher_is_better(metric))


@cache
def cost_of(framework: str) -> Cost | None:
    """Parameters and multiply-adds of a composition; None where it cannot be built here."""
    try:
        with torch.device("meta"):
            network = build(OmegaConf.create(json.loads(framework)))
        return cost(network)
    except Exception as error:  # a part of another package, or one that does not count: the table does without
        log.info("No cost of a network: %s", error)
        return None
