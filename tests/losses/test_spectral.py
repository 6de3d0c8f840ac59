"""Losses of cubes, by hand."""

import pytest
import torch

from srlab.degradation.mtf import MTF
from srlab.errors import InputError
from srlab.losses.spectral import Consistency, SpatialSpectralVariation, SpectralAngle
from srlab.losses.weighted import Step
from srlab.types import Batch, Prediction
from tests.mixtures import mixed


def test_losses_of_cubes_by_hand() -> None:
    sr, hr = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1), torch.tensor([1.0, 1.0]).view(1, 2, 1, 1)
    assert float(SpectralAngle()(sr, hr)) == pytest.approx(1 - 0.5**0.5)
    assert float(SpectralAngle()(3 * hr, hr)) == pytest.approx(0, abs=1e-6)
    cube = mixed(48)[None].float()
    lr, guide = MTF(2).reduce(cube), cube[:, 1:4].mean(1, keepdim=True)
    batch = Batch(lr, cube, torch.zeros(1, dtype=torch.int64), guide=guide)
    loss = Consistency(2, guide_bands=[[1, 4]])
    assert float(loss.measure(Step(Prediction(cube, {}), batch))) == pytest.approx(0, abs=1e-6)
    total, parts = loss.measure_parts(Step(Prediction(cube + 0.1, {}), batch))
    assert float(parts["lr"]) == pytest.approx(0.1, abs=1e-5)
    assert float(total) == pytest.approx(0.2, abs=1e-5)
    with pytest.raises(ValueError, match="data has none: take data with guides"):
        loss.measure(Step(Prediction(cube, {}), Batch(lr, cube, batch.positions)))


@pytest.mark.parametrize("bands", [1, 4])
def test_variation_from_band_to_band_needs_two(bands: int) -> None:
    ramp = torch.arange(5.0).expand(1, bands, 6, 5) + 2 * torch.arange(bands).view(1, -1, 1, 1)
    assert float(SpatialSpectralVariation()(ramp, ramp)) == pytest.approx(1 + 2 * (bands > 1))


def test_consistency_refuses_crops_that_are_all_border() -> None:
    lr, sr = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 16, 16)
    step = Step(Prediction(sr, {}), Batch(lr, sr, torch.zeros(1, dtype=torch.int64)))
    with pytest.raises(InputError, match=r"an LR image of \(4, 4\) .* set data.patch to 5 or more"):
        Consistency(4).measure(step)
