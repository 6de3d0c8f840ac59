"""Michaeli and Irani's estimate on images whose kernel is known."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.degradation.blur import gaussian_kernel
from srlab.errors import InputError
from srlab.estimation.estimator import Floats
from srlab.estimation.measures import correlation, distance, moments
from srlab.estimation.recurrence import PatchRecurrence, derivatives
from tests.estimation.conftest import bicubic_kernel, slanted

Reduced = Callable[[Floats, int], Tensor]


@pytest.fixture(scope="module")
def estimates(reduced: Reduced) -> dict[str, Floats]:
    """The estimates for a kernel that falls to the right, one that rises, and one that lies."""
    estimator = PatchRecurrence(iterations=8)
    lying = gaussian_kernel(21, 2.6, 1.2, scale=2).numpy()
    kernels = {"falling": slanted("falling"), "rising": slanted("rising"), "lying": lying}
    return {name: estimator(reduced(kernel, 256), 2) for name, kernel in kernels.items()}


@pytest.mark.parametrize("direction", ["falling", "rising"])
def test_an_estimate_is_nearer_to_the_truth_than_what_ignores_the_image(
    estimates: dict[str, Floats], direction: str
) -> None:
    truth = slanted(direction)
    round_one = gaussian_kernel(21, 2.0, 2.0, scale=2).numpy()  # a hard-coded Gaussian of about the right size
    other = slanted({"falling": "rising", "rising": "falling"}[direction])
    for wrong in (bicubic_kernel(), round_one, other):
        assert distance(estimates[direction], truth) < 0.75 * distance(wrong, truth)
        assert correlation(estimates[direction], truth) > correlation(wrong, truth)
    assert distance(estimates[direction], truth) < 0.5 * distance(bicubic_kernel(), truth)


def test_rows_are_rows_and_columns_columns(estimates: dict[str, Floats]) -> None:
    slants = {name: moments(kernel).covariance[0, 1] for name, kernel in estimates.items()}
    assert slants["falling"] > 0.5
    assert slants["rising"] < -0.5
    (down, _), (_, right) = moments(estimates["lying"]).covariance
    assert right > 1.5 * down


def test_every_estimate_is_a_centred_kernel(estimates: dict[str, Floats]) -> None:
    for kernel in estimates.values():
        assert kernel.shape[0] == kernel.shape[1]
        assert len(kernel) % 2 == 1
        assert kernel.sum() == pytest.approx(1)
        assert moments(kernel).centre == pytest.approx((0.5, 0.5), abs=0.05)


def test_the_seed_decides_which_patches_are_looked_at(reduced: Reduced) -> None:
    lr = reduced(slanted("rising"), 160)
    estimator = PatchRecurrence(iterations=2, patches=500, candidates=1000)
    one, same, other = (estimator(lr, 2, seed) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_smoothness_is_the_energy_of_differences() -> None:
    kernel = np.random.default_rng(0).random((5, 5))
    padded = np.pad(kernel, 1)
    energy = np.square(np.diff(padded, axis=0)).sum() + np.square(np.diff(padded, axis=1)).sum()
    assert kernel.ravel() @ derivatives(5) @ kernel.ravel() == pytest.approx(energy)


@pytest.mark.parametrize(
    ("image", "scale", "message"),
    [
        (torch.rand(3, 20, 90), 2, "too small"),
        (torch.full((3, 90, 90), 0.5), 2, "same everywhere"),
        (torch.full((3, 90, 90), torch.nan), 2, "not finite"),
        (torch.rand(3, 90, 90), 8, "scale=8"),
    ],
)
def test_an_image_that_tells_nothing_is_refused(image: Tensor, scale: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PatchRecurrence()(image, scale)
