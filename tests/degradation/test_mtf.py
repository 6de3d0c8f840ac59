"""Reduction by a sensor's MTF: its gain at Nyquist, and where an LR pixel lies."""

import math

import pytest
import torch

from srlab.degradation.mtf import MTF, mtf_taps


@pytest.mark.parametrize("scale", [2, 3, 4, 6])
@pytest.mark.parametrize("gain", [0.15, 0.3])
def test_the_gain_at_nyquist_is_that_of_the_sensor(scale: int, gain: float) -> None:
    taps = torch.tensor(mtf_taps(scale, gain), dtype=torch.float64)
    offset = torch.arange(len(taps), dtype=torch.float64) - len(taps) // 2 - (scale - 1) / 2
    assert float(taps.sum()) == pytest.approx(1)
    assert float((taps * offset).sum()) == pytest.approx(0, abs=1e-12)  # centred on the LR pixel
    response = float((taps * torch.cos(math.pi * offset / scale)).sum())
    assert response == pytest.approx(gain, abs=0.008)  # cut off at three standard deviations


@pytest.mark.parametrize("scale", [2, 3, 4, 5])
def test_lr_pixels_lie_in_the_middle_of_what_they_cover(scale: int) -> None:
    ramp = torch.arange(12 * scale, dtype=torch.float64).expand(1, 1, 12 * scale, -1)
    lr = MTF(scale).reduce(ramp)[0, 0, 6]
    wanted = scale * torch.arange(12) + (scale - 1) / 2
    assert torch.allclose(lr[4:8], wanted[4:8].double(), atol=1e-9)
    image = torch.rand(1, 1, 6 * scale, 6 * scale, dtype=torch.float64)
    assert torch.allclose(MTF(scale).reduce(image.flip(-1)), MTF(scale).reduce(image).flip(-1), atol=1e-12)


def test_an_impossible_gain_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gain=1\.5: expected above 0 and below 1"):
        MTF(2, 1.5)
