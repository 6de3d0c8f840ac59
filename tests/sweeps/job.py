"""A command whose jobs end in the ways in which jobs end, by their seed; it imports nothing heavy."""

import os
import signal
from pathlib import Path

from omegaconf import DictConfig

from srlab.cli import command
from srlab.sweeps.jobs import Objective

RAISES, EXITS, IS_KILLED = 101, 102, 103


def job(cfg: DictConfig) -> Objective:
    """Note the start; then end as the seed says, or come to scale + seed / 10, of which less is better."""
    with Path(cfg.run_dir, "starts.txt").open("a") as file:
        file.write(f"{os.environ.get('MASTER_PORT')}\n")
    if cfg.seed == RAISES and not Path(cfg.run_dir, "../mended").exists():
        raise RuntimeError("the power\nwent out")
    if cfg.seed == EXITS:
        os._exit(3)
    if cfg.seed == IS_KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    return Objective("val/lpips", cfg.scale + cfg.seed / 10, higher_is_better=False)


def main() -> None:
    """Run the console command."""
    command("describe", job)


if __name__ == "__main__":
    main()
