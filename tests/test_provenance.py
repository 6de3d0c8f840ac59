"""What a network was trained on travels with it, and another use is told."""

import logging
from pathlib import Path

import pytest
import torch

import srlab
from srlab.build import build
from srlab.inference.exported import describe
from srlab.provenance import warn_of_another
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
