"""Where a run's numbers go: a CSV file that is always there, and Weights & Biases."""

import csv
import os
import secrets
from argparse import Namespace
from pathlib import Path
from typing import Any

import wandb
from lightning.pytorch.loggers import Logger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only

COLUMNS = ("iteration", "metric", "value")


class MetricsCSV(Logger):
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
        with self.path.open("w", newline="") as file:
            csv.writer(file).writerows([header, *kept])


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
    return WandbLogger(
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
