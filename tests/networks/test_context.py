"""Designs that see far: dilated convolutions and pyramid pooling."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import srlab
from srlab.networks.backbones.ircnn import IRCNN
from srlab.networks.blocks import Convolution
from srlab.networks.pyramid import PyramidPooling
from tests.networks.conftest import Compose


@pytest.mark.parametrize(("dilations", "field"), [((1, 2, 3, 4, 3, 2), 33), ((1,) * 6, 15), ((1, 2, 4, 8), 33)])
def test_the_measured_receptive_field_of_a_dilated_stack_is_the_computed_one(
    dilations: tuple[int, ...], field: int
) -> None:
    stack = nn.Sequential(IRCNN(1, 4, dilations), Convolution(4, 1)).double().eval()
    for parameter in stack.parameters():
        nn.init.constant_(parameter, 0.1)
    image = torch.ones(1, 1, 51, 51, dtype=torch.float64, requires_grad=True)
    stack(image)[0, 0, 25, 25].backward()
    assert image.grad is not None
    seen = image.grad[0, 0].nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [field, field]
    assert 2 * (sum(dilations) + 1) + 1 == field


@pytest.mark.parametrize(("channels", "folded"), [(1, 185_857), (3, 188_163)])
def test_ircnn_has_the_papers_layers(composed: Compose, channels: int, folded: int) -> None:
    """As released, with the five batch normalisations folded into biases: 186 K for grey, 188 K for colour images."""
    network = composed("network=ircnn", f"channels={channels}")
    assert (9 * channels + 1) * 64 + 5 * (9 * 64 + 1) * 64 + (9 * 64 + 1) * channels == folded
    assert sum(parameter.numel() for parameter in network.parameters()) == folded + 5 * 64


def test_pyramid_pooling_of_one_region_is_global_pooling() -> None:
    features, pyramid = torch.rand(2, 6, 7, 9), PyramidPooling(6, [1])
    convolution = next(part for part in pyramid.modules() if isinstance(part, nn.Conv2d))
    result = pyramid(features)
    torch.testing.assert_close(result[:, :6], features, rtol=0, atol=0)
    expected = convolution(features.mean((2, 3), keepdim=True)).expand(2, 1, 7, 9)
    torch.testing.assert_close(result[:, 6:], expected)


def test_pyramid_pooling_averages_regions() -> None:
    features, pyramid = torch.rand(1, 1, 6, 6), PyramidPooling(1, [2, 3])
    for parameter in pyramid.parameters():
        nn.init.constant_(parameter, float(parameter.ndim == 4))
    result = pyramid(features)
    for place, regions in enumerate((2, 3), start=1):
        size = 6 // regions
        means = features.unfold(2, size, size).unfold(3, size, size).mean((4, 5))
        torch.testing.assert_close(result[:, place : place + 1], F.interpolate(means, (6, 6), mode="bilinear"))


@pytest.mark.parametrize(("scale", "edsr"), [(2, 1_369_859), (3, 1_554_499), (4, 1_517_571)])
def test_edsr_ppm_is_the_baseline_with_four_channels_more(composed: Compose, scale: int, edsr: int) -> None:
    """Four 1x1 convolutions to one channel, and all that follows takes 68 channels for 64."""
    network = composed("network=edsr_ppm", f"scale={scale}")
    stages, factor = (2, 2) if scale == 4 else (1, scale)

    def following(width: int) -> int:
        return stages * (9 * width + 1) * factor**2 * width + (9 * width + 1) * 3

    expected = edsr + 4 * (64 + 1) + following(68) - following(64)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_pyramid_pooling_goes_on_any_backbone(composed: Compose) -> None:
    network = composed("framework=post", "backbone=edsr_ppm", "backbone.features.blocks=1", "backbone.bins=[1,4]")
    assert network(torch.rand(1, 3, 5, 7)).sr.shape == (1, 3, 10, 14)


def test_dilated_convolutions_are_of_the_class_that_is_safe_in_bfloat16() -> None:
    source = Path(srlab.__file__).parent / "networks"
    plain = [path.name for path in source.rglob("*.py") if re.search(r"nn\.Conv2d\([^)]*dilation=", path.read_text())]
    assert plain == []
