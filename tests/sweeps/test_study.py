"""Studies: what fails does not end them, what is stored is not done again, and several workers share one."""

import csv
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from srlab.errors import InputError
from srlab.sweeps import space
from srlab.sweeps.jobs import read_job
from srlab.sweeps.study import STUDY, open_study
from tests.conftest import ROOT, TINY, Command
from tests.sweeps import trial as jobs

LINE = [
    *(sys.executable, "-m", "tests.sweeps.trial", "-m", "hydra/sweeper=optuna", "hydra/launcher=isolated"),
    *("hydra.sweep.dir=s", "hydra.sweeper.direction=minimize", "hydra/sweeper/sampler=each_once"),
]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*LINE, *arguments], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    process = start(folder, *arguments)
    out, _ = process.communicate(timeout=300)
    return process.returncode, out


def trials(folder: Path) -> list[FrozenTrial]:
    settings = OmegaConf.load(folder / "s" / STUDY)
    assert isinstance(settings, DictConfig)
    return open_study(settings, folder / "s").get_trials()


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "s/sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_fails_does_not_end_a_study_which_goes_on_in_new_folders(tmp_path: Path) -> None:
    status, out = run(tmp_path, "seed=range(0,7)", "hydra.sweeper.n_trials=5", "hydra/sweeper/pruner=none")
    assert status == 0, out
    first = trials(tmp_path)
    assert len(first) == 5
    status, out = run(tmp_path, "seed=range(0,7)", "hydra.sweeper.n_trials=7", "hydra/sweeper/pruner=none")
    assert status == 0, out
    both = trials(tmp_path)
    assert [trial.params for trial in both[:5]] == [trial.params for trial in first]
    expected = {
        seed: TrialState.FAIL if seed in (jobs.RAISES, jobs.IS_KILLED, jobs.IS_NO_NUMBER) else TrialState.COMPLETE
        for seed in range(7)
    }
    assert {trial.params["seed"]: trial.state for trial in both} == expected
    notes = {trial.params["seed"]: trial.user_attrs.get("note", "") for trial in both}
    assert notes[jobs.RAISES] == "RuntimeError: the power went out"
    assert notes[jobs.IS_KILLED].startswith("killed by SIGKILL")
    assert notes[jobs.IS_NO_NUMBER] == "it came to no number"
    assert [(trial.params["seed"], trial.value) for trial in both if trial.value is not None] == [
        (trial.params["seed"], jobs.scores(trial.params["seed"])[-1])
        for trial in both
        if trial.state == TrialState.COMPLETE
    ]
    table = rows(tmp_path)
    assert [row["seed"] for row in table if row["seed"] and row["value"] not in {"", "nan"}] == ["0", "4", "5", "6"]
    assert {row["job"] for row in table if row["job"] != "mean"} == set("0123456")
    assert "best: -2 by trial" in out
    status, out = run(tmp_path, "seed=range(0,7)", "hydra.sweeper.n_trials=7", "hydra/sweeper/pruner=none")
    assert (status, len(trials(tmp_path))) == (0, 7)
    assert [(path / "starts.txt").read_text().count("started") for path in (tmp_path / "s").glob("[0-9]")] == [1] * 7
    for other in (["seed=range(0,8)"], ["seed=range(0,7)", "scale=3"]):
        status, out = run(tmp_path, *other, "hydra.sweeper.n_trials=9")
        assert (status, "give another hydra.sweep.dir" in out) == (2, True)


def test_a_trial_below_the_median_is_ended_and_is_not_run_again(tmp_path: Path) -> None:
    line = [
        "seed=4,5,6,7,8,9",
        "hydra.sweeper.n_trials=6",
        "hydra.sweeper.pruner.n_startup_trials=2",
        "hydra.sweeper.seed=0",
    ]
    status, out = run(tmp_path, *line)
    assert status == 0, out
    complete: list[int] = []
    for trial in trials(tmp_path):
        seed = int(trial.params["seed"])
        worse = [
            step
            for step in range(3)
            if len(complete) >= 2
            and jobs.scores(seed)[step] > statistics.median(jobs.scores(other)[step] for other in complete)
        ]
        assert trial.state == (TrialState.PRUNED if worse else TrialState.COMPLETE)
        job = read_job(tmp_path / "s" / str(trial.number))
        assert job is not None
        assert job.status == ("pruned" if worse else "done")
        if worse:
            assert job.error == f"pruned at iteration {worse[0]}"
            assert list(trial.intermediate_values) == [0]
        else:
            complete.append(seed)
    assert 2 <= len(complete) < 6
    assert run(tmp_path, *line)[0] == 0
    assert [(path / "starts.txt").read_text().count("started") for path in (tmp_path / "s").glob("[0-9]")] == [1] * 6


@pytest.mark.slow
def test_two_workers_share_a_study(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / jobs.WAITS).touch()  # so that neither runs ahead
    line = ["seed=4,5,6,7,8,9", "hydra.sweeper.n_trials=5", "hydra/sweeper/pruner=none"]
    workers = [start(tmp_path, *line) for _ in range(2)]
    await_folders(tmp_path, 2)
    (tmp_path / "s" / jobs.WAITS).unlink()
    for worker in workers:
        out, _ = worker.communicate(timeout=300)
        assert worker.returncode == 0, out
    known = [trial for trial in trials(tmp_path) if "abandoned" not in trial.user_attrs]
    assert len(known) == 5
    assert len({trial.user_attrs["worker"] for trial in known}) == 2
    folders = [str(trial.number) for trial in known if "note" not in trial.user_attrs]
    assert sorted(path.name for path in (tmp_path / "s").glob("[0-9]")) == sorted(folders)
    assert all((tmp_path / "s" / name / "starts.txt").read_text() == "started\n" for name in folders)


@pytest.mark.slow
def test_what_a_killed_worker_left_is_taken_up(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / jobs.WAITS).touch()
    line = ["seed=4,5", "hydra.sweeper.n_trials=2", "hydra/sweeper/pruner=none"]
    worker = start(tmp_path, *line)
    await_folders(tmp_path, 1)
    worker.send_signal(signal.SIGKILL)  # its job, a process of its own, lives on
    worker.communicate()
    again = start(tmp_path, *line)
    time.sleep(1)
    (tmp_path / "s" / jobs.WAITS).unlink()
    out, _ = again.communicate(timeout=300)
    assert again.returncode == 0, out
    assert "Trial 0 was left unfinished" in out
    assert [(trial.state.name, trial.user_attrs.get("abandoned", False)) for trial in trials(tmp_path)] == [
        *(("FAIL", True), ("COMPLETE", False), ("COMPLETE", False))
    ]
    assert {path.name: (path / "starts.txt").read_text() for path in (tmp_path / "s").glob("[0-9]")} == {
        "0": "started\n",
        "2": "started\n",
    }


def await_folders(folder: Path, number: int) -> None:
    """Wait until so many jobs have begun."""
    end = time.monotonic() + 120
    while len(list(folder.glob("s/[0-9]/starts.txt"))) < number:
        assert time.monotonic() < end, "the jobs do not begin"
        time.sleep(0.1)


@pytest.mark.usefixtures("photos")
def test_a_training_reports_its_validations_and_is_ended_by_the_pruner(command: Command, tmp_path: Path) -> None:
    line = [
        "-m",
        *TINY,
        "hydra/sweeper=optuna",
        "hydra/launcher=basic",
        "hydra.sweep.dir=s",
        "trainer.val_check_interval=2",
    ]
    lr = "optimizer.lr=tag(log,interval(1e-4,1e-2))"
    outcome = command("train", *line, lr, "hydra.sweeper.n_trials=1")
    assert outcome.status == 0, outcome.err
    threshold = [
        *("hydra.sweeper.pruner._target_=optuna.pruners.ThresholdPruner", "+hydra.sweeper.pruner.lower=1000"),
        *("~hydra.sweeper.pruner.n_startup_trials", "hydra.sweeper.pruner.n_warmup_steps=2"),
    ]
    outcome = command("train", *line, lr, "hydra.sweeper.n_trials=2", *threshold)
    assert outcome.status == 0, outcome.err
    whole, pruned = trials(tmp_path)
    assert (whole.state, list(whole.intermediate_values)) == (TrialState.COMPLETE, [2, 4, 6])
    assert whole.value == max(whole.intermediate_values.values())
    assert (pruned.state, list(pruned.intermediate_values)) == (TrialState.PRUNED, [2])
    assert not (tmp_path / "s/1/export").exists()
    assert [row["status"] for row in rows(tmp_path)] == ["done", "pruned"]
    outcome = command("train", *line, lr, "hydra.sweeper.n_trials=2", "hydra.sweeper.direction=minimize")
    assert outcome.status == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1,x,true", CategoricalDistribution(["1", "x", "True"])),
        ("a=choice(edsr,rcan)", CategoricalDistribution(["edsr", "rcan"])),
        ("a=range(1,9,2)", IntDistribution(1, 7, step=2)),
        ("a=range(0.5,2,0.5)", FloatDistribution(0.5, 1.5, step=0.5)),
        ("a=int(interval(1,8))", IntDistribution(1, 8)),
        ("a=interval(0.0,1)", FloatDistribution(0.0, 1.0)),
        ("a=tag(log,interval(1e-5,1e-3))", FloatDistribution(1e-5, 1e-3, log=True)),
    ],
)
def test_values_are_written_as_on_any_command_line(text: str, expected: optuna.distributions.BaseDistribution) -> None:
    fixed, chosen = space.split(OverridesParser.create().parse_overrides(["b=[1,2]", text]))
    assert (fixed, chosen) == (["b=[1,2]"], {"a": expected})


def test_what_cannot_be_chosen_from_is_refused() -> None:
    for text in ("a=range(3,3)", "a=interval(2.0,1.0)", "a=tag(log,interval(0.0,1.0))"):
        with pytest.raises(InputError, match="a"):
            space.split(OverridesParser.create().parse_overrides([text]))


def test_chosen_numbers_keep_every_digit() -> None:
    assert space.written({"lr": 0.1 + 0.2, "network": "edsr", "width": 8}) == [
        *("lr=0.30000000000000004", "network=edsr", "width=8")
    ]
