"""Pixel-recursive training, from the command line to its likelihoods."""

from pathlib import Path

import pytest
import torch

from srlab.data.sources import SkimagePhotos
from srlab.data.tiles import Tiles
from tests.conftest import TINY, Command

SMALL = [
    "backbone.width=4",
    "upsampler.blocks=1",
    "framework.prior.width=4",
    "framework.prior.layers=1",
    "framework.prior.kernel_size=3",
    "framework.prior.hidden=8",
    "data.patch=4",
    "data.val._target_=srlab.data.tiles.Tiles",
]


def test_the_study_runs_and_reports_both_likelihoods(command: Command, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    tiny = [item for item in TINY if not item.startswith(("data=", "data.root", "data.val_root"))]
    outcome = command(
        "train",
        "experiment=pixel_recursive",
        *tiny,
        *SMALL,
        "hydra.run.dir=run",
        "iterations=4",
        "scale=2",
        "data.val.size=16",
        "data.val.count=1",
        "data.train.count=2",
        "data.train.size=32",
    )
    assert outcome.status == 0, outcome.err
    table = (tmp_path / "run/metrics.csv").read_text()
    for name in ("train/nll", "train/nll_without_prior", "val/nll", "val/nll_without_prior"):
        assert f"{name}," in table, table


@pytest.mark.usefixtures("photos")
def test_networks_without_a_distribution_are_refused(command: Command) -> None:
    outcome = command("train", *TINY, "paradigm=pixel_recursive", "loss=[]")
    assert (outcome.status, "choose network=pixel_recursive" in outcome.err) == (2, True)


@pytest.mark.usefixtures("photos")
def test_a_loss_on_drawn_images_is_refused(command: Command) -> None:
    outcome = command("train", *TINY, "network=pixel_recursive")
    assert (outcome.status, "paradigm=pixel_recursive" in outcome.err) == (2, True)


def test_tiles_lie_within_the_images() -> None:
    photos = SkimagePhotos()
    tiles = Tiles(photos, size=32, count=2)
    assert len(tiles) == 2 * len(photos)
    assert tiles.image(2).shape[:2] == (tiles.header(2).height, tiles.header(2).width) == (32, 32)
    assert (tiles.image(0) != tiles.image(1)).any()
    centre = Tiles(photos, size=32).image(0)
    whole = photos.image(0)
    top, left = (whole.shape[0] - 32) // 2, (whole.shape[1] - 32) // 2
    assert (centre == whole[top : top + 32, left : left + 32]).all()
    with pytest.raises(ValueError, match="size=0"):
        Tiles(photos, size=0)
