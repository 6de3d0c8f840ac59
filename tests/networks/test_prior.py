"""A prior makes an image out of fixed noise, of which the LR image decides the size alone."""

import pytest
import torch
from torch import Tensor

from srlab.networks.backbones.edsr import EDSR
from srlab.networks.backbones.hourglass import Hourglass
from srlab.networks.prior import NoisePrior


def prior(jitter: float = 0.0, seed: int = 0) -> NoisePrior:
    torch.manual_seed(0)
    return NoisePrior(Hourglass(4, width=6, skip=2, scales=2), 3, scale=4, seed=seed, jitter=jitter)


def lr(height: int = 8, width: int = 8) -> Tensor:
    return torch.rand(1, 3, height, width)


def test_the_noise_is_fixed_uniform_and_of_its_seed() -> None:
    first, other = prior(), prior(seed=1)
    noise = first.noise(64, 96, lr()).clone()
    assert noise.shape == (1, 4, 64, 96)
    assert 0 <= noise.min() < 1e-4
    assert 0.0999 < noise.max() <= 0.1
    assert torch.equal(first.noise(64, 96, lr()), noise)
    assert torch.equal(prior().noise(64, 96, lr()), noise)
    assert not torch.equal(other.noise(64, 96, lr()), noise)


def test_of_lr_the_size_alone_counts() -> None:
    network = prior()
    assert torch.equal(network(lr()).sr, network(lr()).sr)


def test_fresh_noise_of_the_given_strength_is_added_in_training_alone() -> None:
    network, seen = prior(jitter=0.03), list[Tensor]()
    network.backbone.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    for _ in range(2):
        network(lr(16, 16))
    added = [z - network.noise(64, 64, lr()) for z in seen]
    assert not torch.equal(*added)
    assert added[0].std().item() == pytest.approx(0.03, rel=0.05)
    network.eval()(lr(16, 16))
    assert torch.equal(seen[2], network.noise(64, 64, lr()))


@pytest.mark.parametrize(("height", "width"), [(5, 7), (1, 9)])
def test_sizes_that_the_hourglass_cannot_halve_are_made_larger_and_cut(height: int, width: int) -> None:
    network = prior()
    sr = network(lr(height, width)).sr
    assert sr.shape == (1, 3, 4 * height, 4 * width)
    assert network.noise(4 * height, 4 * width, lr()).shape[-2] % 4 == 0


def test_any_backbone_is_a_prior() -> None:
    network = NoisePrior(EDSR(32, width=8, blocks=1), 3, scale=2)
    sr = network(lr(5, 6)).sr
    assert sr.shape == (1, 3, 10, 12)
    assert 0 < sr.min() < sr.max() < 1
