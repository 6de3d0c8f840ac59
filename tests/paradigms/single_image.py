"""What the tests of both paradigms of one image share: tiny files, tiny trainings, and what they leave."""

import csv
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tests.conftest import Command

COMMON = [
    "logger=[csv]",
    "callbacks=[checkpoints,strips]",
    "trainer.enable_progress_bar=false",
    "trainer.log_every_n_steps=1",
    "trainer.precision=32-true",
    "callbacks.checkpoints.every=2",
]


def draw_pair(folder: Path, scale: int, side: int = 64) -> None:
    """`HR/image.png`, and its `LR/image.png` by Pillow's Lanczos; `garbage.png` is noise of HR's size."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    hr = coarse.resize((side, side), Image.Resampling.NEAREST)
    for name, image in (("HR", hr), ("LR", hr.resize((side // scale, side // scale), Image.Resampling.LANCZOS))):
        (folder / name).mkdir()
        image.save(folder / name / "image.png")
    Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(folder / "garbage.png")


def trained(command: Command, name: str, *arguments: str) -> None:
    """Train in the folder `name`."""
    outcome = command("train", *COMMON, *arguments, f"hydra.run.dir={name}")
    assert outcome.status == 0, outcome.err


def state(folder: Path, iteration: int) -> dict[str, Tensor]:
    """All tensors of a run's checkpoint."""
    path = folder / f"checkpoints/iteration_{iteration:09d}.ckpt"
    tensors: dict[str, Tensor] = torch.load(path, weights_only=True)["state_dict"]
    return tensors


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    """Whether two checkpoints hold the same tensors, to the bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def curve(folder: Path, metric: str) -> dict[int, float]:
    """A logged metric by iteration."""
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"] == metric]
    return {int(row["iteration"]): float(row["value"]) for row in rows}
