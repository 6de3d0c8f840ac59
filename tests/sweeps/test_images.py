"""A sweep over a benchmark's images, by the command itself: an image a job, and one table."""

from pathlib import Path

import pytest

from srlab.evaluation.results import read_results
from tests.conftest import Command


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_a_sweep_over_images_ends_in_the_benchmarks_table_and_does_nothing_twice(
    command: Command, tmp_path: Path
) -> None:
    arguments = [
        *("-m", "experiment=zssr_x2", "data=benchmark_image", "data.root=photos", "data.index=0,1", "iterations=2"),
        *("backbone.width=6", "backbone.layers=2", "paradigm.fathers.crop=16", "paradigm.ensemble=false"),
        *("logger=[csv]", "callbacks=[checkpoints]", "trainer.enable_progress_bar=false", "hydra.sweep.dir=sweep"),
    ]
    assert command("train", *arguments).status == 0
    rows = [row for row in read_results(tmp_path / "sweep/results.csv") if row.metric == "psnr_y"]
    ours = {row.image: row.value for row in rows if row.network == "zssr"}
    assert set(ours) == {"0", "1", "mean"}
    assert ours["mean"] == pytest.approx((ours["0"] + ours["1"]) / 2)
    (tmp_path / "sweep/1/status.json").unlink()  # as if the second had been killed
    written = (tmp_path / "sweep/0/sr.png").stat().st_mtime_ns
    assert command("train", *arguments).status == 0
    assert (tmp_path / "sweep/0/sr.png").stat().st_mtime_ns == written
    again = [row for row in read_results(tmp_path / "sweep/results.csv") if row.metric == "psnr_y"]
    assert [(row.network, row.image, row.value) for row in again] == [(r.network, r.image, r.value) for r in rows]
