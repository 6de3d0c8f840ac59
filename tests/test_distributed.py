"""One training by several processes: what one process does with as large a batch, however they are started.

The signals of a cluster, and Slurm's ways to start processes, are tested in tests/slurm.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

import srlab
from srlab.build import build
from srlab.errors import InputError
from srlab.sharding import FullySharded
from tests.conftest import ROOT, TINY, Command, composed

LINE = [
    *TINY,
    "scheduler=constant",
    "optimizer=sgd",  # whose steps are the gradients
    "optimizer.lr=0.1",
    "optimizer.momentum=0.9",
    "callbacks=[checkpoints]",
    "+callbacks.note._target_=tests.spies.NotePositions",
    "trainer.val_check_interval=3",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
]
TWO = ["trainer.devices=2", "trainer.strategy=ddp"]
TRAIN = str(Path(sys.executable).with_name("srlab-train"))
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "srlab.train"]
TOLERANCE = 5e-6
"""Of weights and momenta after six steps: sums of float32 in another order."""


def start(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def served(run: Path) -> dict[int, list[int]]:
    """The positions of each iteration's samples, those of the first rank before those of the next."""
    found: dict[int, list[int]] = defaultdict(list)
    for path in sorted(run.glob("served_*.jsonl")):
        for iteration, positions in map(json.loads, path.read_text().splitlines()):
            found[iteration] += positions
    return found


def scores(run: Path) -> dict[tuple[str, str], float]:
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["iteration"], row["metric"]): float(row["value"]) for row in rows if row["metric"].startswith("val/photos")
    }


def state(run: Path, iteration: int) -> dict[str, Any]:
    checkpoint = torch.load(run / f"checkpoints/iteration_{iteration:09d}.ckpt", weights_only=True)
    return {"weights": checkpoint["state_dict"], "momenta": checkpoint["optimizer_states"]}


@pytest.mark.usefixtures("photos")
def test_two_processes_equal_one_and_one_goes_on_where_two_left_off(command: Command, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert command("train", *LINE, "data.batch_size=4", "hydra.run.dir=one").status == 0
    ended = start(tmp_path, *TORCHRUN, *LINE, *TWO, "iterations=4", "hydra.run.dir=two")
    assert ended.returncode == 0, ended.stderr[-3000:]
    outcome = command("train", "resume=two", "trainer.devices=1", "trainer.strategy=auto", "iterations=6")
    assert outcome.status == 0, outcome.err
    assert served(two) == served(one) == {i: [4 * i - 4, 4 * i - 3, 4 * i - 2, 4 * i - 1] for i in range(1, 7)}
    torch.testing.assert_close(state(two, 4), state(one, 4), rtol=0, atol=TOLERANCE)
    torch.testing.assert_close(state(two, 6), state(one, 6), rtol=0, atol=TOLERANCE)
    assert scores(two).keys() == scores(one).keys()
    assert scores(two) == pytest.approx(scores(one), rel=1e-4)  # 3 images: two of the first rank, one of the second
    assert len((two / "results.csv").read_text().splitlines()) == len((one / "results.csv").read_text().splitlines())


def test_batches_that_cannot_be_shared_are_refused(tmp_path: Path) -> None:
    data = build(composed("train", ["data.batch_size=4", f"run_dir={tmp_path}"]).data)
    data.trainer = SimpleNamespace(world_size=3, global_rank=0)
    with pytest.raises(InputError, match="divides 4"):
        data.load_state_dict({"together": 4})
    data.trainer.world_size = 2
    data.load_state_dict({"together": 4})
    assert data.batch_size == 2


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_shared_weights_learn_as_whole_ones_do(command: Command, tmp_path: Path) -> None:
    one, shared = tmp_path / "one", tmp_path / "shared"
    assert command("train", *LINE, "data.batch_size=4", "hydra.run.dir=one").status == 0
    sharded = ["trainer=sharded", "trainer.devices=2", "trainer.strategy.unit_weights=500", "iterations=4"]
    ended = start(tmp_path, *TORCHRUN, *sharded, *LINE, "hydra.run.dir=shared")
    assert ended.returncode == 0, ended.stderr[-3000:]
    ended = start(tmp_path, *TORCHRUN, "resume=shared", "iterations=6")
    assert ended.returncode == 0, ended.stderr[-3000:]
    for iteration in (4, 6):
        torch.testing.assert_close(state(shared, iteration), state(one, iteration), rtol=0, atol=TOLERANCE)
    assert scores(shared) == pytest.approx(scores(one), rel=1e-4)
    lr = torch.rand(1, 3, 9, 7)
    torch.testing.assert_close(srlab.load(shared)(lr).sr, srlab.load(one)(lr).sr, rtol=0, atol=1e-5)


def test_paradigms_of_several_networks_are_not_shared(tmp_path: Path) -> None:
    gan = ["paradigm=adversarial", "discriminator=patchgan", "loss=[l1,gan]", "backbone.blocks=1"]
    paradigm = build(composed("train", [*gan, f"run_dir={tmp_path}"]).paradigm)
    paradigm.trainer = SimpleNamespace(strategy=FullySharded())
    with pytest.raises(InputError, match="strategy=ddp"):
        paradigm.configure_model()


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("launcher", [[TRAIN], TORCHRUN])
def test_a_rank_that_fails_takes_the_job_down_and_says_why(tmp_path: Path, launcher: list[str]) -> None:
    end = "+callbacks.end={_target_:tests.saboteurs.EndAt,iteration:2,rank:1}"
    begun = time.monotonic()
    ended = start(tmp_path, *launcher, *LINE, *TWO, end, "hydra.run.dir=run")
    assert ended.returncode != 0
    assert "RuntimeError: the power went out" in ended.stdout + ended.stderr
    assert time.monotonic() - begun < 150  # a start takes 10 to 60 s; a rank would wait for another for 30 minutes


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_a_sweeps_jobs_may_be_of_several_processes_each(tmp_path: Path) -> None:
    ended = start(tmp_path, TRAIN, "-m", *LINE, *TWO, "iterations=2", "seed=0,1", "hydra.sweep.dir=s")
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert {path.parent.parent.name for path in (tmp_path / "s").glob("*/export/config.yaml")} == {"0", "1"}
    for job in "01":
        assert served(tmp_path / "s" / job) == {1: [0, 1, 2, 3], 2: [4, 5, 6, 7]}


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_a_test_set_is_scored_by_several_processes(tmp_path: Path) -> None:
    line = ["-m", "srlab.test", "network=bicubic", "data=folder", "data.root=photos", "data.val_root=photos"]
    alone = start(tmp_path, sys.executable, *line, "hydra.run.dir=alone")
    both = start(tmp_path, *TORCHRUN[:-2], *line, "hydra.run.dir=both")
    assert (alone.returncode, both.returncode) == (0, 0), both.stderr[-3000:]
    rows = []
    for run in ("alone", "both"):
        with (tmp_path / run / "results.csv").open(newline="") as file:
            rows.append([{**row, "seconds": ""} for row in csv.DictReader(file)])
    assert rows[0] == rows[1]
    assert len(rows[0]) == 8  # two metrics of three images, and their means


def test_processes_that_were_started_together_need_a_named_folder(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    outcome = command("train", *TINY)
    assert (outcome.status, "hydra.run.dir=" in outcome.err) == (2, True)
