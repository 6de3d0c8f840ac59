"""Attention-FH's training, from the command line to its reward."""

from pathlib import Path

import pytest

from tests.conftest import TINY, Command

SMALL = ["steps=2", "view=4", "remembered=8", "context=4", "width=4", "layers=2", "kernel_size=3"]
PARTS = ["network=attention_fh", *(f"framework.{number}" for number in SMALL)]


@pytest.mark.usefixtures("photos")
def test_a_run_reports_its_reward(command: Command, tmp_path: Path) -> None:
    tiny = [item for item in TINY if not item.startswith("backbone")]
    outcome = command("train", *tiny, *PARTS, "paradigm=attention_fh", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    table = (tmp_path / "run/metrics.csv").read_text()
    assert "train/reward," in table
    assert "val/psnr_y," in table


@pytest.mark.usefixtures("photos")
def test_networks_that_choose_nothing_are_refused(command: Command) -> None:
    outcome = command("train", *TINY, "paradigm=attention_fh")
    assert (outcome.status, "choose network=attention_fh" in outcome.err) == (2, True)
