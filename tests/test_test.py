"""`srlab-test`: published figures from the command line, and the contract of its results."""

import csv
from pathlib import Path

import pytest
import torch

from tests.conftest import Command

COLUMNS = "dataset,image,metric,value,unit,protocol,protocol_hash,network,scale,weights,seconds"


def mean_of(path: Path, metric: str) -> float:
    with path.open(newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if (row["image"], row["metric"]) == ("mean", metric)]
    return float(row["value"])


@pytest.mark.parametrize(("scale", "psnr", "ssim"), [(2, 33.673, 0.9303), (3, 30.403, 0.8689), (4, 28.429, 0.8111)])
def test_bicubic_on_set5_is_the_published_baseline(
    command: Command, tmp_path: Path, data_root: Path, scale: int, psnr: float, ssim: float
) -> None:
    root = data_root / "photos/Set5"
    arguments = ["network=bicubic", f"scale={scale}", "data=benchmark", "hydra.run.dir=run"]
    outcome = command("test", *arguments, f"data.root={root}/HR")
    assert outcome.status == 0, outcome.err
    results = tmp_path / "run/results.csv"
    assert results.read_text().splitlines()[0] == COLUMNS
    assert len(results.read_text().splitlines()) == 1 + 2 * (5 + 1)
    assert mean_of(results, "psnr_y") == pytest.approx(psnr, abs=5e-4)
    assert mean_of(results, "ssim_y") == pytest.approx(ssim, abs=5e-5)


def test_published_weights_from_the_command_line(
    command: Command, tmp_path: Path, data_root: Path, weights_root: Path
) -> None:
    torch.set_num_threads(2)
    chosen = ["network=srcnn_915", f"weights={weights_root}/srcnn_915_x3.pt", "scale=3", "protocol=float_y"]
    outcome = command("test", *chosen, "data=benchmark", f"data.root={data_root}/photos/Set5", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    assert mean_of(tmp_path / "run/results.csv", "psnr_y") == pytest.approx(32.485, abs=0.01)


def test_weights_of_another_network_are_named(command: Command, weights_root: Path) -> None:
    outcome = command("test", "network=edsr_baseline", f"weights={weights_root}/vdsr.pt")
    assert outcome.status == 2
    assert "network=vdsr" in outcome.err


def test_a_network_that_learns_needs_weights(command: Command) -> None:
    outcome = command("test", "network=edsr_baseline")
    assert outcome.status == 2
    assert "weights=" in outcome.err


def test_a_sweep_of_baselines_leaves_a_table_each(command: Command, tmp_path: Path) -> None:
    outcome = command("test", "-m", "network=bicubic,nearest,lanczos", "hydra.sweep.dir=sweep")
    assert outcome.status == 0, outcome.err
    scores = [mean_of(tmp_path / "sweep" / job / "results.csv", "psnr_y") for job in "012"]
    assert scores[2] > scores[0] > scores[1]  # Lanczos, bicubic, nearest
