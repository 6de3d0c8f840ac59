import math

import pytest
import torch
from torch import Tensor

from srlab.build import build
from srlab.errors import InputError
from srlab.losses.adversarial import RelativisticAverage, Vanilla, WassersteinGP
from srlab.losses.gan import GAN
from srlab.losses.pixel import L1
from srlab.losses.weighted import WeightedSum, WeightedTerm
from tests.conftest import composed
from tests.losses.conftest import step_of


def mean_of(image: Tensor) -> Tensor:
    return image.mean((1, 2, 3))


def test_the_term_is_the_generators_objective() -> None:
    sr, hr = torch.full((2, 3, 4, 4), 0.25, requires_grad=True), torch.full((2, 3, 4, 4), 0.75)
    step = step_of(sr, hr, discriminator=mean_of)
    assert GAN(Vanilla()).measure(step).item() == pytest.approx(math.log1p(math.exp(-0.25)))
    assert GAN(WassersteinGP()).measure(step).item() == pytest.approx(-0.25)
    relative = GAN(RelativisticAverage()).measure(step)
    assert relative.item() == pytest.approx(math.log1p(math.exp(0.5)))
    (gradient,) = torch.autograd.grad(relative, sr)
    assert (gradient < 0).all()


def test_the_discriminator_and_its_loss_rest_during_the_warmup() -> None:
    sr = hr = torch.zeros(1, 1, 2, 2)
    objective = WeightedSum({"l1": WeightedTerm(L1()), "gan": GAN(Vanilla(), warmup=3)})
    present = ["gan" in objective(step_of(sr, hr, iteration=n, discriminator=mean_of)).values for n in (1, 3, 4, 5)]
    assert present == [False, False, True, True]


def test_a_paradigm_without_a_discriminator_says_so() -> None:
    with pytest.raises(InputError, match="paradigm=adversarial"):
        build(composed("train", ["loss=[l1,gan]", "backbone.blocks=1", "run_dir=run"]).paradigm)
    with pytest.raises(InputError, match="paradigm=adversarial"):
        GAN(Vanilla()).measure(step_of(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)))
