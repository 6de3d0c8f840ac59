"""Losses on kernels, by hand."""

import pytest
import torch

from srlab.degradation.blur import gaussian_kernel
from srlab.losses.kernel import boundaries, boundary_mask, off_centre, sparsity, sum_to_one


def test_sums() -> None:
    assert sum_to_one(torch.full((5, 5), 0.1)).item() == pytest.approx(1.5)
    assert sparsity(torch.tensor([[0.00032, 0.0], [0.0, 1.0]])).item() == pytest.approx((0.2 + 1) / 4, abs=0.02)


@pytest.mark.parametrize("scale", [2, 4])
def test_a_kernel_that_acts_in_its_place_is_not_off_centre(scale: int) -> None:
    kernel = gaussian_kernel(21, 1.0, 2.0, scale=scale)
    assert off_centre(kernel, scale).item() == pytest.approx(0, abs=1e-4)
    moved = torch.roll(kernel, (1, -2), dims=(0, 1))
    assert off_centre(moved, scale).item() == pytest.approx((1 + 4) / 2, abs=0.05)


def test_the_boundary_is_what_lies_outside_the_middle() -> None:
    mask = boundary_mask(13)
    assert mask.shape == (13, 13)
    assert not mask[2:-2, 2:-2].any()  # 9 x 9
    assert (mask[:2] > 0).all()
    assert mask[0, 0].item() == pytest.approx(30 * (1 - torch.tensor(-72 / 338).exp().item()))
    kernel = torch.zeros(13, 13)
    kernel[6, 6] = 1
    assert boundaries(kernel).item() == 0
    kernel[0, 12] = -2
    assert boundaries(kernel).item() == pytest.approx(2 * mask[0, 12].item() / 169)


def test_every_loss_has_a_finite_gradient_at_an_empty_kernel() -> None:
    kernel = torch.zeros(5, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(sparsity(kernel) + boundaries(kernel) + sum_to_one(kernel), kernel)
    assert gradient.isfinite().all()
