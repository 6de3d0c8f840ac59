"""A command whose jobs are trials of a study: three scores of which less is better, then the last; by their seed, others."""

import os
import signal
import time
from pathlib import Path

from omegaconf import DictConfig

from srlab.cli import command
from srlab.sweeps.jobs import Objective, PrunedError
from srlab.sweeps.study import trial_of_this_job

RAISES, IS_KILLED, IS_NO_NUMBER = 1, 2, 3
WAITS = "wait"
"""A file in the sweep's folder for whose end jobs wait."""


def scores(seed: int) -> list[float]:
    """What a trial reports: it falls from step to step."""
    return [10.0 * seed - step for step in range(3)]


def job(cfg: DictConfig) -> Objective:
    """Note the start; then end as the seed says."""
    folder = Path(cfg.run_dir)
    with (folder / "starts.txt").open("a") as file:
        file.write("started\n")
    while (folder.parent / WAITS).exists():
        time.sleep(0.05)
    if cfg.seed == RAISES:
        raise RuntimeError("the power went out")
    if cfg.seed == IS_KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    trial = trial_of_this_job()
    assert trial is not None
    for step, score in enumerate(scores(cfg.seed)):
        trial.report(score, step)
        if trial.should_prune():
            raise PrunedError(f"pruned at iteration {step}")
    value = float("nan") if cfg.seed == IS_NO_NUMBER else scores(cfg.seed)[-1]
    return Objective("val/lpips", value, higher_is_better=False)


def main() -> None:
    """Run the console command."""
    command("describe", job)


if __name__ == "__main__":
    main()
