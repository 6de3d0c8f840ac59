"""BD of the video papers against a Gaussian filter of SciPy's, sampled at 0, 4, 8, ..."""

from typing import Literal

import numpy as np
import pytest
import torch
from scipy import ndimage

from srlab.borders import Borders
from srlab.degradation.bd import BD

LEVELS, SEEDS = torch.tensor([255]), torch.tensor([0])


@pytest.mark.parametrize(
    ("sigma", "size", "borders", "mode"), [(1.6, 13, "replicate", "nearest"), (1.5, 9, "reflect", "mirror")]
)
def test_is_a_gaussian_filter_sampled_from_the_first_pixel_on(
    sigma: float, size: int, borders: Borders, mode: Literal["nearest", "mirror"]
) -> None:
    hr = np.random.default_rng(0).random((40, 56))
    truncated = (size // 2 - 0.5) / sigma  # so that SciPy's kernel has as many taps
    blurred = ndimage.gaussian_filter(hr, sigma, mode=mode, truncate=truncated + 0.5 / sigma)
    degradation = BD(4, sigma, size, borders, rounded=False)
    lr = degradation(torch.from_numpy(hr)[None, None], SEEDS, LEVELS).lr[0, 0]
    np.testing.assert_allclose(lr.numpy(), blurred[::4, ::4], atol=1e-12)


def test_is_rounded_as_files_are_and_says_what_it_is() -> None:
    hr = torch.rand(1, 3, 24, 24)
    codes = BD(4)(hr, SEEDS, LEVELS).lr * 255
    torch.testing.assert_close(codes, codes.round(), rtol=0, atol=1e-4)
    assert (BD(4).tag, BD(4, 1.5).tag) == ("bd 1.6", "bd 1.5")
    with pytest.raises(ValueError, match="kernel_size=12 must be odd"):
        BD(4, kernel_size=12)
