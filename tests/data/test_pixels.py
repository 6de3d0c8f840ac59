"""Depth, channels, and the way to tensors and back."""

import numpy as np
import pytest
import torch

from srlab.color import rgb_to_y
from srlab.data.pixels import levels_of, to_pixels, to_tensor, with_channels
from srlab.errors import InputError
from srlab.types import Pixels


def every_code(dtype: str) -> Pixels:
    codes = np.arange(np.iinfo(dtype).max + 1).reshape(16, -1, 1)
    return codes.astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_there_and_back_is_exact(dtype: str) -> None:
    pixels = every_code(dtype)
    image = to_tensor(pixels)
    assert image.dtype == torch.float32
    assert image.shape == (1, *pixels.shape[:2])
    assert (float(image.min()), float(image.max())) == (0, 1)
    np.testing.assert_array_equal(to_pixels(image, levels_of(pixels)), pixels)


def test_float_is_kept() -> None:
    pixels = np.array([[[-0.25, 1.5]]], dtype=np.float32)
    assert levels_of(pixels) == 0
    np.testing.assert_array_equal(to_pixels(to_tensor(pixels), 0), pixels)


def test_clamped_and_rounded() -> None:
    image = torch.tensor([-0.1, 0.4 / 255, 0.6 / 255, 1.2, float("nan"), float("inf")]).view(1, 1, 6)
    assert to_pixels(image, 255).ravel().tolist() == [0, 0, 1, 255, 0, 255]
    with pytest.raises(ValueError, match="levels=100"):
        to_pixels(image, 100)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_luma_is_the_tensors_luma(dtype: str) -> None:
    pixels = (np.random.default_rng(0).random((5, 4, 3)) * (1 if dtype == "float32" else np.iinfo(dtype).max)).astype(
        dtype
    )
    luma = with_channels(pixels, 1)
    assert luma.dtype == np.float32
    torch.testing.assert_close(to_tensor(luma), rgb_to_y(to_tensor(pixels)), atol=1e-6, rtol=0)


def test_luma_of_white_and_black() -> None:
    white, black = np.full((1, 1, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)
    assert with_channels(white, 1).item() == pytest.approx(235 / 255, abs=1e-7)
    assert with_channels(black, 1).item() == pytest.approx(16 / 255, abs=1e-7)


def test_grey_is_replicated_and_equal_counts_pass() -> None:
    grey = every_code("uint16")
    rgb = with_channels(grey, 3)
    assert rgb.dtype == np.uint16
    assert rgb.shape == (*grey.shape[:2], 3)
    assert (rgb == grey).all()
    bands = np.zeros((2, 3, 31), np.float32)
    assert with_channels(bands, 31) is bands


@pytest.mark.parametrize(("present", "wanted"), [(4, 3), (31, 3), (3, 31), (2, 1), (1, 4)])
def test_bands_are_not_colours(present: int, wanted: int) -> None:
    with pytest.raises(InputError, match=f"{present} channels.*{wanted}.*channels={present}"):
        with_channels(np.zeros((2, 2, present), np.uint8), wanted)
