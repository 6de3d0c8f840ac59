"""Colour conversion against the table of MATLAB's rgb2ycbcr and against scikit-image."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr

from srlab.color import rgb_to_y, rgb_to_ycbcr, ycbcr_to_rgb

# 8-bit codes, by hand from BT.601's coefficients 65.481, 128.553, 24.966 (and 112 for full chroma).
TABLE = {
    (0, 0, 0): (16.0, 128.0, 128.0),
    (1, 1, 1): (235.0, 128.0, 128.0),
    (1, 0, 0): (81.481, 90.203, 240.0),
    (0, 1, 0): (144.553, 53.797, 34.214),
    (0, 0, 1): (40.966, 240.0, 109.786),
    (0.5, 0.5, 0.5): (125.5, 128.0, 128.0),
}


@pytest.mark.parametrize(("rgb", "ycbcr"), TABLE.items())
def test_the_table(rgb: tuple[float, ...], ycbcr: tuple[float, ...]) -> None:
    image = torch.tensor(rgb, dtype=torch.float64).view(3, 1, 1)
    expected = torch.tensor(ycbcr, dtype=torch.float64).view(3, 1, 1) / 255
    torch.testing.assert_close(rgb_to_ycbcr(image), expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(rgb_to_y(image), expected[:1], atol=1e-12, rtol=0)


def test_agrees_with_scikit_image() -> None:
    image = np.random.default_rng(0).random((9, 7, 3))
    ours = rgb_to_ycbcr(torch.from_numpy(image).permute(2, 0, 1))
    np.testing.assert_allclose(ours.permute(1, 2, 0).numpy() * 255, rgb2ycbcr(image), atol=1e-9)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (2, 2, 3, 4, 5)])
def test_there_and_back(shape: tuple[int, ...]) -> None:
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ycbcr_to_rgb(rgb_to_ycbcr(image)), image, atol=2e-6, rtol=0)


def test_grey_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, 4, 4\)"):
        rgb_to_y(torch.zeros(1, 4, 4))
