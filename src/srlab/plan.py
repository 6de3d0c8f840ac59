"""`srlab-plan`: what a training or a sweep will take, from a few steps of each of its kinds of jobs.

    srlab-plan [--steps 20] [--warmup 5] [--jobs 1] [--efficiency 1.0] [--csv FILE] <what you would type after srlab-train>

A process of its own does the first steps of each kind, one validation and what is saved with it, so that memory is that of
one job. Jobs that differ in seeds, learning rates, weights of losses or lengths share a measurement.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from srlab.cli import explain
from srlab.config import register
from srlab.describe import as_markdown
from srlab.errors import InputError

if TYPE_CHECKING:
    from srlab.planning.measure import Measured


def plan(arguments: argparse.Namespace, line: Sequence[str]) -> None:
    """Print the table and the sums."""
    import torch

    from srlab.planning.estimate import Estimate, Job, job_of, jobs_of, rows_of, totals
    from srlab.planning.measure import Measured

    if min(arguments.steps, arguments.jobs) < 1 or arguments.warmup < 0 or not 0 < arguments.efficiency <= 1:
        raise InputError(
            "--steps and --jobs must be 1 or more, --warmup 0 or more, --efficiency above 0 and at most 1."
        )
    register()
    jobs: list[Job] = []
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        for overrides in jobs_of(line):
            cfg = hydra.compose("train", [*overrides, "run_dir=."])
            jobs.append(job_of(overrides, cfg, torch.cuda.device_count()))
    kinds = {job.costly: job for job in jobs}
    measured: dict[tuple[str, ...], Measured] = {}
    for number, (costly, job) in enumerate(kinds.items(), 1):
        print(f"measuring {number} of {len(kinds)}: {' '.join(costly)}", file=sys.stderr)  # noqa: T201
        measured[costly] = measure_apart(job.overrides, arguments.warmup, arguments.steps)
    estimates = [Estimate(job, measured[job.costly], arguments.efficiency) for job in jobs]
    rows, sums = rows_of(estimates), totals(estimates, arguments.jobs)
    device = next(iter(measured.values())).device
    print(as_markdown(rows))  # noqa: T201
    print(  # noqa: T201
        f"{len(jobs)} {'job' if len(jobs) == 1 else 'jobs'}, {arguments.jobs} at a time: {sums['hours']:.3g} hours, "
        f"{sums['device_hours']:.3g} device-hours, if every device is as fast as this one ({device})."
    )
    if arguments.csv:
        with arguments.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def measure_apart(overrides: Sequence[str], warmup: int, steps: int) -> "Measured":
    """Measure a job in a process of its own.

    Raises:
        InputError: the job cannot work, or it failed: its last line.
    """
    from srlab.planning.measure import Measured

    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        asked = {"overrides": list(overrides), "warmup": warmup, "steps": steps, "answer": str(answer)}
        done = subprocess.run(
            [sys.executable, "-m", "srlab.planning.measure"], input=json.dumps(asked), capture_output=True, text=True
        )
        found = json.loads(answer.read_text()) if answer.is_file() else {"refused": _last_line(done.stderr)}
    if "refused" in found:
        raise InputError(f"{' '.join(overrides)}: {found['refused']}")
    return Measured(**found)


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it was killed")


def main() -> None:
    """Run the console command; exit statuses are those of the other commands."""
    parser = argparse.ArgumentParser(
        "srlab-plan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=20, help="iterations that are timed (20)")
    parser.add_argument("--warmup", type=int, default=5, help="iterations before these (5)")
    parser.add_argument("--jobs", type=int, default=1, help="jobs that run at a time (1)")
    parser.add_argument("--efficiency", type=float, default=1.0, help="of several devices: see docs/scaling.md (1.0)")
    parser.add_argument("--csv", type=Path, help="write the table here too")
    parser.add_argument("-m", "--multirun", action="store_true", help="understood, and not needed")
    arguments, line = parser.parse_known_args()
    try:
        plan(arguments, line)
    except (InputError, HydraException, OmegaConfBaseException) as error:
        print(f"srlab-plan: {explain(error, 'train')}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


if __name__ == "__main__":
    main()
