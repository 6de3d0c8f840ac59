"""Every degradation that ships builds, and makes an LR batch of the right size."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from srlab.degradation.base import Degradation

CONF = Path(__file__).parents[2] / "conf" / "degradation"
CHOICES = sorted(file.stem for file in CONF.glob("*.yaml") if file.stem != "learned")
"""What a run has learned is tested with its paradigm, in tests/paradigms/test_degradation_gan.py."""


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("choice", CHOICES)
def test_every_choice_builds_and_degrades(choice: str, scale: int, tmp_path: Path) -> None:
    np.save(tmp_path / "kernel.npy", np.ones((5, 5)))
    config = OmegaConf.create({"scale": scale, "degradation": OmegaConf.load(CONF / f"{choice}.yaml")})
    if choice == "kernels":
        config.degradation.steps[0].path = str(tmp_path / "kernel.npy")
    degradation = instantiate(config, _convert_="all")["degradation"]
    assert isinstance(degradation, Degradation)
    assert degradation.scale == scale
    images = torch.rand(2, 3, 12 * scale, 8 * scale)
    lr, parameters = degradation(images, torch.tensor([1, 2]), torch.tensor([255, 255]))
    assert lr.shape == (2, 3, 12, 8)
    assert lr.dtype == torch.float32
    assert all(len(values) == 2 for values in parameters.values())
