"""SRGAN, ESRGAN and EnhanceNet as they are shipped: their papers' settings, and a run of each at tiny size."""

from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from srlab.build import build
from srlab.losses.adversarial import RelativisticAverage, Vanilla
from srlab.losses.perceptual import Content, Texture
from srlab.losses.pixel import L1, L2
from srlab.losses.weighted import WeightedSum
from srlab.paradigms.adversarial import Adversarial
from tests.conftest import TINY, Command, composed

RANDOM = ["loss.content.features.weights=random", "+loss.content.features.width=2"]
TEXTURE = ["loss.texture.features.weights=random", "+loss.texture.features.width=2"]
SMALLER = {"srgan": [], "esrgan": ["backbone.growth=4"], "enhancenet": TEXTURE}
PRETRAINED = {"srgan": "srgan_pretrain", "esrgan": "esrgan_pretrain"}
SHORT = ["iterations=2", "trainer.val_check_interval=2"]


def built(experiment: str, *overrides: str) -> Adversarial:
    """The experiment's paradigm, and its configuration as `config`."""
    cfg = composed("train", [f"experiment={experiment}", *RANDOM, *SMALLER[experiment], "run_dir=run", *overrides])
    paradigm: Adversarial = build(cfg.paradigm)
    container: Any = OmegaConf.to_container(cfg, resolve=True)
    paradigm.config = container
    return paradigm


def weights_of(loss: WeightedSum) -> dict[str, float]:
    return {name: term.weight for name, term in loss.named_terms()}


def test_srgan_as_published() -> None:
    paradigm = built("srgan")
    assert weights_of(paradigm.loss) == {"content": pytest.approx(1 / 12.75**2, rel=1e-4), "gan": 1e-3}
    content = paradigm.loss.of_kind(Content)["content"]
    assert content.layers == {"relu5_4": 1.0}
    assert isinstance(content.distance, L2)
    assert isinstance(paradigm.gan.objective, Vanilla)
    assert sum(weight.numel() for weight in paradigm.network.parameters()) == 1_549_462  # SRResNet at x4
    config = paradigm.config
    assert (config["data"]["batch_size"], config["data"]["patch"] * config["scale"]) == (16, 96)
    rates = [config["optimizer"]["lr"] * paradigm.settings.scheduler(n) for n in (0, 99_999, 100_000, 199_999)]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5, 1e-5])
    assert config["iterations"] == 200_000


def test_esrgan_as_published() -> None:
    paradigm = built("esrgan", "backbone.growth=32", "backbone.blocks=23")
    assert weights_of(paradigm.loss) == {"l1": 1e-2, "content": 1.0, "gan": 5e-3}
    content = paradigm.loss.of_kind(Content)["content"]
    assert content.layers == {"conv5_4": 1.0}  # before the activation
    assert isinstance(content.distance, L1)
    assert isinstance(paradigm.gan.objective, RelativisticAverage)
    assert sum(weight.numel() for weight in paradigm.network.parameters()) == 16_697_987
    config = paradigm.config
    assert (config["data"]["batch_size"], config["data"]["patch"] * config["scale"]) == (16, 128)
    at = (0, 50_000, 100_000, 200_000, 300_000)
    rates = [config["optimizer_d"]["lr"] * paradigm.settings.scheduler(n) for n in at]
    assert rates == pytest.approx([1e-4, 5e-5, 2.5e-5, 1.25e-5, 6.25e-6])


def test_enhancenet_as_published() -> None:
    paradigm = built("enhancenet")
    assert weights_of(paradigm.loss) == {"content": 1.0, "texture": 1.0, "gan": 2.0}
    content, texture = paradigm.loss.of_kind(Content)["content"], paradigm.loss.of_kind(Texture)["texture"]
    assert content.layers == {"pool2": 0.2, "pool5": 0.02}
    assert texture.layers == {"relu1_1": 3e-7, "relu2_1": 1e-6, "relu3_1": 1e-6}
    assert (texture.patch, texture.average, texture.mean_one, content.mean_one) == (16, False, True, True)
    assert content.features is texture.features


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("experiment", SMALLER)
def test_each_experiment_runs(experiment: str, command: Command, tmp_path: Path) -> None:
    tiny = [*TINY, *SHORT]
    start = []
    if experiment in PRETRAINED:
        first = [f"experiment={PRETRAINED[experiment]}", *(["backbone.growth=4"] if experiment == "esrgan" else [])]
        outcome = command("train", *tiny, *first, "hydra.run.dir=first")
        assert outcome.status == 0, outcome.err
        start = ["weights=first"]
    features = [*RANDOM, *SMALLER[experiment]]
    discriminator = ["discriminator.widths=[4,4,4]", "discriminator.hidden=4"]
    arguments = [*tiny, f"experiment={experiment}", *features, *discriminator, *start, "hydra.run.dir=run"]
    outcome = command("train", *arguments)
    assert outcome.status == 0, outcome.err
    checkpoint = torch.load(tmp_path / "run/checkpoints/iteration_000000002.ckpt", weights_only=True)
    assert all(value.isfinite().all() for value in checkpoint["state_dict"].values())
