"""Callbacks that end a training in the ways in which trainings end."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from srlab.callbacks.checkpoints import Checkpoints


class EndAt(pl.Callback):
    """Raise, or send this process a signal, in the middle of an iteration, on one rank."""

    def __init__(self, iteration: int, signal_name: str | None = None, rank: int = 0) -> None:
        self.iteration, self.signal_name, self.rank = iteration, signal_name, rank

    def on_before_optimizer_step(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.fit_loop.epoch_loop.batch_progress.total.ready != self.iteration or trainer.global_rank != self.rank:
            return
        if self.signal_name is None:
            raise RuntimeError("the power went out")
        os.kill(os.getpid(), signal.Signals[self.signal_name])


class HoldUntilSignalled(pl.Callback):
    """Wait as an iteration begins, on one rank, until a signal has come: other ranks wait at their first exchange.

    That it waits, it tells by a file `held` in the run folder.
    """

    def __init__(self, iteration: int, rank: int = 0, seconds: float = 150) -> None:
        self.iteration, self.rank, self.seconds = iteration, rank, seconds

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.fit_loop.epoch_loop.batch_progress.total.ready != self.iteration:
            return
        if trainer.global_rank != self.rank:
            return
        (endings,) = [saver.endings for saver in trainer.checkpoint_callbacks if isinstance(saver, Checkpoints)]
        (Path(trainer.default_root_dir) / "held").touch()
        end = time.monotonic() + self.seconds
        while not endings.noted and time.monotonic() < end:
            time.sleep(0.05)
