"""Read back what a run told W&B, from its own files: no server, no account.

A run that was resumed has a file a start. Each later one stands for all from its first iteration on: what a kill let its
predecessor say beyond the last checkpoint is said again, alike.
"""

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from srlab.errors import InputError
from srlab.evaluation.metrics import FACTS

AXIS = "trainer/global_step"
"""The iteration: the x axis of every curve."""
SCORES = "test/scores"
"""The table of all images' scores."""
FILES = "wandb/*run-*/run-*.wandb"
INNER = ("_wandb", "_step", "_runtime", "_timestamp", AXIS)
"""What W&B adds to what it is told."""


@dataclass
class Image:
    """A picture of a run.

    Attributes:
        name: under which it was logged ("val/set5/baby").
        iteration: when.
        path: the file.
        caption: what W&B shows with it.
    """

    name: str
    iteration: int
    path: Path
    caption: str


@dataclass
class OfflineRun:
    """What W&B would show of a run.

    Attributes:
        id: the same in every start.
        project, group, name: where it stands.
        starts: how often it was started, with a record of it.
        config: as it was logged, and `units` of the metrics.
        summary: the last value of each metric; of scores, `{"max" or "min": ..., "last": ...}`.
        history: iteration -> name -> number.
        images: in the order of their iterations.
        tables: name -> rows, each a mapping from column to cell.
        artifacts: name -> type, files (name -> path where it lies), metadata.
        system: records of the machine's load.
        exit_code: of the last start; None where it did not end by itself.
    """

    id: str = ""
    project: str = ""
    group: str = ""
    name: str = ""
    starts: int = 0
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: dict[int, dict[str, float]] = field(default_factory=dict)
    images: list[Image] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    system: list[dict[str, float]] = field(default_factory=list)
    exit_code: int | None = None

    def curve(self, metric: str) -> dict[int, float]:
        """A metric by iteration."""
        return {iteration: row[metric] for iteration, row in self.history.items() if metric in row}


def read_run(folder: Path) -> OfflineRun:
    """Read the W&B files of a run folder, all starts as one.

    Raises:
        InputError: there are none, or of several runs.
    """
    files = sorted(folder.glob(FILES), key=lambda path: path.parent.name.split("run-")[-1])
    if not files:
        raise InputError(
            f"{folder} holds no W&B run: expected {FILES}. Give a run folder whose logger has wandb in it."
        )
    if len({path.name for path in files}) > 1:
        raise InputError(f"{folder} holds several W&B runs, {', '.join(sorted({p.name for p in files}))}: give one's.")
    run = OfflineRun()
    for path in files:
        _read_start(run, path)
    for iteration in sorted(run.history):
        for name, value in run.history[iteration].items():
            _summarise(run.summary, name, value)
    return run


def records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record of a `.wandb` file, its kind and content, up to where a kill cut it; by wandb's own reader."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"{path} cannot be read: {done.stderr.strip() or done.stdout.strip()}")
    for line in done.stdout.splitlines():
        record = json.loads(line)
        yield record["type"], record.get(record["type"]) or {}


def _read_start(run: OfflineRun, path: Path) -> None:
    run.starts, run.exit_code, begun = run.starts + 1, None, False
    for kind, content in records(path):
        if kind == "run":
            run.id, run.project = content["run_id"], content.get("project", "")
            run.group, run.name = content.get("run_group", ""), content.get("display_name", "")
        elif kind == "config":
            run.config |= {name: value for name, value in content.get("update", {}).items() if name not in INNER}
        elif kind == "stats":
            run.system.append(content.get("item", {}))
        elif kind == "exit":
            run.exit_code = content.get("exit_code", 0)
        elif kind == "artifact" and not content.get("name", "").startswith("run-"):  # W&B's own, of tables
            run.artifacts[content["name"]] = _artifact(content)
        elif kind == "summary":
            own = content.get("update", {})
            tested = {name: _number(own[name]) for name in own if name.startswith("test/")}
            run.summary |= {name: value for name, value in tested.items() if value is not None and SCORES not in name}
        elif kind == "history":
            item = content.get("item", {})
            iteration = int(item.get(AXIS, content.get("step", {}).get("num", 0)))
            if not begun:
                _forget_from(run, iteration)
                begun = True
            _read_row(run, iteration, item, path.parent / "files")


def _forget_from(run: OfflineRun, iteration: int) -> None:
    run.history = {i: row for i, row in run.history.items() if i < iteration}
    run.images = [image for image in run.images if image.iteration < iteration]


def _read_row(run: OfflineRun, iteration: int, item: Mapping[str, Any], files: Path) -> None:
    media = {name.removesuffix("._type"): kind for name, kind in item.items() if name.endswith("._type")}
    for name, kind in media.items():
        if kind == "images/separated":
            captions = item.get(f"{name}.captions") or [""] * len(item[f"{name}.filenames"])
            run.images += [
                Image(name, iteration, files / file, caption)
                for file, caption in zip(item[f"{name}.filenames"], captions, strict=True)
            ]
        elif kind == "table-file":
            table = json.loads((files / item[f"{name}.path"]).read_text())
            run.tables[name] = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    numbers = {
        name: number
        for name, value in item.items()
        if name not in INNER
        and not any(name.startswith(f"{one}.") for one in media)
        and (number := _number(value)) is not None
    }
    run.history.setdefault(iteration, {}).update(numbers)


def _number(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else None


def _summarise(summary: dict[str, Any], name: str, value: float) -> None:
    facts = FACTS.get(name.rpartition("/")[2])
    if facts is None:
        summary[name] = value
        return
    best, better = ("max", max) if facts.higher_is_better else ("min", min)
    known = summary.get(name, {}).get(best, value)
    summary[name] = {best: known if math.isnan(value) else better(known, value), "last": value}


def _artifact(content: Mapping[str, Any]) -> dict[str, Any]:
    contents = content.get("manifest", {}).get("contents", [])
    return {
        "type": content.get("type", ""),
        "files": {entry["path"]: entry.get("local_path", "") for entry in contents},
        "metadata": json.loads(content.get("metadata") or "{}"),
    }
