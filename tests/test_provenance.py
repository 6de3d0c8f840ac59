"""What a network was trained on travels with it, and another use is told."""

import logging
from pathlib import Path

import pytest
import torch

import srlab
from srlab.build import build
from srlab.data.sources import DeadLeaves
from srlab.degradation.mtf import MTF
from srlab.inference.exported import describe
from srlab.provenance import lr_of, warn_of_another
from tests.conftest import Command, composed

TINY = [
    "experiment=depth_x4",
    "data=motorcycle",
    "protocol=depth_px",
    "framework.widths=[8,8,8]",
    "data.batch_size=2",
    "data.patch=8",
    "iterations=3",
    "logger=[csv]",
    "callbacks=[checkpoints,strips]",
    "callbacks.checkpoints.every=2",
    "trainer.log_every_n_steps=1",
    "trainer.enable_progress_bar=false",
]
"""A training of seconds on scikit-image's motorcycle, with holes and a photograph."""


@pytest.mark.parametrize("scale", [4, 8, 16])
def test_depth_trains_and_its_degradation_and_unit_travel_with_it(
    scale: int, command: Command, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = command("train", f"experiment=depth_x{scale}", *TINY[1:], "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    assert "px rmse from bicubic on motorcycle" in outcome.out
    facts = describe(tmp_path / "run/export")
    assert (facts["degradation"], facts["unit"]) == ("bicubic", "px")
    (checkpoint, *_) = sorted((tmp_path / "run/checkpoints").glob("iteration_*.ckpt"))
    assert torch.load(checkpoint, weights_only=True)["facts"] == {"degradation": "bicubic", "unit": "px"}
    assert list((tmp_path / "run").glob("images/*"))
    if scale > 4:
        return
    lr, guide = torch.rand(1, 1, 8, 8), torch.rand(1, 3, 32, 32)
    assert srlab.load(tmp_path / "run")(lr, guide).sr.shape == (1, 1, 32, 32)
    asked = ["weights=run", "data=motorcycle", "protocol=depth_px"]
    assert command("test", *asked, "hydra.run.dir=same").status == 0
    assert "trained on" not in (tmp_path / "same/test.log").read_text()
    assert command("test", *asked, "protocol.lr_kernel=lanczos3", "protocol.unit=mm", "hydra.run.dir=other").status == 0
    told = (tmp_path / "other/test.log").read_text()
    assert "LR made by bicubic, and this LR is made by lanczos3" in told
    assert "images in px, and these are in mm" in told


def test_tags_are_compared_only_where_both_are_known(caplog: pytest.LogCaptureFixture) -> None:
    protocol = build(composed("test", ["protocol=depth_levels"]).protocol)
    caplog.set_level(logging.WARNING)
    for facts, made_by in (({}, "bicubic"), ({"degradation": "files"}, "bicubic"), ({"degradation": "blur"}, None)):
        warn_of_another(facts, made_by, protocol)
    assert not caplog.records
    warn_of_another({"degradation": "isotropicblur, nearest"}, "bicubic", protocol)
    assert "isotropicblur, nearest" in caplog.text


def test_tags_say_what_a_degradation_is() -> None:
    tags = {
        name: build(composed("train", [f"degradation={name}", "run_dir=."]).degradation).tag
        for name in ("bicubic", "bicubic_float", "lanczos", "blur", "blur_noise_jpeg")
    }
    assert tags["bicubic"] == tags["bicubic_float"] == "bicubic"
    assert tags["lanczos"] == "lanczos3"
    assert "isotropicblur" in tags["blur"]
    assert len(set(tags.values())) == 4


@pytest.mark.parametrize(
    ("protocol", "degradation", "scale"),
    [("wald", "mtf", 4), ("vid4_bd", "bd", 4), ("vid4_bi", "bicubic", 4), ("depth_levels", "bicubic_float", 8)],
)
def test_a_protocol_and_the_degradation_that_goes_with_it_have_one_tag(
    protocol: str, degradation: str, scale: int
) -> None:
    cfg = composed("train", [f"protocol={protocol}", f"degradation={degradation}", f"scale={scale}", "run_dir=."])
    assert build(cfg.protocol).made_by == build(cfg.degradation).tag


def test_another_sensors_gain_is_another_degradation(caplog: pytest.LogCaptureFixture) -> None:
    protocol = build(composed("test", ["protocol=wald"]).protocol)
    for tag, warned in ((MTF(4, 0.3).tag, False), (MTF(4, 0.15).tag, True), ("bicubic", True)):
        caplog.clear()
        warn_of_another({"degradation": tag}, protocol.made_by, protocol)
        assert bool(caplog.records) == warned, tag


def test_a_set_without_lr_files_is_told_of_though_another_has_them() -> None:
    protocol = build(composed("test", ["protocol=classical_y"]).protocol)
    without, with_lr = DeadLeaves(count=1), DeadLeaves(count=1)
    with_lr.lr = DeadLeaves(count=1)
    assert [lr_of(sources, protocol) for sources in ([without], [with_lr], [with_lr, without])] == [
        "bicubic", "files", "bicubic"
    ]  # fmt: skip


def test_a_training_that_is_judged_on_other_lr_than_it_learns_from_is_told(command: Command, tmp_path: Path) -> None:
    short = [*TINY, "iterations=1"]
    for name, more in (("same", []), ("other", ["degradation=lanczos"])):
        outcome = command("train", *short, *more, f"hydra.run.dir={name}")
        assert outcome.status == 0, outcome.err
    assert "Training learns" not in (tmp_path / "same/train.log").read_text()
    told = (tmp_path / "other/train.log").read_text()
    assert "learns from LR made by lanczos3, and its scores are of LR made by bicubic" in told
