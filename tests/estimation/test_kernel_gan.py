"""KernelGAN: the published dynamics of its game, and what it finds in images whose kernel is known."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.estimation.estimator import Floats, composed
from srlab.estimation.kernel_gan import InternalGAN, KernelGAN, falling
from srlab.estimation.measures import correlation, distance, moments
from srlab.networks.kernel_gan import LinearGenerator, PatchCritic
from tests.estimation.conftest import bicubic_kernel, slanted

Reduced = Callable[[Floats, int], Tensor]
KERNEL = torch.full((13, 13), 1 / 169)


@pytest.fixture
def game() -> InternalGAN:
    torch.manual_seed(0)
    return InternalGAN(LinearGenerator(width=8), PatchCritic(3, width=16))


def begun(game: InternalGAN) -> None:
    """Scale the generator until its kernel's sum is 1."""
    with torch.no_grad():
        next(game.generator.parameters()).div_(game.generator.kernel().sum())


def test_the_likeness_to_bicubic_is_let_go_and_the_other_terms_set_in(game: InternalGAN) -> None:
    def weights(iteration: int, loss: float) -> list[float]:
        game.relax(iteration, torch.tensor(loss))
        return [game.weights(KERNEL)[name] for name in ("bicubic", "sparsity", "centre")]

    for iteration, loss in enumerate([0.1, 0.1, 0.3, 0.5, 0.3, 0.3], start=1):  # never three in a row
        assert weights(iteration, loss) == [5, 0, 0]
    assert weights(7, 0.3) == [5, 0, 0]
    assert weights(200, 0.9) == [5, 0, 0]  # reached once is reached
    assert weights(201, 0.1) == pytest.approx([0.05, 0, 0])
    assert weights(401, 0.1) == pytest.approx([0.0005, 5, 1])
    assert weights(601, 0.1) == pytest.approx([0.000005, 5, 1])
    assert weights(801, 0.1) == pytest.approx([0.000005, 5, 1])


def test_as_long_as_bicubic_is_not_reached_its_weight_stays(game: InternalGAN) -> None:
    for iteration in range(1, 500):
        game.relax(iteration, torch.tensor(0.39 if iteration % 3 else 0.41))
    assert game.weights(KERNEL)["bicubic"] == 5


def test_as_long_as_there_is_no_kernel_the_discriminator_has_no_say(game: InternalGAN) -> None:
    assert game.weights(0.49 * KERNEL)["gan"] == game.weights(-KERNEL)["gan"] == 0
    assert game.weights(0.51 * KERNEL)["gan"] == 1
    large = torch.rand(1, 3, 64, 64)  # at its start the game's kernel is all but zero
    assert set(game.generator_terms(large).values) == {"bicubic", "sum_to_one", "boundaries"}


def test_the_rate_falls_to_a_tenth_every_750_iterations() -> None:
    rates = [falling(3000)(iteration) for iteration in (0, 749, 750, 1499, 1500, 2250, 2999)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.001, 0.001])
    assert falling(100)(99) == 1


def test_labels_are_one_for_real_and_zero_for_fake(game: InternalGAN, monkeypatch: pytest.MonkeyPatch) -> None:
    large, small = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 26, 26)
    monkeypatch.setattr(game.discriminator, "forward", lambda image: torch.full((1, 1, 20, 20), 2.0))
    certainty = torch.tensor(2.0).sigmoid().item()
    assert game.discriminator_loss(large, small).item() == pytest.approx(0.5 * (1 - certainty + certainty))
    begun(game)
    assert game.generator_terms(large).values["gan"].item() == pytest.approx(1 - certainty, abs=1e-6)


def test_each_term_is_the_kernels_and_the_crops_business(game: InternalGAN) -> None:
    large = torch.rand(1, 3, 64, 64)
    begun(game)
    terms = game.generator_terms(large)
    gradients = torch.autograd.grad(terms.total, list(game.generator.parameters()))
    assert all(gradient.abs().sum() > 0 for gradient in gradients)
    assert set(terms.values) == {"gan", "bicubic", "sum_to_one", "boundaries"}
    weights = game.weights(game.generator.kernel())
    by_hand = sum(weights[name] * value for name, value in terms.values.items())
    assert terms.total.item() == pytest.approx(float(by_hand))


def test_the_discriminators_loss_leaves_the_generator_alone(game: InternalGAN) -> None:
    loss = game.discriminator_loss(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 26, 26))
    torch.autograd.backward(loss)
    assert all(one.grad is None for one in game.generator.parameters())
    assert all(one.grad is not None for one in game.discriminator.parameters())


def test_the_likeness_is_to_an_aligned_bicubic_reduction(game: InternalGAN, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = torch.from_numpy(bicubic_kernel()).float()
    monkeypatch.setattr(game.generator, "kernel", lambda: kernel)
    assert game.generator_terms(2 * torch.rand(1, 3, 64, 64) - 1).values["bicubic"] < 1e-9


def test_a_discriminator_learns_to_tell_a_fixed_generators_crops(game: InternalGAN) -> None:
    optimizer = torch.optim.Adam(game.discriminator.parameters(), lr=1e-2, betas=(0.5, 0.999))
    with torch.no_grad():
        list(game.generator.parameters())[-1].mul_(50)
    for _ in range(60):
        large, small = torch.rand(1, 3, 64, 64), torch.rand(1, 3, 26, 26)
        optimizer.zero_grad()
        loss = game.discriminator_loss(large, small)
        torch.autograd.backward(loss)
        optimizer.step()
    assert loss < 0.25  # 0.5 at the start


def test_an_estimate_is_deterministic_and_leaves_the_callers_random_state(reduced: Reduced) -> None:
    lr = reduced(slanted("rising"), 192)
    estimator = KernelGAN(iterations=3, width=8)
    torch.manual_seed(5)
    expected = torch.rand(())
    torch.manual_seed(5)
    one, same, other = (estimator(lr, 2, seed) for seed in (0, 0, 1))
    assert torch.rand(()) == expected
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_x4_is_twice_x2(game: InternalGAN, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = torch.from_numpy(slanted("rising")[4:-4, 4:-4])
    monkeypatch.setattr(game.generator, "kernel", lambda: kernel)
    twice, four = game.estimate(2), game.estimate(4)
    assert moments(four).centre == pytest.approx((1.5, 1.5), abs=0.05)
    np.testing.assert_allclose(moments(four).covariance, moments(composed(twice)).covariance, rtol=0.02)
    np.testing.assert_allclose(moments(four).covariance, 5 * moments(twice).covariance, rtol=0.02)


@pytest.mark.parametrize(
    ("options", "message"), [({"crop": 20}, "crop=20"), ({"iterations": 0}, "iterations=0"), ({"keep": 0}, "keep=0")]
)
def test_impossible_numbers_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KernelGAN(**options)  # type: ignore[arg-type]


def test_an_image_too_small_for_a_crop_is_refused() -> None:
    with pytest.raises(InputError, match="84 x 84"):
        KernelGAN()(torch.rand(3, 83, 200), 2)
    with pytest.raises(InputError, match="2, 4"):
        KernelGAN()(torch.rand(3, 200, 200), 3)


@pytest.mark.slow
def test_known_kernels_are_found(reduced: Reduced) -> None:
    games = {name: KernelGAN().played(reduced(slanted(name), 384), 0) for name in ("falling", "rising")}
    for game in games.values():  # what the constraints alone ask of it
        assert game.generator.kernel().shape == (13, 13)
        assert game.generator.kernel().sum().item() == pytest.approx(1, abs=0.05)
    estimates = {name: game.estimate(2) for name, game in games.items()}
    for name, other in (("falling", "rising"), ("rising", "falling")):
        estimate, truth = estimates[name], slanted(name)
        assert distance(estimate, truth) < 0.6 * distance(bicubic_kernel(), truth)
        assert correlation(estimate, truth) > correlation(bicubic_kernel(), truth)
        assert distance(estimate, truth) < distance(estimates[other], truth)
        assert np.sign(moments(estimate).covariance[0, 1]) == np.sign(moments(truth).covariance[0, 1])
        assert moments(estimate).centre == pytest.approx((0.5, 0.5), abs=0.05)
