"""When a run is saved."""

import logging
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from srlab.callbacks.endings import Endings
from srlab.errors import InputError
from srlab.evaluation.metrics import higher_is_better
from srlab.paradigms.base import SuperResolution
from srlab.resume import CHECKPOINTS
from srlab.sweeps.jobs import Objective

log = logging.getLogger(__name__)


class Checkpoints(Checkpoint):
    """Save every so many iterations, at the end, when told to end, and whenever the watched metric is at its best.

    Files are `iteration_<number>.ckpt` and `best.ckpt`. Nothing is saved between two optimizer steps; where validation
    follows an iteration, that iteration is saved after it, so that a resumed run repeats no validation and misses none.

    Args:
        folder: where the files go.
        every: iterations between two files.
        keep: how many of the newest files stay; the one before the last is there in case that the last is damaged.
        monitor: the logged metric to be best in; None: what the paradigm is judged by, the protocol's PSNR.
        higher_is_better: whether more of it is better; None: as it is known of the metric.
    """

    def __init__(
        self, folder: str, every: int, keep: int = 2, monitor: str | None = None, higher_is_better: bool | None = None
    ) -> None:
        if every < 1 or keep < 1:
            raise ValueError(f"callbacks.checkpoints: every={every} and keep={keep} must be 1 or more.")
        self.folder, self.every, self.keep = Path(folder), every, keep
        self.monitor, self.higher_is_better = monitor, higher_is_better
        self.best: float | None = None
        self.watched = ""
        self.due = False
        self.endings = Endings()

    # Saving

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any) -> None:
        iteration = self._iteration(trainer)
        at_the_end = iteration == trainer.num_training_batches or trainer.should_stop
        self.due = self.due or at_the_end or iteration % self.every == 0 or self.endings.agreed(trainer) > 0
        assert isinstance(pl_module, SuperResolution)
        if self.due and not pl_module.accumulating and not self._validation_follows(trainer):
            # Lightning logs an iteration after this hook: a kill in between would lose what is not logged before saving
            trainer._logger_connector.update_train_step_metrics()
            self._save(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, SuperResolution)
        if trainer.sanity_checking or not trainer.fit_loop.epoch_loop.batch_progress.total.ready:
            return
        monitor = self.watched = self.monitor or pl_module.monitor
        value = trainer.callback_metrics.get(monitor)
        if value is None:
            logged = ", ".join(sorted(name for name in trainer.callback_metrics if name != "step"))
            raise InputError(f"callbacks.checkpoints.monitor={monitor} is not logged: choose one of {logged}.")
        if self._improves(float(value)):
            self.best = float(value)
            trainer.save_checkpoint(self.folder / "best.ckpt")
        if (self.due or self.endings.agreed(trainer)) and not pl_module.accumulating:
            self._save(trainer)

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage == "fit":  # of a run that was killed between its last file and this, too
            self._remove_old(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.endings.restore()

    def _save(self, trainer: pl.Trainer) -> None:
        self.due = False
        path = self.folder / f"iteration_{self._iteration(trainer):09d}.ckpt"
        trainer.save_checkpoint(path)
        self._remove_old(trainer)
        if self.endings.agreed(trainer):
            log.warning("Saved %s. Go on with: srlab-train resume=%s", path, self.folder.parent)
            self.endings.leave(trainer)

    def _remove_old(self, trainer: pl.Trainer) -> None:
        if trainer.is_global_zero:
            for old in sorted(self.folder.glob(CHECKPOINTS))[: -self.keep]:
                old.unlink(missing_ok=True)

    def _improves(self, value: float) -> bool:
        if self.best is None:
            return value == value  # a NaN is no best
        return value > self.best if self._more_is_better else value < self.best

    @property
    def _more_is_better(self) -> bool:
        return higher_is_better(self.watched) if self.higher_is_better is None else self.higher_is_better

    @property
    def objective(self) -> Objective | None:
        """What the training came to: the best of the watched metric; None before a validation."""
        return None if self.best is None else Objective(self.watched, self.best, self._more_is_better)

    @staticmethod
    def _iteration(trainer: pl.Trainer) -> int:
        return trainer.fit_loop.epoch_loop.batch_progress.total.ready

    @staticmethod
    def _validation_follows(trainer: pl.Trainer) -> bool:
        loop = trainer.fit_loop
        assert loop._data_fetcher is not None
        return loop.epoch_loop._should_check_val_fx(loop._data_fetcher)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "watched": self.watched}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.watched = state_dict["best"], state_dict.get("watched", "")

    # Ctrl-C, and what a cluster sends

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.endings.listen()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        self.endings.restore()
