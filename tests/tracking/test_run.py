"""What a training tells W&B, as the reader of its files has it back: with no server, after a kill, in one run."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import wandb
from omegaconf import OmegaConf
from PIL import Image

from srlab.errors import InputError
from srlab.evaluation.results import read_results
from srlab.tracking import command as wandb_command
from srlab.tracking.logger import WeightsAndBiases
from srlab.tracking.offline import read_run
from tests.conftest import ROOT, TINY, Command
from tests.test_training import rows_of

GROWING = [
    *("framework=progressive", "framework.separate_heads=true", "scale=4", "curriculum=[growing_scales]"),
    *("curriculum.scales.scales=[2,4]", "curriculum.scales.patches=[8,6]", "curriculum.scales.steps=[0.25,0.5]"),
    *("logger=[csv,wandb]", "logger.wandb.system_seconds=0.1"),
]
"""x2 in iterations 1 and 2, x4 blended in during 3 and 4, both whole from then on."""


@pytest.mark.usefixtures("photos")
def test_a_run_that_was_killed_and_resumed_is_read_back_as_one(
    command: Command, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert command("train", *TINY, *GROWING, "hydra.run.dir=first", "iterations=1").status == 0
    arguments = [*TINY, *GROWING, "hydra.run.dir=run", "weights=first", "iterations=8"]
    with pytest.raises(RuntimeError, match="power"):
        command("train", *arguments, "+callbacks.end={_target_: tests.saboteurs.EndAt, iteration: 6}")
    assert read_run(tmp_path / "run").exit_code == 1
    composed = OmegaConf.load(tmp_path / "run/.hydra/config.yaml")
    del composed.callbacks.end
    OmegaConf.save(composed, tmp_path / "run/.hydra/config.yaml")
    assert command("train", "resume=run").status == 0
    wandb.teardown()

    run = read_run(tmp_path / "run")
    assert (run.id, run.starts, run.exit_code) == ((tmp_path / "run/wandb_id").read_text(), 2, 0)
    assert (run.project, run.group, run.name) == ("srlab", "", "run")
    logged = {
        (int(row["iteration"]), row["metric"]): float(row["value"]) for row in rows_of(tmp_path / "run/metrics.csv")
    }
    assert {(i, name): value for i, row in run.history.items() for name, value in row.items()} == pytest.approx(logged)
    assert run.curve("train/stage") == dict(enumerate([0, 0, 0, 1, 1, 1, 1, 1], start=1))
    assert run.config["backbone"]["width"] == 8
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    assert run.config["code"]["commit"] == (head.stdout.strip() or None)
    assert run.config["units"]["val/psnr_y"] == "dB"
    psnr = run.curve("val/psnr_y")
    assert run.summary["val/psnr_y"] == {"max": max(psnr.values()), "last": psnr[8]}
    assert [(image.name.rpartition("/")[2], image.iteration) for image in run.images] == [
        (image, iteration) for iteration in (4, 8) for image in "01"
    ]
    assert run.images[0].caption.startswith("iteration 4: LR, bicubic ")
    for image in run.images:
        (ours,) = tmp_path.glob(f"run/images/*_{image.name[-1]}_{image.iteration:09d}.png")
        assert np.array_equal(np.asarray(Image.open(image.path)), np.asarray(Image.open(ours)))
    results = [row for row in read_results(tmp_path / "run/results.csv") if row.image != "mean"]
    assert [(row["image"], row["metric"], row["value"]) for row in run.tables["test/scores"]] == [
        (row.image, row.metric, row.value) for row in results
    ]
    values = [row.value for row in results if (row.metric, row.scale) == ("psnr_y", 4) and row.network != "bicubic"]
    (tested,) = {row.dataset for row in results if row.scale == 4}
    assert run.summary[f"test/{tested}/psnr_y"] == pytest.approx(sum(values) / len(values))
    (network,) = run.artifacts.values()
    assert {name: Path(path) for name, path in network["files"].items()} == {
        name: tmp_path / "run/export" / name for name in ("config.yaml", "model.safetensors")
    }
    assert network["metadata"]["begun_with"] == f"network-{(tmp_path / 'first/wandb_id').read_text()}"
    assert "cpu" in set().union(*run.system)

    assert read(tmp_path / "run", "--images", str(tmp_path / "pictures")) == 0
    printed = capfd.readouterr().out
    assert f"run {run.id}" in printed
    assert "val/psnr_y" in printed
    assert len(list((tmp_path / "pictures").iterdir())) == 4
    assert read(tmp_path / "run", "--json") == 0
    assert json.loads(capfd.readouterr().out)["id"] == run.id
    assert read(tmp_path / "photos") == 2


def read(*arguments: object) -> int:
    """The exit status of `srlab-wandb read`."""
    sys.argv = ["srlab-wandb", "read", *map(str, arguments)]
    with pytest.raises(SystemExit) as end:
        wandb_command.main()
    return int(end.value.code or 0)


@pytest.fixture
def begin(tmp_path: Path) -> Callable[[], WeightsAndBiases]:
    return lambda: WeightsAndBiases(str(tmp_path), mode="offline")


def test_a_later_start_stands_for_all_from_its_first_iteration_on(
    begin: Callable[[], WeightsAndBiases], tmp_path: Path
) -> None:
    for values in ({1: 4.0, 2: 9.0, 3: math.nan}, {2: 5.0, 3: math.inf, 4: 6.0}):
        logger = begin()
        for iteration, value in values.items():
            logger.log_metrics({"val/psnr_y": value, "val/lpips": -value, "train/loss": value}, iteration)
        wandb.teardown()  # which also waits for what is not on the disk yet
    run = read_run(tmp_path)
    assert run.curve("val/psnr_y") == {1: 4.0, 2: 5.0, 3: math.inf, 4: 6.0}
    assert run.summary["val/psnr_y"] == {"max": math.inf, "last": 6.0}
    assert run.summary["val/lpips"] == {"min": -math.inf, "last": -6.0}
    assert run.summary["train/loss"] == 6.0


def test_a_file_that_a_kill_cut_is_read_up_to_there(begin: Callable[[], WeightsAndBiases], tmp_path: Path) -> None:
    logger = begin()
    for iteration in range(1, 400):
        logger.log_metrics({"train/loss": float(iteration)}, iteration)
    wandb.teardown()
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    run = read_run(tmp_path)
    losses = run.curve("train/loss")
    assert 50 < len(losses) < 350
    assert losses == {iteration: float(iteration) for iteration in range(1, len(losses) + 1)}
    assert run.exit_code is None
    with pytest.raises(InputError, match="holds no W&B run"):
        read_run(tmp_path / "wandb")
