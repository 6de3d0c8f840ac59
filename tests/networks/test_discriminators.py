"""Discriminators: published parameter counts, what they see, and what they refuse."""

import pytest
import torch

from srlab.build import build
from srlab.errors import InputError
from srlab.networks.discriminators import Discriminator, PatchGAN, UNetDiscriminator
from tests.conftest import composed

CHOICES = ["srgan", "esrgan", "enhancenet", "patchgan", "unet"]


def chosen(name: str, *overrides: str) -> Discriminator:
    discriminator: Discriminator = build(composed("train", [f"discriminator={name}", *overrides]).discriminator)
    return discriminator


def parameters(discriminator: Discriminator) -> int:
    return sum(parameter.numel() for parameter in discriminator.parameters())


def test_parameter_counts() -> None:
    assert parameters(chosen("unet")) == 4_376_897  # Real-ESRGAN's own
    assert parameters(chosen("esrgan")) == 14_502_281  # of the authors' Discriminator_VGG_128
    assert parameters(chosen("patchgan")) == 2_765_633  # as in CinCGAN
    assert parameters(PatchGAN(6)) == 2_768_705  # pix2pix, which sees the condition too
    pairs = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    convolutions = sum(9 * a * b + b for a, b in pairs)
    norms = sum(2 * b for _, b in pairs[1:])
    assert parameters(chosen("srgan")) == 23_565_505 == convolutions + norms + (512 * 36 + 1) * 1024 + 1025
    pairs = [
        (3, 32),
        (32, 32),
        (32, 64),
        (64, 64),
        (64, 128),
        (128, 128),
        (128, 256),
        (256, 256),
        (256, 512),
        (512,) * 2,
    ]
    convolutions = sum(9 * a * b + b for a, b in pairs)
    assert parameters(chosen("enhancenet")) == 13_102_881 == convolutions + (512 * 16 + 1) * 1024 + 1025


@pytest.mark.parametrize("name", CHOICES)
def test_each_judges_from_its_smallest_image_on_and_teaches_every_weight(name: str) -> None:
    discriminator = chosen(name, "channels=1")
    image = torch.rand(2, 1, discriminator.smallest, discriminator.smallest + 8, requires_grad=True)
    logits = discriminator(image)
    assert len(logits) == 2
    logits.square().sum().backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0
    assert all(parameter.grad is not None for parameter in discriminator.parameters())
    for wrong in ((2, 1, discriminator.smallest - 1, 64), (2, 3, 64, 64)):
        with pytest.raises(InputError, match=r"data\.patch"):
            discriminator(torch.rand(wrong))


@pytest.mark.parametrize(("name", "size", "grid"), [("srgan", 96, 6), ("esrgan", 128, 4), ("enhancenet", 128, 4)])
def test_at_the_papers_size_nothing_is_averaged_before_the_dense_layers(name: str, size: int, grid: int) -> None:
    discriminator = chosen(name)
    features = discriminator.get_submodule("features")(torch.rand(1, 3, size, size))
    assert features.shape == (1, 512, grid, grid)
    assert torch.equal(discriminator.get_submodule("pool")(features), features)


@pytest.mark.parametrize(("strides", "patch"), [((2, 2, 2, 1), 70), ((1, 1, 1, 1), 16)])
def test_a_logit_of_patchgan_sees_its_patch(strides: tuple[int, ...], patch: int) -> None:
    discriminator = PatchGAN(1, width=4, strides=strides, norm="none")
    image = torch.rand(1, 1, 140, 140, requires_grad=True)
    logits = discriminator(image)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    assert image.grad is not None
    seen = image.grad[0, 0].nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [patch, patch]


def test_the_unets_layers_keep_a_spectral_norm_of_one() -> None:
    torch.manual_seed(0)
    discriminator = UNetDiscriminator(1, width=4)
    for _ in range(30):  # power iterations
        discriminator(torch.rand(1, 1, 16, 16))
    layers = [*discriminator.down, *discriminator.up, *discriminator.last]
    largest = [torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item() for layer in layers]
    assert largest == pytest.approx([1.0] * 8, abs=0.05)
