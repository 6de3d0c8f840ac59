"""Where a run's numbers go beside W&B: a CSV file that is always there."""

import csv
import io
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from srlab.files import write_atomically

COLUMNS = ("iteration", "metric", "value")


class Once(Logger):
    """A logger that passes over what it was told just before: an iteration is logged before it is saved, and after."""

    _last: tuple[int | None, dict[str, float]] | None = None

    def _repeated(self, metrics: Mapping[str, float], step: int | None) -> bool:
        told, self._last = self._last, (step, {name: value for name, value in metrics.items() if name != "epoch"})
        return told == self._last


class MetricsCSV(Once):
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
