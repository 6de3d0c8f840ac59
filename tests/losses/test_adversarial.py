"""Adversarial objectives: values by hand, signs of their gradients, and the slope of critics that are known."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.losses.adversarial import (
    Hinge,
    LeastSquares,
    Objective,
    RelativisticAverage,
    Vanilla,
    WassersteinGP,
    gradient_penalty,
)

ALL = [Vanilla(), LeastSquares(), Hinge(), WassersteinGP(), RelativisticAverage()]
NAMES = [type(objective).__name__ for objective in ALL]
LN2 = math.log(2)


@pytest.mark.parametrize(
    ("objective", "undecided", "wrong"),
    [
        (Vanilla(), (2 * LN2, LN2), (2 * math.log1p(math.e**2), math.log1p(math.e**-2))),
        (LeastSquares(), (0.5, 0.5), (0.5 * 9 + 0.5 * 4, 0.5)),
        (Hinge(), (2, 0), (3 + 3, -2)),
        (WassersteinGP(), (0, 0), (4, -2)),
        (RelativisticAverage(), (LN2, LN2), (math.log1p(math.e**4), math.log1p(math.e**-4))),
    ],
    ids=NAMES,
)
def test_values_by_hand(objective: Objective, undecided: tuple[float, float], wrong: tuple[float, float]) -> None:
    zeros, real, fake = torch.zeros(2, 1, 3, 3), torch.full((4, 1), -2.0), torch.full((4, 1), 2.0)
    found = [objective.discriminator(zeros, zeros).item(), objective.generator(zeros, zeros).item()]
    assert found == pytest.approx(undecided)
    assert [objective.discriminator(real, fake).item(), objective.generator(fake, real).item()] == pytest.approx(wrong)


@pytest.mark.parametrize("objective", ALL, ids=NAMES)
def test_the_discriminator_tells_apart_and_the_generator_looks_real(objective: Objective) -> None:
    real, fake = (torch.tensor([0.3, 0.2, 0.1], requires_grad=True) for _ in range(2))
    for_real, for_fake = torch.autograd.grad(objective.discriminator(real, fake), (real, fake))
    assert (for_real < 0).all()  # descent raises the real logits
    assert (for_fake > 0).all()
    for_fake, for_real = torch.autograd.grad(objective.generator(fake, real), (fake, real), allow_unused=True)
    assert (for_fake < 0).all()
    assert (for_real is not None) == objective.compares


def test_cross_entropies_are_torchs() -> None:
    real, fake = torch.randn(5, 1), torch.randn(5, 1)
    ones, zeros = torch.ones(5, 1), torch.zeros(5, 1)
    cross_entropy = F.binary_cross_entropy_with_logits
    expected = cross_entropy(real, ones) + cross_entropy(fake, zeros)
    torch.testing.assert_close(Vanilla().discriminator(real, fake), expected)
    relative = cross_entropy(real - fake.mean(), ones) + cross_entropy(fake - real.mean(), zeros)
    torch.testing.assert_close(RelativisticAverage().discriminator(real, fake), relative / 2)
    relative = cross_entropy(real - fake.mean(), zeros) + cross_entropy(fake - real.mean(), ones)
    torch.testing.assert_close(RelativisticAverage().generator(fake, real), relative / 2)


def test_beyond_its_margins_the_hinge_teaches_nothing() -> None:
    real, fake = torch.tensor([1.5], requires_grad=True), torch.tensor([-1.5], requires_grad=True)
    gradients = torch.autograd.grad(Hinge().discriminator(real, fake), (real, fake))
    assert [gradient.item() for gradient in gradients] == [0, 0]


def test_the_penalty_of_a_linear_critic_is_its_slope_less_one_squared() -> None:
    slope = torch.zeros(3, 4, 4, requires_grad=True)
    with torch.no_grad():
        slope[0, 0, 0], slope[2, 1, 3] = 3.0, 4.0  # of norm 5

    def critic(image: Tensor) -> Tensor:
        return (image * slope).sum((1, 2, 3)) + 7

    penalty = gradient_penalty(critic, torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4))
    assert penalty.item() == pytest.approx(16)
    (gradient,) = torch.autograd.grad(penalty, slope)
    torch.testing.assert_close(gradient, 2 * 4 * slope.detach() / 5)


def test_the_penalty_looks_between_real_and_fake_and_at_each_sample_by_itself() -> None:
    seen: list[Tensor] = []

    def critic(image: Tensor) -> Tensor:
        seen.append(image.detach())
        return 0.5 * image.square()  # logits for every element, whose mean has the slope image / 4

    real, fake = torch.tensor([[8.0, 0, 0, 0], [4.0, 0, 0, 0]]), torch.tensor([[0.0, 0, 0, 0], [4.0, 0, 0, 0]])
    penalty = gradient_penalty(critic, real, fake)
    first, second = seen[0][0, 0].item(), seen[0][1, 0].item()
    assert 0 < first < 8
    assert second == 4
    assert penalty.item() == pytest.approx(((first / 4 - 1) ** 2 + 0) / 2)


def test_impossible_uses_are_refused() -> None:
    with pytest.raises(ValueError, match="the paper takes 10"):
        WassersteinGP(penalty=0)
    with pytest.raises(ValueError, match="logits of real images"):
        RelativisticAverage().generator(torch.zeros(1))
