"""`srlab-plan`: the jobs of a sweep, counted by hand; hours, by arithmetic; and a training that takes what was planned."""

import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from srlab.errors import InputError
from srlab.planning.estimate import Estimate, Job, device_count, job_of, jobs_of, rows_of, totals
from srlab.planning.measure import Measured, Stopwatch, peak_bytes
from tests.conftest import ROOT, TINY, Command, composed

STEP = Measured(36.0, 0.5, 7.2, 1.5, False, "cpu, 1 threads")


def estimate(overrides: str, iterations: int = 7200, validations: int = 5, devices: int = 1) -> Estimate:
    return Estimate(Job(tuple(overrides.split()), iterations, validations, devices), STEP)


def test_a_sweeps_jobs_are_the_product_of_its_choices() -> None:
    line = ["network=edsr_baseline,vdsr", "scale=2,3,4", "seed=range(1,6)", "optimizer.lr=1e-4", "hydra.sweep.dir=x"]
    jobs = jobs_of([*line, "hydra/launcher=slurm", "hydra.launcher.nodes=2"])
    assert len(jobs) == 2 * 3 * 5
    assert ("network=vdsr", "scale=3", "seed=5", "optimizer.lr=0.0001") in jobs
    assert jobs_of(["loss=[l1,fft]", "data.root='a,b'"]) == [("loss=[l1,fft]", "data.root='a,b'")]
    with pytest.raises(InputError, match="multiply by its trials"):
        jobs_of(["optimizer.lr=interval(1e-5,1e-3)"])


def test_what_costs_nothing_is_measured_once() -> None:
    costless = ["seed=1", "optimizer.lr=1e-3", "loss.l1.weight=2", "iterations=5", "+seed=3", "optimizer_d.lr=1"]
    costly = ["scale=2", "optimizer=lamb", "data.patch=9", "loss=[l1]", "trainer.precision=32-true", "data.seeds=1"]
    assert Job((*costless, *costly), 1, 1, 1).costly == tuple(costly)


def test_hours_are_start_steps_and_validations() -> None:
    alone = estimate("a=1")
    assert alone.hours == pytest.approx((36 + 7200 * 0.5 + 5 * 7.2) / 3600) == pytest.approx(1.02)
    four = Estimate(Job(("a=1",), 7200, 5, 4), STEP, 0.9)
    assert four.hours == pytest.approx((36 + 7200 * 0.5 / 0.9 + 5 * 7.2 / 4) / 3600)
    assert four.device_hours == pytest.approx(4 * four.hours)
    assert totals([alone] * 5, at_a_time=2) == pytest.approx({"hours": 3 * 1.02, "device_hours": 5 * 1.02})
    assert totals([alone] * 5, at_a_time=8) == pytest.approx({"hours": 1.02, "device_hours": 5 * 1.02})


def test_rows_join_what_takes_the_same() -> None:
    rows = rows_of([estimate(f"scale={scale} data=folder seed={seed}") for scale in (2, 3) for seed in (1, 2, 3)])
    assert [(row["jobs"], row["of"]) for row in rows] == [("3", "scale=2"), ("3", "scale=3")]
    assert {row["device-hours"] for row in rows} == {"3.06"}
    assert {row["iterations/s"] for row in rows} == {"2"}
    assert rows_of([estimate("scale=2")])[0]["of"] == "the whole line"


@pytest.mark.parametrize(
    ("devices", "expected"),
    [(1, 1), (4, 4), ("auto", 8), (-1, 8), ("3", 3), ("0,2", 2), ("1,", 1), ([0, 1, 5], 3)],
)
def test_devices_as_lightning_reads_them(devices: object, expected: int) -> None:
    assert device_count(devices, visible_gpus=8) == expected


def test_a_jobs_facts_are_the_configurations() -> None:
    cfg = composed("train", ["iterations=2500", "trainer.devices=4", "trainer.num_nodes=16", "run_dir=."])
    job = job_of(["iterations=2500"], cfg, 0)
    assert (job.iterations, job.validations, job.devices) == (2500, 2, 64)
    assert job_of([], composed("train", ["iterations=10", "run_dir=."]), 0).validations == 1


def test_the_stopwatch_counts_after_the_warmup() -> None:
    watch = Stopwatch(2, 3)
    watch.ends = [10.0, 20.0, 21.0, 22.5, 24.5]
    assert watch.step_seconds == 1.5


def test_peak_memory_is_this_processs() -> None:
    before = peak_bytes()
    held = bytearray(os.urandom(1) * (before + 50 * 2**20))
    assert peak_bytes() > before + 40 * 2**20
    assert len(held) > before


def planned(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "srlab.plan", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.usefixtures("photos")
def test_the_command_measures_each_kind_of_job(tmp_path: Path) -> None:
    done = planned(
        *("--steps", "3", "--warmup", "1", "--jobs", "2", "--csv", "plan.csv", "-m"),
        *(*TINY, "trainer.devices=2", "seed=1,2,3", "optimizer.lr=1e-3,1e-4"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "6 jobs, 2 at a time" in done.stdout
    assert done.stderr.count("measuring") == 1
    [row] = csv.DictReader((tmp_path / "plan.csv").open())
    assert (row["jobs"], row["devices"], row["of"]) == ("6", "2", "the whole line")
    assert float(row["iterations/s"]) > 0
    assert 0.2 < float(row["memory (GB)"]) < 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos", "plan.csv"]


@pytest.mark.usefixtures("photos")
def test_a_job_that_cannot_work_is_told_of_before_it_is_submitted(tmp_path: Path, command: Command) -> None:
    done = planned("--steps", "2", *TINY, "data.patch=500", folder=tmp_path)
    assert done.returncode == 2
    assert "set data.patch=20 or lower" in done.stderr
    mistyped = command("plan", "netwrk=edsr")
    assert mistyped.status == 2
    assert "network" in mistyped.err
    assert command("plan", "--steps", "0").status == 2


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_a_training_takes_what_was_planned(tmp_path: Path) -> None:
    """Within a factor of two, of a minute's training: the machine may be shared."""
    line = [*TINY, "backbone.width=32", "backbone.blocks=4", "data.batch_size=8", "iterations=4000"]
    line += ["trainer.val_check_interval=1000", "callbacks.checkpoints.every=1000"]
    done = planned("--csv", "plan.csv", *line, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    [row] = csv.DictReader((tmp_path / "plan.csv").open())
    begun = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-m", "srlab.train", *line], cwd=tmp_path, env=environment, check=True)
    seconds = time.perf_counter() - begun
    print(json.dumps({"planned": float(row["hours a job"]) * 3600, "took": seconds}))  # noqa: T201
    assert 0.5 < float(row["hours a job"]) * 3600 / seconds < 2
