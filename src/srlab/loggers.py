"""Where a run's numbers go: a CSV file that is always there, and Weights & Biases."""

import csv
import io
import os
import secrets
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb
from lightning.pytorch.loggers import Logger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from srlab.files import write_atomically

COLUMNS = ("iteration", "metric", "value")


class _Once(Logger):
    """A logger that passes over what it was told just before: an iteration is logged before it is saved, and after."""

    _last: tuple[int | None, dict[str, float]] | None = None

    def _repeated(self, metrics: Mapping[str, float], step: int | None) -> bool:
        told, self._last = self._last, (step, {name: value for name, value in metrics.items() if name != "epoch"})
        return told == self._last


class MetricsCSV(_Once):
    """`metrics.csv`, a row a metric and iteration: written as it comes, continued by a resumed run.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.path = Path(folder) / "metrics.csv"

    @property
    def name(self) -> str:
        return "csv"

    @property
    def version(self) -> str:
        return ""

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """The configuration lies beside, in config.yaml."""

    @rank_zero_only
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        if self._repeated(metrics, step):
            return
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(COLUMNS)
            writer.writerows((step, name, value) for name, value in metrics.items() if name != "epoch")

    @rank_zero_only
    def forget_after(self, iteration: int) -> None:
        """Drop what a killed run logged beyond the checkpoint from which it goes on."""
        if not self.path.exists():
            return
        with self.path.open(newline="") as file:
            header, *rows = list(csv.reader(file)) or [list(COLUMNS)]
        kept = [row for row in rows if len(row) == len(COLUMNS) and int(row[0]) <= iteration]
        text = io.StringIO()
        csv.writer(text).writerows([header, *kept])
        write_atomically(self.path, lambda file: file.write(text.getvalue().encode()))


class _Wandb(_Once, WandbLogger):
    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        if not self._repeated(metrics, step):
            super().log_metrics(metrics, step)


def weights_and_biases(
    folder: str,
    project: str = "srlab",
    mode: str = "offline",
    name: str | None = None,
    group: str | None = None,
    init_timeout_seconds: float = 20,
) -> WandbLogger:
    """The W&B run of a run folder: the same run again when it is resumed.

    Args:
        folder: the run folder; W&B's files lie in `wandb` below it, the run's id in `wandb_id`.
        project: W&B's project.
        mode: `offline` needs no account; `online`, `disabled`. WANDB_MODE in the environment wins.
        name: of the run; None lets W&B choose.
        group: runs of one sweep share it.
        init_timeout_seconds: how long an online run may wait for the network before it fails.
    """
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    identity = Path(folder) / "wandb_id"
    if not identity.exists():
        identity.parent.mkdir(parents=True, exist_ok=True)
        identity.write_text(secrets.token_hex(4))
    return _Wandb(
        save_dir=folder,
        project=project,
        mode=os.environ.get("WANDB_MODE", mode),
        name=name,
        group=group,
        id=identity.read_text().strip(),
        resume="allow",
        log_model=False,
        settings=wandb.Settings(init_timeout=init_timeout_seconds, silent=True),
    )
