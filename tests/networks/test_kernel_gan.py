"""KernelGAN's players: a generator that is a kernel and nothing else, a discriminator of the published size."""

import pytest
import torch

from srlab.networks.kernel_gan import LinearGenerator, PatchCritic, reduce


@pytest.fixture
def generator() -> LinearGenerator:
    torch.manual_seed(0)
    return LinearGenerator().double()


def test_both_have_the_published_number_of_parameters(generator: LinearGenerator) -> None:
    assert sum(one.numel() for one in generator.parameters()) == 150_656
    assert sum(one.numel() for one in PatchCritic(3).parameters()) == 30_977


def test_the_generator_is_the_kernel_that_answers_to_a_single_pixel(generator: LinearGenerator) -> None:
    image = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    kernel = generator.kernel()
    assert kernel.shape == (13, 13)
    reduced = generator(image)
    assert reduced.shape == (2, 3, 26, 26)
    torch.testing.assert_close(reduce(image, kernel, 2), reduced)
    by_hand = (image[0, 1, 8:21, 10:23] * kernel).sum()
    torch.testing.assert_close(reduced[0, 1, 4, 5], by_hand)


def test_its_weights_get_the_same_gradient_through_the_kernel(generator: LinearGenerator) -> None:
    image = torch.rand(1, 3, 40, 40, dtype=torch.float64)
    gradients = [
        torch.autograd.grad(reduced.square().sum(), list(generator.parameters()))
        for reduced in (generator(image), reduce(image, generator.kernel(), 2))
    ]
    torch.testing.assert_close(*gradients)


def test_it_is_linear(generator: LinearGenerator) -> None:
    x, y = torch.rand(2, 1, 3, 30, 30, dtype=torch.float64)
    torch.testing.assert_close(generator(2 * x - 3 * y), 2 * generator(x) - 3 * generator(y))


@pytest.mark.parametrize("sizes", [(13,), (7, 4), ()])
def test_sizes_that_make_no_kernel_are_refused(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="kernel_sizes"):
        LinearGenerator(sizes)


def test_the_discriminator_judges_each_patch() -> None:
    critic = PatchCritic(3).eval()
    image = torch.rand(1, 3, 26, 26)
    logits = critic(image)
    assert logits.shape == (1, 1, 20, 20)
    changed = image.clone()
    changed[..., 3, 3] += 1
    moved = (critic(changed) != logits)[0, 0].nonzero()
    assert moved.max() <= 3  # the patches that begin at rows and columns 0 to 3 hold the pixel, and no others
