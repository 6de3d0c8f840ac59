"""Measures of kernels, against closed forms; the kernel of two reductions, against two reductions."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import io

from srlab.degradation.blur import blur, gaussian_kernel
from srlab.degradation.kernels import load_kernels
from srlab.estimation.estimator import centred, composed
from srlab.estimation.measures import correlation, distance, moments, on_one_grid, repeatability, typical
from srlab.estimation.writing import side_by_side, write_kernel


def test_moments_of_a_gaussian() -> None:
    kernel = gaussian_kernel(41, 3.0, 1.0, angle=np.pi / 2, scale=2).numpy()  # its long axis points down
    found = moments(kernel)
    assert found.centre == pytest.approx((0.5, 0.5), abs=1e-6)
    np.testing.assert_allclose(found.covariance, [[9, 0], [0, 1]], atol=1e-3)


def test_distances() -> None:
    here, there = np.zeros((3, 3)), np.zeros((5, 5))
    here[1, 1], there[2, 2] = 1, 1  # the same pixel, on two grids
    assert distance(here, there) == 0
    assert correlation(here, there) == pytest.approx(1)
    apart = np.roll(here, 1, axis=0)
    assert distance(here, apart) == 2
    same = repeatability([here, there, apart])
    assert same.distance == pytest.approx(4 / 3)
    assert typical({"a": apart, "b": here, "c": there}) == "b"
    assert [one.shape for one in on_one_grid([here, there])] == [(5, 5), (5, 5)]


@pytest.mark.parametrize("times", [2, 3])
def test_one_composed_reduction_equals_two(times: int) -> None:
    kernel = gaussian_kernel(7, 1.4, 0.8, angle=0.4, scale=times)
    image = torch.rand(1, 1, 120, 120, dtype=torch.float64)
    twice = blur(blur(image, kernel[None], times), kernel[None], times)
    whole = torch.from_numpy(composed(kernel.numpy(), times))
    once = blur(image, whole[None], times**2)
    inside = slice(4, 9)  # away from borders, which are mirrored at two sizes
    torch.testing.assert_close(once[..., inside, inside], twice[..., inside, inside])
    row, column = moments(kernel.numpy()).centre
    assert moments(whole.numpy()).centre == pytest.approx(((times + 1) * row, (times + 1) * column))


def test_a_kernel_is_centred_and_cleared_of_what_is_negative() -> None:
    kernel = np.roll(gaussian_kernel(13, 1.5, 1.5).numpy() * 3, (2, -3), axis=(0, 1))
    kernel[0, 0] = -1
    moved = centred(kernel, 2)
    assert moved.sum() == pytest.approx(1)
    assert moments(moved).centre == pytest.approx((0.5, 0.5), abs=0.02)


def test_the_files_hold_the_kernel(tmp_path: Path) -> None:
    kernel = gaussian_kernel(13, 1.5, 1.0, scale=2).numpy()
    array, matlab, picture = write_kernel(tmp_path, kernel)
    np.testing.assert_allclose(load_kernels(str(array))[0], kernel)
    np.testing.assert_allclose(io.loadmat(matlab)["Kernel"], kernel)
    assert picture.stat().st_size > 100
    assert side_by_side({"a": kernel, "b": kernel[1:-1, 1:-1]}).width > 300
