"""`srlab-kernel` from a photograph to files that other commands take."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srlab.degradation.blur import KernelBlur
from tests.conftest import Command

QUICK = ["method.iterations=2", "method.patches=400", "method.candidates=800"]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8), np.ones((8, 8, 1), dtype=np.uint8))
    Image.fromarray(blocks).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.mark.usefixtures("photo")
def test_the_kernel_is_written_and_degrades_images(command: Command, tmp_path: Path) -> None:
    outcome = command("kernel", "input=photo.png", *QUICK, "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    assert "kernel.npy" in outcome.out
    assert "variance" in outcome.out
    for suffix in ("npy", "mat"):
        degradation = KernelBlur(2, str(tmp_path / f"run/kernel.{suffix}"))
        assert degradation(torch.rand(1, 3, 32, 32), torch.tensor([0]), torch.tensor([0])).lr.shape == (1, 3, 16, 16)
    assert Image.open(tmp_path / "run/kernel.png").size[0] > 100
    assert command("kernel", "input=photo.png", *QUICK, "hydra.run.dir=run").status == 2  # nothing is overwritten


@pytest.mark.usefixtures("photo")
def test_several_seeds_tell_how_repeatable_it_is(command: Command, tmp_path: Path) -> None:
    outcome = command("kernel", "input=photo.png", "seeds=[0,1,2]", *QUICK, "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    assert "repeatability over 3 seeds" in outcome.out
    with (tmp_path / "run/repeatability.csv").open(newline="") as file:
        *pairs, mean = list(csv.DictReader(file))
    assert [(row["seed"], row["other_seed"]) for row in pairs] == [("0", "1"), ("0", "2"), ("1", "2")]
    distances = [float(row["l1_distance"]) for row in pairs]
    assert all(0 < one < 2 for one in distances)
    assert float(mean["l1_distance"]) == pytest.approx(np.mean(distances))
    assert (tmp_path / "run/seeds.png").is_file()


@pytest.mark.usefixtures("photo")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["input=none.png"], "no such file"),
        (["input=photo.png", "scale=5"], "scale=5"),
        (["input=photo.png", "seeds=[]"], "seeds="),
        (["input=photo.png", "seeds=[1,1]"], "seeds="),
        (["input=photo.png", "method.patch=2"], "patch=2"),
        (["input=photo.png", "method.pach=5"], "Did you mean patch"),
        (["input=tiny.png"], "too small"),
        (["input=text.png"], "cannot be read"),
        ([], "input=..."),
    ],
)
def test_what_cannot_be_is_refused(command: Command, tmp_path: Path, arguments: list[str], message: str) -> None:
    Image.fromarray(np.zeros((20, 20, 3), dtype=np.uint8)).save(tmp_path / "tiny.png")
    (tmp_path / "text.png").write_text("no image")
    outcome = command("kernel", *arguments)
    assert outcome.status == 2, outcome.out
    assert message in outcome.err
