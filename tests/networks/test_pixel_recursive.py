"""Pixel-recursive SR: the order of sub-pixels by gradient, sampling, likelihood, and what a trained prior is worth."""

import math
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from srlab.networks.pixel_recursive import PixelRecursive, decoded, encoded, negative_log_likelihood
from srlab.networks.pixelcnn import LEVELS, PixelCNN
from tests.networks.conftest import Compose

SMALL = [
    "backbone.width=8",
    "backbone.blocks=1",
    "upsampler.blocks=1",
    "framework.prior.width=9",
    "framework.prior.layers=1",
    "framework.prior.kernel_size=3",
    "framework.prior.hidden=16",
]


def small(composed: Compose, *overrides: str) -> PixelRecursive:
    return cast(PixelRecursive, composed("network=pixel_recursive", *SMALL, *overrides))


@pytest.mark.parametrize(("channels", "width"), [(1, 4), (3, 9), (3, 8)])
def test_logits_depend_on_every_earlier_sub_pixel_in_reach_and_on_no_later_one(channels: int, width: int) -> None:
    torch.manual_seed(0)
    prior = PixelCNN(channels, width, layers=2, kernel_size=3, hidden=16).double()
    for parameter in prior.parameters():  # no ReLU may close a path
        nn.init.uniform_(parameter, 0.01, 0.1)
    image = torch.rand(1, channels, 13, 13, dtype=torch.float64, requires_grad=True)
    logits = prior(image)
    assert logits.shape == (1, channels, LEVELS, 13, 13)
    y, x = 7, 6
    order = (torch.arange(13)[:, None] * 13 + torch.arange(13)) * channels + torch.arange(channels).view(-1, 1, 1)
    for channel in range(channels):
        (gradient,) = torch.autograd.grad(logits[0, channel, :, y, x].sum(), image, retain_graph=True)
        seen = gradient[0] != 0
        earlier = order < order[channel, y, x]
        near = ((torch.arange(13) - y).abs()[:, None] <= prior.reach) & ((torch.arange(13) - x).abs() <= prior.reach)
        assert not seen[~earlier].any()
        assert not seen[:, ~near].any()
        # The first layer sees 3 rows and columns whole: no blind spot to the right of the rows above.
        first = ((torch.arange(13) - y).abs()[:, None] <= 3) & ((torch.arange(13) - x).abs() <= 3)
        assert seen[earlier & first].all()


def test_sampling_follows_the_model(composed: Compose) -> None:
    """At temperature 0 each code is the most probable one, given the LR image and the codes drawn before it."""
    torch.manual_seed(0)
    network = small(composed, "framework.temperature=0", "channels=3").eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    lr = torch.rand(2, 3, 3, 4)
    with torch.no_grad():
        sr = network(lr).sr
        again = network.logits(lr, sr).both.argmax(2)
    assert torch.equal(encoded(sr), again)


def test_temperature_and_seed_decide_the_sample(composed: Compose) -> None:
    lr = torch.rand(1, 3, 3, 3)
    torch.manual_seed(0)
    network = small(composed)
    with torch.no_grad():
        samples = []
        for network.temperature, network.seed in ((1.0, 0), (1.0, 0), (1.0, 1), (0.0, 0)):
            samples.append(network(lr).sr)
    assert torch.equal(samples[0], samples[1])
    assert not torch.equal(samples[0], samples[2])
    assert len(samples[3].unique()) < len(samples[0].unique())
    with pytest.raises(Exception, match="temperature=-1"):
        small(composed, "framework.temperature=-1")


def test_likelihoods_by_closed_form() -> None:
    hr = torch.rand(2, 3, 4, 5)
    assert negative_log_likelihood(torch.zeros(2, 3, LEVELS, 4, 5), hr).item() == pytest.approx(math.log(256))
    certain = torch.nn.functional.one_hot(encoded(hr), LEVELS).movedim(-1, 2) * 100.0
    assert negative_log_likelihood(certain, hr).item() == pytest.approx(0, abs=1e-6)
    assert torch.equal(decoded(encoded(hr)), (hr * 255).round() / 255)


def test_every_parameter_learns_from_the_likelihood(composed: Compose) -> None:
    network = small(composed)
    lr, hr = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 8, 8)
    torch.autograd.backward(negative_log_likelihood(network.logits(lr, hr).both, hr))
    assert all(tensor.grad is not None and tensor.grad.any() for tensor in network.parameters())


def stripes(count: int) -> tuple[Tensor, Tensor]:
    """HR images that alternate with an unknown phase; LR, their mean, tells nothing of it."""
    phase = torch.randint(2, (count, 1, 1, 1))
    hr = ((torch.arange(8) + phase) % 2).float().expand(count, 1, 8, 8)
    return torch.full((count, 1, 4, 4), 0.5), hr


def test_a_prior_learns_what_the_lr_image_cannot_tell(composed: Compose) -> None:
    """By hand: without the prior log 2 a sub-pixel at best; with it only the first of 64 is uncertain, log 2 / 64."""
    torch.manual_seed(0)
    network = small(composed, "channels=1")
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(150):
        lr, hr = stripes(8)
        logits = network.logits(lr, hr)
        both, alone = (negative_log_likelihood(part, hr) for part in (logits.both, logits.conditioning))
        optimizer.zero_grad()
        torch.autograd.backward(both + alone)
        optimizer.step()
    assert math.log(2) - 0.05 < alone.item() < math.log(2) + 0.05
    assert both.item() < 0.05
    with torch.no_grad():
        sample = network(stripes(1)[0]).sr
    assert any(torch.equal(sample, hr[None]) for hr in stripes(16)[1])
