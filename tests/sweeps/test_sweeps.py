"""Sweeps: what fails leaves the rest alone, what is done is not done again, and the table says it all."""

import csv
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from hydra_plugins.srlab.isolated import IsolatedLauncher
from srlab import sweep as sweep_command
from srlab.sweeps.jobs import Job, Objective, read_job, write_job
from srlab.sweeps.planning import Planned
from srlab.sweeps.table import lines_of
from tests.conftest import ROOT
from tests.sweeps import job as jobs

Sweep = Callable[..., int]


@pytest.fixture
def sweep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sweep:
    """Run a sweep of `tests.sweeps.job` into the folder `s`; its exit status."""

    def run(*arguments: str) -> int:
        GlobalHydra.instance().clear()
        HydraConfig.instance().cfg = None
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("MASTER_PORT", "1")  # as the job before might leave it
        monkeypatch.setattr(sys, "argv", ["job", "-m", "hydra.sweep.dir=s", *arguments])
        try:
            jobs.main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return run


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_fails_leaves_the_rest_alone_and_a_second_start_does_what_is_missing(sweep: Sweep, tmp_path: Path) -> None:
    seeds = f"seed={jobs.RAISES},{jobs.EXITS},{jobs.IS_KILLED},1,2"
    assert sweep("hydra.launcher.n_jobs=2", seeds) == 1
    table = rows(tmp_path / "s/sweep.csv")
    assert [(row["job"], row["seed"], row["value"]) for row in table[:3]] == [
        ("mean", "", "2.1500000000000004"),
        ("3", "1", "2.1"),
        ("4", "2", "2.2"),
    ]
    assert {row["seed"]: row["note"] for row in table[3:]} == {
        str(jobs.RAISES): "RuntimeError: the power",
        str(jobs.EXITS): "exit status 3",
        str(jobs.IS_KILLED): "killed by SIGKILL",
    }
    (tmp_path / "s/mended").touch()
    assert sweep(f"seed=3,1,2,{jobs.RAISES}") == 0
    assert [row["seed"] for row in rows(tmp_path / "s/sweep.csv") if row["status"] == "done" and row["seed"]] == [
        *("1", "2", "3", str(jobs.RAISES))
    ]
    starts = {folder.name: (folder / "starts.txt").read_text().split() for folder in (tmp_path / "s").glob("[0-9]")}
    assert starts == {"0": ["None"] * 2, **{name: ["None"] for name in "12345"}}


@pytest.mark.parametrize(("script", "status"), [("trap 'exit 130' INT; sleep 60 & wait", 130), ("sleep 60", -2)])
def test_a_job_that_takes_too_long_is_told_to_stop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, status: int
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background leaves it ignored, jobs too
    launcher = IsolatedLauncher(timeout_minutes=0.02)
    monkeypatch.setattr(launcher, "_command", lambda planned: ["sh", "-c", script])
    assert launcher._process(Planned(0, "#0", [], tmp_path, OmegaConf.create())) == status


def test_a_mistyped_value_is_refused_before_anything_runs(sweep: Sweep, tmp_path: Path) -> None:
    assert sweep("network=edsr_baseline,edsr_basline") == 2
    assert not list((tmp_path / "s").glob("*/starts.txt"))


@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_local"])
def test_other_launchers_keep_the_same_records(sweep: Sweep, tmp_path: Path, launcher: str) -> None:
    options = [f"hydra/launcher={launcher}"]
    if launcher.startswith("submitit"):  # its own folder has the job's number, and is made after the job has begun
        options.append("hydra.launcher.submitit_folder=${hydra.sweep.dir}/.submitit")
    for _ in range(2):
        assert sweep(*options, "seed=2,1", "scale=2") == 0
    table = rows(tmp_path / "s/sweep.csv")
    assert [(row["job"], row["value"]) for row in table[1:]] == [("1", "2.1"), ("0", "2.2")]
    assert [len((tmp_path / f"s/{number}/starts.txt").read_text().split()) for number in (0, 1)] == [1, 1]


def test_means_are_over_seeds_or_what_else_repeats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {("edsr", "1"): 30.0, ("edsr", "2"): 32.0, ("edsr", "3"): 34.0, ("rcan", "1"): 33.5, ("rcan", "2"): 33.7}
    for number, ((network, seed), value) in enumerate(values.items()):
        asked = (f"network={network}", f"seed={seed}", "scale=2")
        write_job(
            tmp_path / str(number), Job(asked, "done", begun=1.0, ended=4.0, objective=Objective("psnr", value, True))
        )
    write_job(tmp_path / "5", Job(("network=rcan", "seed=3", "scale=2"), "running", host="elsewhere", pid=7))
    lines = lines_of(tmp_path)
    means = [(line.settings, line.value, line.spread, line.runs) for line in lines if line.job == "mean"]
    (rcan, *of_rcan, two), (edsr, *of_edsr, three) = means
    assert (rcan, edsr, two, three) == ({"network": "rcan"}, {"network": "edsr"}, 2, 3)
    assert of_rcan == pytest.approx([33.6, 0.02**0.5])
    assert of_edsr == pytest.approx([32.0, 2.0])
    assert [line.job for line in lines if line.job != "mean"] == ["2", "4", "3", "1", "0", "5"]
    assert "process 7 of elsewhere" in lines[-1].note
    networks = [line.settings for line in lines_of(tmp_path, over=["network"]) if line.job == "mean"]
    assert networks == [{"seed": "2"}, {"seed": "1"}]
    with pytest.raises(SystemExit, match="0"):
        run_command(tmp_path, "--over", "seed")
    assert "33.6000 ± 0.1414 (n = 2)" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        run_command(tmp_path / "nowhere")


def test_a_job_is_alive_while_it_is_in_slurms_queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    squeue = tmp_path / "squeue"
    squeue.write_text('#!/bin/sh\n[ "$2" = --jobs=12_3 ] && echo PENDING\n')
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    job = Job(("seed=1",), "running", "elsewhere", 1, slurm="12_3")
    assert job.is_alive()
    assert not replace(job, slurm="12_4").is_alive()
    assert not replace(job, status="interrupted").is_alive()
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert not job.is_alive()  # it is the one that asks, queued again


def test_a_torn_status_file_is_no_job(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text('{"overrides": [')
    assert read_job(tmp_path) is None


def run_command(*arguments: object) -> None:
    sys.argv = ["srlab-sweep", *map(str, arguments)]
    sweep_command.main()
