"""The loss of a learned degradation: its anchor, what each term reaches, the noise that it leaves or takes."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradation.downscale import downscale
from srlab.losses.adversarial import Hinge
from srlab.losses.degradation import DegradationLoss, SquaredBias
from srlab.losses.pixel import L2
from srlab.networks.degradation_discriminators import TexturePatches
from srlab.networks.degraders import AfterBicubic
from srlab.networks.frequencies import low_pass


def loss(**changes: Any) -> DegradationLoss:
    return DegradationLoss(**{"objective": Hinge(), "pixel": L2(), **changes})


@contextlib.contextmanager
def training(degrader: nn.Module, rate: float = 1e-2) -> Iterator[Callable[[Tensor], None]]:
    optimizer = torch.optim.Adam(degrader.parameters(), lr=rate)

    def descend(total: Tensor) -> None:
        optimizer.zero_grad()
        torch.autograd.backward(total)
        optimizer.step()

    yield descend


def smooth(count: int, side: int, seed: int) -> Tensor:
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, side, mode="bicubic").clamp(0, 1)


def anchored(degradation: DegradationLoss, steps: int = 60) -> float:
    """The squared distance to average pooling on held-out images, after so many steps."""
    torch.manual_seed(0)
    degrader, judge = AfterBicubic(3, 2, width=8, blocks=1, residual=True), TexturePatches(3, [4], 3, "none")
    nn.init.normal_(degrader.tail.weight, std=0.1)
    with training(degrader) as descend:
        for number in range(steps):
            hr = smooth(4, 24, number)
            descend(degradation.generator(degrader(hr, degrader.draw(hr)), hr, judge).total)
    held_out = smooth(4, 24, 1000)
    return F.mse_loss(degrader(held_out, degrader.draw(held_out)), F.avg_pool2d(held_out, 2)).item()


def test_the_anchor_alone_leads_to_average_pooling_and_without_it_nothing_does() -> None:
    assert anchored(loss(adversarial_weight=0.0)) < 1e-4
    assert anchored(loss(pixel_weight=0.0, adversarial_weight=1.0)) > 1e-2


def test_a_term_without_weight_is_left_out_and_each_reaches_the_degrader_alone() -> None:
    degrader, judge = AfterBicubic(3, 2, 4, 1, noise_channels=1), TexturePatches(3, [4], 3, "none")
    hr, real = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 8, 8)
    for weights, names in (
        ({}, {"anchor", "adversarial"}),
        ({"adversarial_weight": 0.0}, {"anchor"}),
        ({"pixel_weight": 0.0}, {"adversarial"}),
    ):
        judge.requires_grad_(False)
        degrader.zero_grad()
        terms = loss(**weights).generator(degrader(hr, degrader.draw(hr)), hr, judge)
        torch.autograd.backward(terms.total)
        assert terms.values.keys() == names
        assert all(parameter.grad is not None for parameter in degrader.parameters())
    degrader.zero_grad()
    judge.requires_grad_(True)
    torch.autograd.backward(loss().discriminator(real, degrader(hr, degrader.draw(hr)), judge))
    assert all(parameter.grad is not None for parameter in judge.parameters())
    assert all(parameter.grad is None for parameter in degrader.parameters())


def test_two_draws_measure_the_squared_bias_whatever_the_noise_and_one_draw_its_variance_too() -> None:
    torch.manual_seed(0)
    anchor, bias, sigma = torch.rand(1, 3, 200, 200), 0.05, 0.1
    first, second = (anchor + bias + sigma * torch.randn(1, 3, 200, 200) for _ in range(2))
    low = [low_pass(image, 5) for image in (first, second, anchor)]
    assert SquaredBias()(*low).item() == pytest.approx(bias**2, rel=0.1)
    assert L2()(low[0], low[2]).item() == pytest.approx(bias**2 + sigma**2 / 25, rel=0.1)


def pull(pixel: nn.Module) -> tuple[float, float]:
    """The anchor's gradient for a degrader's noise (sigma 0.1) and its bias (0.05)."""
    torch.manual_seed(0)
    sigma, bias = torch.tensor(0.1, requires_grad=True), torch.tensor(0.05, requires_grad=True)
    hr, degradation = smooth(1, 512, 0), loss(pixel=pixel, adversarial_weight=0.0, low_pass=5)
    first, second = (F.avg_pool2d(hr, 2) + bias + sigma * torch.randn(1, 3, 256, 256) for _ in range(2))
    terms = degradation.generator(first, hr, torch.zeros_like, second if degradation.takes_two else None)
    torch.autograd.backward(terms.total)
    assert sigma.grad is not None
    assert bias.grad is not None
    return sigma.grad.item(), bias.grad.item()


def test_the_squared_bias_leaves_a_degrader_its_noise_and_the_squared_error_takes_it() -> None:
    for pixel, noise in ((SquaredBias(), pytest.approx(0, abs=5e-4)), (L2(), pytest.approx(2 * 0.1 / 25, rel=0.1))):
        sigma, bias = pull(pixel)
        assert sigma == noise
        assert bias == pytest.approx(2 * 0.05, rel=0.05)


def test_the_discriminator_cannot_tell_real_from_real_and_tells_noise_from_none() -> None:
    torch.manual_seed(0)
    judge, degradation = TexturePatches(3, [8, 8], 3, "none", high_pass=5), loss(low_pass=5)
    real = smooth(8, 16, 0)
    constant = degradation.discriminator(real, real, lambda image: torch.zeros(len(image), 1, 4, 4))
    assert constant.item() == pytest.approx(2.0)  # of the hinge: a margin on either side
    with training(judge) as descend:
        for number in range(120):
            noisy = smooth(8, 16, number) + 0.05 * torch.randn(8, 3, 16, 16)
            descend(degradation.discriminator(noisy, smooth(8, 16, number + 500), judge))
    clean = smooth(32, 16, 2000)
    noisy = smooth(32, 16, 3000) + 0.05 * torch.randn(32, 3, 16, 16)
    verdicts = [judge(images).mean((1, 2, 3)) > 0 for images in (noisy, clean)]
    assert torch.cat([verdicts[0], ~verdicts[1]]).float().mean() > 0.95


def learned_noise(sigma: float, steps: int = 200) -> float:
    """How much a degrader's draws differ (standard deviation) that learned from LR with noise; of its later half."""
    torch.manual_seed(0)
    degrader = AfterBicubic(3, 2, width=8, blocks=1, residual=True, noise_channels=3)
    judge = TexturePatches(3, [8], 3, "none", high_pass=5, contrast=4.0)
    degradation = loss(pixel=SquaredBias(), anchor="bicubic", low_pass=5, adversarial_weight=0.05, pixel_weight=4.0)
    noise: list[float] = []
    with training(degrader, 3e-3) as descend, training(judge, 3e-3) as judge_descend:
        for number in range(steps):
            hr, real = smooth(4, 32, number), smooth(4, 16, number + 500)
            real = real + sigma * torch.randn_like(real)
            fake, second = (degrader(hr, degrader.draw(hr)) for _ in range(2))
            judge_descend(degradation.discriminator(real, fake, judge))
            descend(degradation.generator(fake, hr, judge, second).total)
            noise.append((fake - second).std().item() / 2**0.5)
    return sum(noise[steps // 2 :]) / (steps - steps // 2)


def test_the_noise_of_draws_grows_with_that_of_real_lr() -> None:
    clean, noisy = learned_noise(0.0), learned_noise(0.08)
    assert noisy > 0.03
    assert noisy > 3 * clean


def test_anchors_are_what_they_are_called() -> None:
    hr = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(loss().anchored(hr, 2), F.avg_pool2d(hr, 2))
    assert torch.equal(loss(anchor="bicubic").anchored(hr, 2), downscale(hr, 2, 0, rounding="none"))
    for wrong in ({"anchor": "nearest"}, {"low_pass": 4}, {"pixel_weight": 0.0, "adversarial_weight": 0.0}):
        with pytest.raises(ValueError, match=r"choose|give"):
            loss(**wrong)
