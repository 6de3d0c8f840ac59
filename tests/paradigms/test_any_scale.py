"""Training at real factors, from the command line to an enlargement by 2.7."""

from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import TINY, Command


@pytest.mark.usefixtures("photos")
def test_a_network_trained_at_many_factors_enlarges_by_any(command: Command, tmp_path: Path) -> None:
    meta = ["network=meta_edsr", "paradigm=any_scale", "scale=4"]
    outcome = command("train", *TINY, *meta, "data.patch=6", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    factors = {
        line.split(",")[-1] for line in (tmp_path / "run/metrics.csv").read_text().splitlines() if "factor" in line
    }
    assert len(factors) > 3
    for factor, size in (("1.5", (60, 72)), ("2.7", (108, 129)), ("4", (160, 192))):
        outcome = command("upscale", "weights=run", "input=photos/0.png", f"output=x{factor}", f"factor={factor}")
        assert outcome.status == 0, outcome.err
        (made,) = (tmp_path / f"x{factor}").iterdir()
        assert Image.open(made).size == size


@pytest.mark.usefixtures("photos")
def test_networks_of_one_scale_are_refused(command: Command) -> None:
    outcome = command("train", *TINY, "paradigm=any_scale")
    assert (outcome.status, "choose network=meta_edsr" in outcome.err) == (2, True)
    outcome = command("upscale", "network=bicubic", "input=photos/0.png", "factor=2.7")
    assert (outcome.status, "enlarges 2 times and no other" in outcome.err) == (2, True)
