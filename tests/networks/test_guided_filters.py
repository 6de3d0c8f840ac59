"""Filters of depth beside a photograph, which learn nothing: what each must do, beside other libraries and closed forms."""

import kornia
import pytest
import torch

from srlab.degradation.resize import resize
from srlab.inference.enlarge import enlarge
from srlab.networks.guided.diffusion import GuidedDiffusion
from srlab.networks.guided.filters import (
    GlobalSmoother,
    GuidedFilter,
    JointBilateral,
    JointBilateralUpsampling,
    along_rows,
)
from srlab.networks.network import Network
from tests.networks.scenes import scene, two_planes


def test_rows_are_smoothed_to_the_exact_minimum() -> None:
    row, likeness = torch.rand(1, 1, 1, 7, dtype=torch.float64), torch.rand(1, 1, 1, 6, dtype=torch.float64)
    difference = torch.diff(torch.eye(7, dtype=torch.float64), dim=0)
    system = torch.eye(7, dtype=torch.float64) + 2.5 * difference.T @ torch.diag(likeness.flatten()) @ difference
    expected = torch.linalg.solve(system, row.flatten())
    torch.testing.assert_close(along_rows(row, likeness, 2.5).flatten(), expected)


def test_the_joint_bilateral_filter_is_kornias() -> None:
    lr, guide = scene()
    network = JointBilateral(4, range_from="given")
    blur = kornia.filters.joint_bilateral_blur(network.enlarged(lr), guide, 9, 0.1, (2.0, 2.0), "replicate")
    torch.testing.assert_close(network(lr, guide).sr, blur)


def test_diffusion_keeps_the_mean_of_every_lr_pixel() -> None:
    lr, guide = scene()
    sr = GuidedDiffusion(4, steps=20)(lr, guide).sr
    torch.testing.assert_close(torch.nn.functional.avg_pool2d(sr, 4), lr, rtol=0, atol=1e-5)


def test_diffusion_heeds_the_maps_own_edges_and_no_brightness() -> None:
    """Under a flat photograph the map's edges alone stop it, as in the authors' variant without a network."""
    depth, guide = two_planes()
    lr, network = resize(depth, scale=1 / 8), GuidedDiffusion(8, own_edges=True).eval()
    flat = network(lr, torch.full_like(guide, 0.5)).sr
    error, bicubic = (float((one - depth).square().mean().sqrt()) for one in (flat, resize(lr, scale=8)))
    assert error < 0.9 * bicubic
    torch.testing.assert_close(network(lr, guide + 0.1).sr, network(lr, guide).sr, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    "network",
    [
        GuidedFilter(8, radius=3, eps=1e-4),
        JointBilateralUpsampling(8),
        GlobalSmoother(8),
        GuidedDiffusion(8, steps=200),
    ],
    ids=lambda network: type(network).__name__,
)
def test_where_edges_are_the_photographs_a_filter_finds_them(network: Network) -> None:
    depth, guide = two_planes()
    lr = resize(depth, scale=1 / 8)
    network.eval()
    own, other = (enlarge(network, lr, guide=photo) for photo in (guide, guide.flip(2).roll(9, 3)))
    errors = [float((image - depth).square().mean().sqrt()) for image in (own, other, resize(lr, scale=8))]
    assert errors[0] < 0.85 * errors[2]
    assert errors[0] < 0.85 * errors[1]
