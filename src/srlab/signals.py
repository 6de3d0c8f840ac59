"""What a cluster sends its jobs, and what of it must wait until a training listens."""

import os
import signal

SLURM_JOB = "SLURM_JOB_ID"
REQUEUE = (signal.SIGUSR1, signal.SIGUSR2)
"""Slurm's warning before the time limit, by which a job asks to be queued again."""
FROM_CLUSTER = (signal.SIGTERM, *REQUEUE)


def hold_back() -> None:
    """In a job of Slurm's, keep its signals pending until `let_through`: they would end a training that is not up yet.

    A job that ends so within a preemption's time of grace is not queued again. Helpers that are started meanwhile do not
    hear these signals, which Slurm sends to every process of a job; but W&B's does hear SIGTERM.
    """
    if SLURM_JOB in os.environ:
        signal.pthread_sigmask(signal.SIG_BLOCK, FROM_CLUSTER)


def let_through() -> None:
    """Deliver what is pending, and what comes."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FROM_CLUSTER)
