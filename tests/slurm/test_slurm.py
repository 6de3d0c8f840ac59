"""Trainings on a real Slurm: several processes, an array of a sweep's jobs, and jobs that are queued again."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from tests.conftest import TINY, draw_photos
from tests.slurm import cluster

pytestmark = pytest.mark.slurm

TRAIN = Path(sys.executable).with_name("srlab-train")
LINE = [
    *TINY,
    "callbacks=[checkpoints]",
    "callbacks.checkpoints.every=100000",
    "trainer.val_check_interval=100000",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "resume=auto",
]
TIMEOUT_SECONDS = 600

Submit = Callable[..., str]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A cluster of two nodes; what finds it."""
    if not shutil.which("slurmctld", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("Slurm is not installed: apt-get install slurm-wlm munge")
    folder = tmp_path_factory.mktemp("slurm")
    try:
        yield {**os.environ, **cluster.up(folder), "OMP_NUM_THREADS": "1"}
    finally:
        cluster.down(folder)


@pytest.fixture
def submit(slurm: dict[str, str], tmp_path: Path) -> Submit:
    """Hand a training in a folder to Slurm, beside `photos`; its job's number."""
    draw_photos(tmp_path / "photos")

    def of(run: str, options: list[str], *arguments: str) -> str:
        script = tmp_path / f"{run}.sh"
        script.write_text(f"#!/bin/bash\nsrun {TRAIN} {' '.join([*LINE, *arguments])} hydra.run.dir={run}\n")
        asked = ["sbatch", "--parsable", "--job-name=train", f"--output={run}.log", "--open-mode=append", *options]
        found = subprocess.run(
            [*asked, str(script)], env=slurm, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60
        )
        return found.stdout.strip()

    return of


def told(slurm: dict[str, str], *command: str) -> str:
    return subprocess.run(command, env=slurm, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def await_that(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {TIMEOUT_SECONDS} s"
        time.sleep(0.3)


def await_end(slurm: dict[str, str], job: str) -> None:
    ended = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}
    await_that(
        lambda: told(slurm, "squeue", "-h", "-t", "all", "-j", job, "-o", "%T") in ended, f"the end of job {job}"
    )


def weights_of(run: Path) -> torch.Tensor:
    (path,) = (run / "checkpoints").glob("iteration_*.ckpt")
    state = torch.load(path, weights_only=True)["state_dict"]
    return torch.cat([value.double().flatten() for value in state.values()])


@pytest.mark.parametrize(
    ("options", "devices", "nodes"), [(["-N1", "--ntasks-per-node=2"], 2, 1), (["-N2", "--ntasks-per-node=1"], 1, 2)]
)
def test_two_processes_take_the_steps_of_one_with_twice_the_batch(
    slurm: dict[str, str], submit: Submit, tmp_path: Path, options: list[str], devices: int, nodes: int
) -> None:
    one = submit("one", ["-N1"], "data.batch_size=4", "iterations=3")
    placed = [f"trainer.devices={devices}", f"trainer.num_nodes={nodes}", "trainer.strategy=ddp"]
    two = submit("two", options, "data.batch_size=2", "iterations=3", *placed)
    for job in (one, two):
        await_end(slurm, job)
    torch.testing.assert_close(weights_of(tmp_path / "two"), weights_of(tmp_path / "one"), rtol=0, atol=1e-4)


@pytest.mark.parametrize("how", ["requeue", "preemption", "warning"])
def test_a_job_that_is_queued_again_comes_to_the_same_weights(
    slurm: dict[str, str], submit: Submit, tmp_path: Path, how: str
) -> None:
    length = ["iterations=1500", "data.workers=1"]
    job = submit("disturbed", ["--requeue", "--exclusive"], *length)
    rows = tmp_path / "disturbed/metrics.csv"
    await_that(lambda: rows.exists() and len(rows.read_text().splitlines()) > 20, "the first iterations")
    if how == "requeue":
        told(slurm, "scontrol", "requeue", job)
    elif how == "warning":
        told(slurm, "scancel", "--signal=USR1", job)
    else:
        node = told(slurm, "squeue", "-h", "-j", job, "-o", "%N")
        told(slurm, "sbatch", "-p", "urgent", "--exclusive", "-w", node, "--output=/dev/null", "--wrap=sleep 1")
    await_that(lambda: any((tmp_path / "disturbed/checkpoints").glob("iteration_*")), "what is saved")
    assert int(next((tmp_path / "disturbed/checkpoints").glob("iteration_*")).stem.rpartition("_")[2]) < 1500
    await_end(slurm, job)
    undisturbed = submit("undisturbed", ["--exclusive"], *length)
    await_end(slurm, undisturbed)
    assert torch.equal(weights_of(tmp_path / "disturbed"), weights_of(tmp_path / "undisturbed"))


def test_a_sweep_is_an_array_and_its_table_names_what_failed(slurm: dict[str, str], tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos")
    launcher = [f"hydra.launcher.{one}" for one in ("cpus_per_task=1", "mem_gb=1", "timeout_min=20")]
    sweep = [str(TRAIN), "-m", "hydra/launcher=slurm", *launcher, *LINE[:-1], "iterations=3", "scale=2,7"]
    ended = subprocess.run([*sweep, "hydra.sweep.dir=s"], env=slurm, cwd=tmp_path, check=False, timeout=TIMEOUT_SECONDS)
    assert ended.returncode == 2
    table = (tmp_path / "s/sweep.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in table[1:]] == ["done", "failed"]
    assert "scale=7 is not one of" in table[2]
