"""How a training is told to end, and how it ends then: saved, and, on a cluster, queued again.

A signal's handler notes the signal, and no more: what saves in the middle of a step saves what is no step's, and in two
processes at two places, waits for ever. At the end of an iteration all ranks agree, save together, and leave:

- Ctrl-C: exit status 130.
- SIGTERM: exit status 143. Under Slurm, which has decided then what becomes of the job, wait for its end: a job that
  leaves by itself within a preemption's time of grace counts as ended, and is not queued again.
- SIGUSR1, SIGUSR2 (Slurm's warning before the time limit): have the job queued again, through submitit's own handler
  where the job came through submitit, else by `scontrol requeue`.
"""

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from types import FrameType
from typing import Any

import lightning.pytorch as pl
import torch

from srlab.signals import FROM_CLUSTER, REQUEUE, SLURM_JOB, let_through

log = logging.getLogger(__name__)

INTERRUPTED, TOLD_TO_STOP = 130, 143
LISTENED_TO = (signal.SIGINT, *FROM_CLUSTER)


class Endings:
    """The signals of one training.

    Args:
        wait_seconds: how long to wait for Slurm to end a job that it sent SIGTERM.
    """

    def __init__(self, wait_seconds: float = 300) -> None:
        self.wait_seconds = wait_seconds
        self.noted = 0
        self._previous: dict[int, Any] = {}

    def listen(self) -> None:
        """Take over the signals' handlers."""
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in LISTENED_TO}
            let_through()

    def restore(self) -> None:
        """Give the handlers back."""
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._previous = {}

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.noted and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.noted = self.noted or number
        text = f"\n{signal.Signals(number).name}: saving after this iteration. Ctrl-C stops at once, without saving.\n"
        os.write(2, text.encode())  # logging may be what was interrupted

    def agreed(self, trainer: pl.Trainer) -> int:
        """The signal that any rank was sent, the same on all; 0 for none."""
        if trainer.world_size == 1:
            return self.noted
        highest = torch.tensor(float(self.noted), device=trainer.strategy.root_device)
        return int(trainer.strategy.reduce(highest, reduce_op="max"))

    def leave(self, trainer: pl.Trainer) -> None:
        """End the process, once all is saved.

        Raises:
            SystemExit: always.
        """
        number = self.agreed(trainer)
        if number == signal.SIGINT:
            raise SystemExit(INTERRUPTED)
        from srlab.tracking.logger import finish  # W&B is slow to import

        finish(TOLD_TO_STOP)  # while there is time: what is killed with its W&B run open loses its last seconds
        trainer.strategy.barrier()  # no rank is ended before all have saved
        if SLURM_JOB in os.environ and number in REQUEUE:
            self._requeue(number, trainer.is_global_zero)
        elif SLURM_JOB in os.environ:
            self._await_end()
        self._previous = dict.fromkeys(self._previous, signal.SIG_IGN)  # a requeue sends SIGTERM to a job that leaves
        raise SystemExit(TOLD_TO_STOP)

    def _requeue(self, number: int, is_first: bool) -> None:
        submitit = self._previous[number]
        if getattr(submitit, "__name__", "") == "checkpoint_and_try_requeue":
            with contextlib.suppress(SystemExit):  # with a status of its own
                submitit(number, None)  # on the first rank; it does nothing on others
        elif is_first:
            task = os.environ.get("SLURM_ARRAY_TASK_ID")
            job = f"{os.environ['SLURM_ARRAY_JOB_ID']}_{task}" if task else os.environ[SLURM_JOB]
            subprocess.run(["scontrol", "requeue", job], check=True, timeout=60)

    def _await_end(self) -> None:
        log.warning("Waiting up to %g s for Slurm to end the job.", self.wait_seconds)
        end = time.monotonic() + self.wait_seconds
        while time.monotonic() < end:
            time.sleep(0.5)
