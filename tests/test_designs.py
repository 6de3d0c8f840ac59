"""The study of designs at equal time runs, from its rates to its table, and its designs cost alike."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from experiments.designs import run, table
from srlab.build import build
from srlab.networks.cost import cost


@pytest.mark.slow
@pytest.mark.parametrize("design", run.DESIGNS)
def test_designs_cost_alike(design: str, tmp_path: Path) -> None:
    cfg = run.training(design, tmp_path, tmp_path, 10)
    with torch.device("meta"):
        multiply_adds = cost(build(cfg.framework)).multiply_adds
    assert multiply_adds == pytest.approx(16e9, rel=0.1)


def test_the_study_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for folder in ("T91", "BSDS200", "Set5/HR", "Set14/HR"):
        (tmp_path / folder).mkdir(parents=True)
        coarse = Image.fromarray(rng.integers(0, 256, (9, 10, 3), dtype=np.uint8))
        coarse.resize((80, 72), Image.Resampling.BICUBIC).save(tmp_path / folder / "image.png")
    monkeypatch.setattr(run, "ROUNDS", 1)
    monkeypatch.setattr(run, "SECONDS", 0.05)
    monkeypatch.setattr(table, "HERE", tmp_path)
    design = "plain, post-upsampling (ESPCN)"
    run.measure([design], tmp_path, tmp_path)
    run.train_all([design], tmp_path, tmp_path)
    table.main(str(tmp_path))
    assert (tmp_path / "pareto.png").stat().st_size > 1000
    with (tmp_path / "results.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["network"], row["protocol"]) == (design, "classical_y")
    assert float(row["set5_psnr_y"]) > 0
    assert float(row["step_s"]) > 0
