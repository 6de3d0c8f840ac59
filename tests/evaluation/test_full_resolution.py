"""Pairs of real sensors at full resolution: data without a truth, indices without a reference, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from srlab.data.cube_scene import Scene
from srlab.data.cubes import CubeData
from srlab.degradation.mtf import MTF
from srlab.errors import InputError
from srlab.evaluation import spectral
from srlab.evaluation.cubes import CubeProtocol, FullResolution
from srlab.evaluation.results import MEAN, read_results
from srlab.losses.spectral import Consistency
from srlab.losses.weighted import Step
from srlab.types import Batch, LabelledImage, Prediction
from tests.conftest import Command
from tests.mixtures import mixed

PROTOCOL = FullResolution("full_resolution", 0.3)
TRUTH = mixed(128, bands=4, materials=6)
LR, PAN = MTF(4).reduce(TRUTH[None])[0], TRUTH[:3].mean(0, keepdim=True)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A cube (32, 32, 4) and a PAN (128, 128), as sensors took them."""
    np.save(tmp_path / "cube.npy", LR.permute(1, 2, 0).numpy())
    np.save(tmp_path / "pan.npy", PAN[0].numpy())
    return tmp_path


def test_a_pair_without_a_truth_says_so_and_its_crops_are_of_one_place(scene: Path) -> None:
    data = CubeData(
        scene=Scene(str(scene / "cube.npy"), 4, white=1, guide=str(scene / "pan.npy")),
        scale=4,
        channels=4,
        batch_size=2,
        patch=8,
        iterations=1,
        seed=0,
        degradation=MTF(4),
        train_rows=[0, 16],
        test_rows=[16, 32],
        full_resolution=True,
    )
    data.setup("fit")
    data.setup("test")
    whole: LabelledImage = next(iter(data.test_dataloader()))
    assert not whole.truth
    assert whole.lr is not None
    assert whole.guide is not None
    torch.testing.assert_close(whole.lr, LR[:, 16:].float())
    torch.testing.assert_close(whole.guide, PAN[:, 64:].float())
    assert whole.hr.shape == (4, 64, 128)
    batch: Batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    seen = MTF(4).reduce(batch.guide)[..., 3:-3, 3:-3]  # type: ignore[arg-type]
    torch.testing.assert_close(seen, batch.lr[:, :3].mean(1, keepdim=True)[..., 3:-3, 3:-3], atol=1e-5, rtol=0)
    with pytest.raises(InputError, match=r"full_resolution=true needs another sensor's image"):
        CubeData(
            scene=Scene(str(scene / "cube.npy"), 4, guide_bands=[[0, 3]]),
            scale=4,
            channels=4,
            batch_size=2,
            patch=8,
            iterations=1,
            seed=0,
            degradation=MTF(4),
            full_resolution=True,
        )


def test_the_indices_by_their_definitions() -> None:
    image = LabelledImage("set", "whole", torch.zeros_like(TRUTH), LR.float(), 0, PAN.float(), truth=False)
    case = PROTOCOL.prepare(image, 4, 4)
    found = PROTOCOL.score(TRUTH[None], case)
    assert found["d_lambda_k"] == pytest.approx(0, abs=1e-6)  # reduced, it is LR
    assert found["hqnr"] == pytest.approx((1 - found["d_lambda_k"]) * (1 - found["d_s"]))
    assert found["qnr"] == pytest.approx((1 - found["d_lambda"]) * (1 - found["d_s"]))
    reduced = MTF(4, 0.15).reduce(PAN.float().double()[None])[0]
    wanted = np.mean(
        [abs(spectral.quality(TRUTH[band, None], PAN) - spectral.quality(LR[band, None], reduced)) for band in range(4)]
    )
    assert found["d_s"] == pytest.approx(wanted, abs=1e-5)
    worse = PROTOCOL.score(PROTOCOL.baseline(case), case)
    assert worse["d_lambda_k"] > 0.02
    with pytest.raises(InputError, match="no truth to be compared with: take protocol=full_resolution"):
        CubeProtocol("wald", 0.3).prepare(image, 4, 4)
    with pytest.raises(InputError, match="no pair of two sensors' images"):
        PROTOCOL.prepare(LabelledImage("set", "whole", TRUTH, None, 0), 4, 4)
    with pytest.raises(InputError, match="this one has 3 bands"):
        PROTOCOL.prepare(LabelledImage("set", "whole", TRUTH, LR.float(), 0, PAN.float().expand(3, -1, -1)), 4, 4)


def test_consistency_finds_the_guides_response_and_is_nothing_for_the_truth() -> None:
    loss = Consistency(4, guide_bands="estimated")
    batch = Batch(LR[None].float(), torch.zeros(1), torch.zeros(1, dtype=torch.int64), guide=PAN[None].float())
    assert batch.guide is not None
    wanted = torch.tensor([[1 / 3, 1 / 3, 1 / 3, 0]])
    torch.testing.assert_close(loss.response(batch.lr, batch.guide), wanted, atol=0.01, rtol=0)
    assert float(loss.measure(Step(Prediction(TRUTH[None].float(), {}), batch))) < 2e-3
    enlarged = nn.functional.interpolate(LR[None].float(), scale_factor=4, mode="bicubic")
    assert float(loss.measure(Step(Prediction(enlarged, {}), batch))) > 0.02


def test_real_pairs_are_trained_and_scored_without_a_truth(command: Command, scene: Path, tmp_path: Path) -> None:
    pair = ["data.scene.path=cube.npy", "data.scene.white=1", "data.scene.guide=pan.npy", "data.full_resolution=true"]
    common = ["channels=4", "scale=4", "data=cube", "protocol=full_resolution", *pair]
    done = command("test", "network=gsa", *common, "hydra.run.dir=gsa")
    assert done.status == 0, done.err
    found = {row.metric: row.value for row in read_results(tmp_path / "gsa/results.csv") if row.image == MEAN}
    assert list(found) == ["hqnr", "qnr", "d_lambda_k", "d_lambda", "d_s"]
    training = [
        *("train", "experiment=hyperspectral_x4", *common, "data.scene.guide_bands=null", "data.train_rows=[0,16]"),
        *("data.test_rows=[16,32]", "data.patch=8", "iterations=2", "trainer.val_check_interval=2"),
        *("framework.width=8", "logger=[csv]"),
    ]
    refused = command(*training, "hydra.run.dir=refused")
    assert refused.status == 2
    assert "cube has no HR, with which loss=l1,spectral_angle compares: take loss=consistency" in refused.err
    done = command(
        *(*training, "loss=consistency", "loss.consistency.guide_bands=estimated", "hydra.run.dir=run"),
    )
    assert done.status == 0, done.err
    assert "hqnr" in (tmp_path / "run/results.csv").read_text()
