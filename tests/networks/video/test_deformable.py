"""Deformable convolutions, by torchvision's and by what they are without offsets."""

import pytest
import torch
from torch import nn

from srlab.networks.video.deformable import Deformable, deform, deform_plainly


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_deformable_convolution_equals_torchvisions(groups: int) -> None:
    operators = pytest.importorskip("torchvision.ops", reason="torchvision is not installed")
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(2, 4, 7, 9, generator=generator, dtype=torch.float64)
    offsets = 3 * torch.randn(2, 18 * groups, 7, 9, generator=generator, dtype=torch.float64)
    weight = torch.randn(5, 4, 3, 3, generator=generator, dtype=torch.float64)
    expected = operators.deform_conv2d(features, offsets, weight, padding=1)
    torch.testing.assert_close(deform_plainly(features, offsets, weight), expected)
    torch.testing.assert_close(deform(features, offsets, weight), expected.float(), rtol=0, atol=1e-4)


def test_without_offsets_it_is_a_convolution() -> None:
    torch.manual_seed(0)
    layer, features = Deformable(4, groups=2), torch.rand(1, 4, 6, 7)
    for parameter in layer.offset.parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(layer(features), nn.functional.conv2d(features, layer.weight, padding=1))
    with pytest.raises(ValueError, match="not a multiple of groups=3"):
        Deformable(4, groups=3)
