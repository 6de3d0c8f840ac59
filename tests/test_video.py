"""Clips through every command: trained on, tested, enlarged and reported, with what they were made by."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from srlab.data.images import write_image
from srlab.evaluation.results import read_results
from tests.conftest import Command

TINY = [
    "experiment=video_x4",
    "iterations=2",
    "trainer.val_check_interval=2",
    "data.root=clips",
    "data.test_root=set",
    "data.frames=3",
    "data.patch=8",
    "data.batch_size=2",
    "framework.blocks=1",
    "framework.width=8",
    "logger=[csv]",
]


@pytest.fixture
def clips(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 24, 3)).repeat(6, 0).repeat(6, 1).astype(np.uint8)
    for clip, length in (("clips/a", 5), ("clips/b", 4), ("set/walk", 5), ("set/city", 5)):
        for t in range(length):
            write_image(tmp_path / clip / f"Frame {t:03d}.png", picture[2 * t :, 3 * t :][:48, :48])
    for t in range(3):
        write_image(tmp_path / "small" / f"Frame {t:03d}.png", picture[2 * t :, 3 * t :][:16, :20])


@pytest.mark.usefixtures("clips")
def test_clips_are_trained_on_tested_and_enlarged(command: Command, tmp_path: Path) -> None:
    outcome = command("train", *TINY, "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    rows = [row for row in read_results(tmp_path / "run/results.csv") if row.metric == "psnr_y"]
    assert [(row.network, row.image) for row in rows if row.network == "bicubic"] == [
        ("bicubic", "city"), ("bicubic", "walk"), ("bicubic", "mean")
    ]  # fmt: skip
    assert len(rows) == 6
    assert {row.protocol for row in rows} == {"vid4_bd_crop8"}
    with Image.open(tmp_path / "run/comparison.png") as picture:
        assert picture.height > 2 * 48, "frames and profiles"
    assert list((tmp_path / "run").rglob("set_city_*.png")), "a strip of each validation"
    described = yaml.safe_load((tmp_path / "run/export/config.yaml").read_text())
    assert described["degradation"] == "bd 1.6"
    assert command("upscale", "weights=run", "input=small", "output=large", "precision=32").status == 0
    assert [path.name for path in (tmp_path / "large").iterdir()] == ["small_x4"]
    with Image.open(tmp_path / "large/small_x4/Frame 002.png") as frame:
        assert frame.size == (80, 64)
    page = command("report.command", "runs=run", "output=report.html", "images=1")
    assert page.status == 0, page.err
    assert (tmp_path / "report.html").read_text().count('"png": "data:image/png') == 4, "LR, bicubic, ours, HR"


@pytest.mark.usefixtures("clips")
def test_a_network_of_images_takes_clips_frame_by_frame(command: Command, tmp_path: Path) -> None:
    scored = command("test", "network=bicubic", "data=clips", "data.test_root=set", "scale=4", "protocol=vid4_bd",
                     "hydra.run.dir=test")  # fmt: skip
    assert scored.status == 0, scored.err
    assert {row.image for row in read_results(tmp_path / "test/results.csv")} == {"city", "walk", "mean"}
    refused = command("test", "network=bicubic", "data=clips", "data.test_root=set", "scale=4")
    assert refused.status == 2
    assert "protocol=classical_y is not for clips: take vid4_bi" in refused.err
