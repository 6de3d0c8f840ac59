"""Tells a study what a trial's validations come to, and ends the trial where the study's pruner says so."""

import os
from typing import TYPE_CHECKING

import lightning.pytorch as pl

from srlab.paradigms.base import SuperResolution
from srlab.ranks import is_first
from srlab.sweeps.jobs import PrunedError
from srlab.sweeps.study import TRIAL, trial_of_this_job

if TYPE_CHECKING:
    from optuna import Trial


class ReportToStudy(pl.Callback):
    """Report the score that the study is judged by, at each validation.

    Args:
        trial: that this run is of; None on ranks other than the first, which follow it.
        monitor: the logged score; None: what the paradigm is judged by.
    """

    def __init__(self, trial: "Trial | None", monitor: str | None = None) -> None:
        self.trial, self.monitor = trial, monitor

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, SuperResolution)
        iteration = trainer.fit_loop.epoch_loop.batch_progress.total.ready
        monitor = self.monitor or pl_module.monitor
        value = float(trainer.callback_metrics.get(monitor, float("nan")))
        if trainer.sanity_checking or not iteration:
            return
        is_pruned = False
        if self.trial is not None and value == value:
            if iteration not in self.trial.storage.get_trial(self.trial._trial_id).intermediate_values:
                self.trial.report(value, iteration)  # a run that was killed says it again
            is_pruned = self.trial.should_prune() and iteration < trainer.num_training_batches
        if trainer.strategy.broadcast(is_pruned):
            raise PrunedError(f"pruned at iteration {iteration}: {monitor} {value:.6g}")


def reporter(monitor: str | None) -> ReportToStudy | None:
    """The reporter of a job that is a study's trial; None for other runs."""
    if TRIAL not in os.environ:
        return None
    return ReportToStudy(trial_of_this_job() if is_first() else None, monitor)
