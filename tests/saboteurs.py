"""Callbacks that end a training in the ways in which trainings end."""

import os
import signal
from typing import Any

import lightning.pytorch as pl


class EndAt(pl.Callback):
    """Raise, or send this process a signal, in the middle of an iteration."""

    def __init__(self, iteration: int, signal_name: str | None = None) -> None:
        self.iteration, self.signal_name = iteration, signal_name

    def on_before_optimizer_step(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.fit_loop.epoch_loop.batch_progress.total.ready != self.iteration:
            return
        if self.signal_name is None:
            raise RuntimeError("the power went out")
        os.kill(os.getpid(), signal.Signals[self.signal_name])
