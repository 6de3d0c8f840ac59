"""Trainings on a real Slurm: several processes, an array of a sweep's jobs, and jobs that are queued again.

All jobs are submitted at once, since each waits more than it computes; the tests then look at what came of them.
"""

import csv
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from tests.conftest import ROOT, TINY, draw_photos
from tests.kills import unequal_files
from tests.slurm.cluster import cluster, lacking

pytestmark = pytest.mark.slurm

TRAIN = str(Path(sys.executable).with_name("srlab-train"))
LINE = [
    *TINY,
    "callbacks=[checkpoints]",
    "callbacks.checkpoints.every=100",
    "callbacks.checkpoints.keep=1",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
]
DDP = "trainer.strategy=ddp"
BATCH = "data.batch_size=4"
WORKER = "data.workers=1"
HELD, HELD_BY = 3, "tests.saboteurs.HoldUntilSignalled"
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}
TIMEOUT_SECONDS = 780


class Asked(NamedTuple):
    """A training that is handed to Slurm.

    Attributes:
        of: options of sbatch.
        arguments: of srlab-train.
        held: the rank that waits in an iteration for a signal, if any does.
        disturb: what is done to the job, of the number JOB, when a file appears in its folder.
        like: the undisturbed job that it must equal.
        when: this file.
    """

    of: list[str]
    arguments: list[str]
    held: int | None = None
    disturb: tuple[str, ...] = ()
    like: str = ""
    when: str = "held"


ONE = ["--ntasks-per-node=1", "-wn1"]
TASKS, TWO_TASKS = ["--ntasks-per-node=2", "-wn1"], ["trainer.devices=2", DDP]
NODES, TWO_NODES = ["-N2", "--ntasks-per-node=1"], ["trainer.num_nodes=2", "trainer.devices=1", DDP]
URGENT = ("sbatch", "-purgent", "--exclusive", "-wn2", "--output=/dev/null", "--wrap=sleep 1")
SAVED = f"checkpoints/iteration_{HELD:09d}.ckpt"
LONGER = ("scontrol", "update", "JobId=JOB", "TimeLimit=60")
JOBS = {
    # the warning comes 30 to 60 s after a start; once was enough
    "limited": Asked([*ONE, "--time=2", "--signal=USR1@60"], [BATCH, WORKER], 0, LONGER, "one", SAVED),
    "preempted": Asked(["-wn2", "--exclusive"], [BATCH, WORKER], 0, URGENT, "one"),
    "requeued": Asked(ONE, [BATCH, WORKER], 0, ("scontrol", "requeue", "JOB"), "one"),
    "tasks_warned": Asked(TASKS, TWO_TASKS, 0, ("scancel", "--signal=USR1", "JOB"), "tasks"),
    "one": Asked(ONE, [BATCH]),
    "tasks": Asked(TASKS, TWO_TASKS),
    "rank_fails": Asked(TASKS, [*TWO_TASKS, "+callbacks.end={_target_:tests.saboteurs.EndAt,iteration:2,rank:1}"]),
    "nodes": Asked(NODES, TWO_NODES),
    "nodes_requeued": Asked(NODES, TWO_NODES, 1, ("scontrol", "requeue", "JOB"), "nodes"),
}
DISTURBED = [name for name, asked in JOBS.items() if asked.like]


class Ran(NamedTuple):
    """What came of a job, in the folder `run`."""

    run: Path
    state: str
    restarts: int
    seconds: float
    log: str


class Swept(NamedTuple):
    """What came of a sweep."""

    folder: Path
    status: int
    log: str


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a cluster of two nodes."""
    if lacking():
        pytest.skip(f"Slurm is not installed ({lacking()}): apt-get install slurm-wlm munge")
    with cluster(tmp_path_factory.mktemp("slurm")) as found:
        yield {**found, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def ran(slurm: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Ran], Swept]:
    """All jobs, and the sweep, run to their ends."""
    folder = tmp_path_factory.mktemp("jobs")
    draw_photos(folder / "photos")
    numbers = {name: submit(slurm, folder, name, asked) for name, asked in JOBS.items()}
    sweep = start_sweep(slurm, folder)
    try:
        steer(slurm, folder, numbers)
        sweep.wait(TIMEOUT_SECONDS)
    finally:
        sweep.kill()
        sweep.wait()
    jobs = {name: outcome(slurm, folder, name, number) for name, number in numbers.items()}
    return jobs, Swept(folder / "sweep", sweep.returncode, (folder / "sweep.log").read_text())


def told(slurm: dict[str, str], folder: Path, *command: str) -> str:
    return subprocess.run(
        command, env=slurm, cwd=folder, check=True, capture_output=True, text=True, timeout=60
    ).stdout.strip()


def submit(slurm: dict[str, str], folder: Path, name: str, asked: Asked) -> str:
    """The job's number."""
    hold = f"+callbacks.hold={{_target_:{HELD_BY},iteration:{HELD},rank:{asked.held}}}"
    held = [] if asked.held is None else [hold, "logger=[csv,wandb]"]
    command = [TRAIN, *LINE, *asked.arguments, *held, f"hydra.run.dir={name}", "resume=auto"]
    (folder / f"{name}.sh").write_text(f"#!/bin/bash\nsrun --kill-on-bad-exit=1 {shlex.join(command)}\n")
    options = ["--parsable", "--job-name=train", f"--output={name}.log", "--open-mode=append", "--requeue", *asked.of]
    return told(slurm, folder, "sbatch", *options, f"{name}.sh")


def start_sweep(slurm: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    """A sweep of four jobs: warned and queued again, killed for good, left alone, failed."""
    launcher = [f"hydra.launcher.{one}" for one in ("cpus_per_task=1", "mem_gb=1", "timeout_min=30")]
    end = "+callbacks.end={_target_:tests.saboteurs.EndAt,iteration:3}"
    ends = "+callbacks.end.signal_name=SIGUSR2,SIGKILL,SIGCONT,null"
    line = [TRAIN, "-m", "hydra/launcher=slurm", *launcher, *LINE, BATCH, end, ends, "hydra.sweep.dir=sweep"]
    with (folder / "sweep.log").open("wb") as log:
        return subprocess.Popen(line, env=slurm, cwd=folder, stdout=log, stderr=subprocess.STDOUT)


def steer(slurm: dict[str, str], folder: Path, numbers: Mapping[str, str]) -> None:
    """Disturb each job that is to be as it comes to where it waits, until all have ended."""
    waiting, running = {name for name in numbers if JOBS[name].disturb}, dict(numbers)
    end = time.monotonic() + TIMEOUT_SECONDS
    while running:
        for name in [name for name in waiting if (folder / name / JOBS[name].when).exists()]:
            told(slurm, folder, *(part.replace("JOB", numbers[name]) for part in JOBS[name].disturb))
            waiting.remove(name)
        states = dict(line.split() for line in told(slurm, folder, "squeue", "-ht", "all", "-o%i %T").splitlines())
        running = {name: number for name, number in running.items() if states[number] not in ENDED}
        assert time.monotonic() < end, f"{', '.join(running)}: not ended within {TIMEOUT_SECONDS} s"
        time.sleep(0.3)


def outcome(slurm: dict[str, str], folder: Path, name: str, number: str) -> Ran:
    shown = told(slurm, folder, "scontrol", "show", "job", number)
    facts = dict(fact.split("=", 1) for fact in shown.split() if "=" in fact)
    hours, minutes, seconds = map(float, facts["RunTime"].split(":"))
    log = (folder / f"{name}.log").read_text(errors="replace")
    took = 3600 * hours + 60 * minutes + seconds
    return Ran(folder / name, facts["JobState"], int(facts["Restarts"]), took, log)


def weights_of(run: Path) -> torch.Tensor:
    state = torch.load(run / "checkpoints/iteration_000000006.ckpt", weights_only=True)["state_dict"]
    return torch.cat([value.double().flatten() for value in state.values()])


Outcomes = tuple[dict[str, Ran], Swept]


@pytest.mark.parametrize("layout", ["tasks", "nodes"])
def test_two_processes_take_the_steps_of_one_with_twice_the_batch(ran: Outcomes, layout: str) -> None:
    one, two = ran[0]["one"], ran[0][layout]
    assert (one.state, two.state) == ("COMPLETED", "COMPLETED"), two.log[-3000:]
    torch.testing.assert_close(weights_of(two.run), weights_of(one.run), rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", DISTURBED)
def test_a_job_that_is_queued_again_comes_to_the_same_end(ran: Outcomes, name: str) -> None:
    job, undisturbed = ran[0][name], ran[0][JOBS[name].like]
    assert job.state == "COMPLETED", job.log[-3000:]
    assert job.restarts > 0
    assert f"Saved {job.run}/{SAVED}" in job.log
    assert unequal_files(undisturbed.run, job.run) == []
    starts = [path.name for path in (job.run / "wandb").glob("offline-run-*")]
    assert len(starts) == 1 + job.restarts
    assert {start.rpartition("-")[2] for start in starts} == {(job.run / "wandb_id").read_text()}


def test_a_rank_that_fails_ends_the_job(ran: Outcomes) -> None:
    job = ran[0]["rank_fails"]
    assert job.state == "FAILED"
    assert "RuntimeError: the power went out" in job.log
    assert job.seconds < 300  # most of it to start; the other rank would wait for 30 minutes


def test_a_sweep_is_an_array_and_its_table_names_what_failed(ran: Outcomes) -> None:
    sweep = ran[1]
    assert sweep.status == 1, sweep.log[-3000:]
    with (sweep.folder / "sweep.csv").open(newline="") as file:
        table = {row["job"]: row for row in csv.DictReader(file)}
    assert [table[job]["status"] for job in "0123"] == ["done", "failed", "done", "failed"]
    assert "the power went out" in table["3"]["note"]
    assert unequal_files(sweep.folder / "2", sweep.folder / "0") == []
    assert len({path.name.partition("_")[0] for path in (sweep.folder / ".submitit").glob("[0-9]*")}) == 1
