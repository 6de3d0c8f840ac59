"""The meta upsampler: the paper's sum, at any real scale, from one set of weights."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.inference.enlarge import enlarge
from srlab.networks.any_scale import ROWS, Meta
from srlab.paradigms.any_scale import reduced
from tests.networks.conftest import Compose


def by_the_paper(meta: Meta, features: Tensor, scale: float) -> Tensor:
    """Equations 2 to 4, pixel by pixel: predict the kernel, multiply it with the neighbourhood."""
    taps, out = meta.in_channels * 9, meta.out_channels
    whole = meta.kernels.weight.view(out, -1, taps)  # the perceptron's second layer: weights, then bias
    padded = F.pad(features, (1, 1, 1, 1))
    height, width = int(features.shape[2] * scale), int(features.shape[3] * scale)
    result = features.new_zeros(len(features), out, height, width)
    for i in range(height):
        for j in range(width):
            y, x = int(i / scale), int(j / scale)
            place = torch.tensor([i / scale - y, j / scale - x, 1 / scale])
            kernel = torch.einsum("omt,m->ot", whole[:, :-1], meta.place(place)) + whole[:, -1]
            result[..., i, j] = padded[..., y : y + 3, x : x + 3].flatten(1) @ kernel.T
    return result


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.7, 4.0])
def test_one_set_of_weights_makes_any_scale_as_the_paper_does(scale: float) -> None:
    meta, features = Meta(3, 2, 2, hidden=8), torch.randn(2, 3, 5, 6)
    with torch.no_grad():
        torch.testing.assert_close(meta(features, scale), by_the_paper(meta, features, scale))


def test_bands_of_rows_join_without_a_seam() -> None:
    meta, features = Meta(1, 2, 1, hidden=4), torch.randn(1, 1, ROWS, 3)
    with torch.no_grad():
        torch.testing.assert_close(
            meta(features)[..., ROWS - 8 : ROWS + 8, :], by_the_paper(meta, features, 2)[..., ROWS - 8 : ROWS + 8, :]
        )


def test_the_parameters_are_the_papers_at_every_scale(composed: Compose) -> None:
    """EDSR's baseline up to the upsampler; the perceptron from 3 numbers over 256 units to 3 x 3 x 64 x 3 weights."""
    body = (9 * 3 + 1) * 64 + 33 * (9 * 64 + 1) * 64
    perceptron = (3 + 1) * 256 + (256 + 1) * 3 * 3 * 64 * 3
    for scale in (2, 4):
        network = composed("network=meta_edsr", f"scale={scale}")
        assert sum(parameter.numel() for parameter in network.parameters()) == body + perceptron


@pytest.mark.parametrize("scale", [1.5, 2.7, 4.0])
def test_networks_enlarge_whole_images_by_real_factors(composed: Compose, scale: float) -> None:
    network = composed("network=meta_edsr", "backbone.blocks=1", "backbone.width=8")
    for channels in (1, 3):
        assert enlarge(network, torch.rand(1, channels, 9, 7), scale).shape == (
            1,
            channels,
            int(9 * scale),
            int(7 * scale),
        )
    assert network(torch.rand(1, 3, 9, 7)).sr.shape == (1, 3, 18, 14)


@pytest.mark.parametrize("factor", [1.1, 1.5, 2.7, 3.9, 4.0])
def test_training_pairs_are_what_the_network_makes(composed: Compose, factor: float) -> None:
    network = composed("network=meta_edsr", "backbone.blocks=1", "backbone.width=8", "scale=4")
    lr, hr = reduced(torch.rand(2, 3, 64, 48), factor)
    assert network(lr, factor).sr.shape == hr.shape


def test_a_part_for_one_scale_is_refused(composed: Compose) -> None:
    with pytest.raises(Exception, match=r"SubPixel is made for one scale: choose upsampler=meta"):
        composed(
            "framework=any_scale",
            "framework.upsampler._target_=srlab.networks.upsamplers.SubPixel",
            "~framework.upsampler.hidden",
        )
    with pytest.raises(ValueError, match=r"scale=0.5"):
        Meta(3, 2, 3)(torch.rand(1, 3, 4, 4), 0.5)
