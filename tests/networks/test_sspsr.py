"""SSPSR: its groups, its size, and its loss."""

import pytest
import torch
from torch import nn

from srlab.losses.spectral import SpatialSpectralVariation
from srlab.networks.cubes.sspsr import SSPSR, grouped
from tests.networks.test_published_sizes import conv


def test_groups_overlap_and_hold_every_band() -> None:
    assert grouped(20, 8, 2) == [range(8), range(6, 14), range(12, 20)]
    assert grouped(21, 8, 2)[-2:] == [range(12, 20), range(13, 21)]
    assert grouped(5, 8, 2) == [range(5)]
    assert len(grouped(128, 8, 2)) == 21  # ceil((128 - 2) / (8 - 2))
    assert len(grouped(198, 8, 2)) == 33
    for bands in (9, 31, 102, 198):
        assert {band for group in grouped(bands, 8, 2) for band in group} == set(range(bands))
    with pytest.raises(ValueError, match="overlap=8 must be 0 or more, and below group=8"):
        grouped(20, 8, 8)


def test_one_branch_serves_all_groups_and_overlaps_are_averaged() -> None:
    torch.manual_seed(0)
    network = SSPSR(20, 4, width=8, blocks=1, reduction=4).eval()
    lr = torch.rand(2, 20, 5, 6)
    with torch.no_grad():
        made = network.enlarged_in_groups(lr)
        first, second, third = (network.branch_tail(network.branch(lr[:, start : start + 8])) for start in (0, 6, 12))
        assert made.shape == (2, 20, 10, 12)  # half of the scale
        torch.testing.assert_close(made[:, :6], first[:, :6])
        torch.testing.assert_close(made[:, 6:8], (first[:, 6:] + second[:, :2]) / 2)
        torch.testing.assert_close(made[:, 12:14], (second[:, 6:] + third[:, :2]) / 2)
        nn.init.zeros_(network.tail.weight)
        changed = lr.clone()
        changed[:, 0] += 1
        assert torch.equal(network.enlarged_in_groups(changed)[:, 8:], made[:, 8:])  # bands of other groups
    sr = network(lr).sr
    assert sr.shape == (2, 20, 20, 24)


def test_size_by_hand_and_a_gradient_reaches_all_of_it() -> None:
    width = 256
    block = 2 * conv(width, width) + 2 * conv(width, width, 1) + conv(width, 16, 1) + conv(16, width, 1)
    branch = conv(8, width) + 3 * block + conv(width, 4 * width) + conv(width, 8)
    trunk = conv(128, width) + 3 * block + conv(width, 4 * width)
    with torch.device("meta"):
        network = SSPSR(128, 4)
    found = sum(parameter.numel() for parameter in network.parameters())
    assert found == branch + trunk + 2 * conv(128, width) - width + 128
    small = SSPSR(9, 2, width=8, blocks=1, reduction=4)
    small(torch.rand(1, 9, 4, 4)).sr.square().sum().backward()
    assert all(parameter.grad is not None for parameter in small.parameters())


def test_variation_by_hand() -> None:
    cube = torch.zeros(1, 2, 2, 2)
    cube[0, 0, 0, 0] = 1
    # one of four differences along each of rows, columns and bands
    assert float(SpatialSpectralVariation()(cube, cube)) == pytest.approx(3 / 4)
