"""Which of a run's processes this is, before any of them knows of the others."""

import os

RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
"""Variables that number the processes of a run: where all are 0 or unset, this is the first one."""
LAUNCHED = (
    "RANK",
    "LOCAL_RANK",
    "NODE_RANK",
    "GLOBAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
)
"""What a process of several hands on to those that it starts, and a new run must not take for its own."""


def world_size() -> int:
    """How many processes torchrun or srun started for this command; 1 where Lightning has yet to start the others."""
    return int(os.environ.get("WORLD_SIZE") or os.environ.get("SLURM_STEP_NUM_TASKS") or 1)


def is_first() -> bool:
    """Whether this is the process that writes files; the others find them there."""
    return not any(int(os.environ.get(rank) or 0) for rank in RANKS)
