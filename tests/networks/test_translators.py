"""CinCGAN's nets: the published sizes, their reductions, and the chain of G1 and SR."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from srlab.networks.discriminators import PatchGAN
from srlab.networks.interpolation import Interpolation
from srlab.networks.translators import Chained, Translator


def size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_numbers_of_parameters() -> None:
    assert size(Translator(3)) == 609_731
    assert size(Translator(3, scale=4)) == 667_075
    assert size(PatchGAN(3, strides=(1, 1, 1, 1))) == size(PatchGAN(3, strides=(2, 2, 2, 1))) == 2_765_633


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
def test_a_translator_reduces_to_the_lr_size(scale: int) -> None:
    image = torch.rand(2, 3, 5 * scale, 7 * scale)
    assert Translator(3, scale, 4, 1)(image).shape == (2, 3, 5, 7)
    begun = Translator(3, scale, 4, 1, residual=True)(image)
    plain = F.interpolate(image, (5, 7), mode="bicubic", antialias=True)
    torch.testing.assert_close(begun[..., 2:-2, 2:-2], plain[..., 2:-2, 2:-2], atol=1e-5, rtol=0)


def test_a_chain_cleans_then_enlarges() -> None:
    chain = Chained(partial(Translator, width=4, blocks=1), Interpolation(3, 2, "bicubic"))
    lr = torch.rand(1, 3, 6, 8)
    assert torch.equal(chain(lr).sr, chain.enlarger(chain.translator(lr)).sr)
    assert (chain.scale, chain.channels) == (2, 3)
    image = torch.rand(1, 3, 61, 61)
    moved = image.clone()
    moved[..., 30, 30] += 0.5
    reach = (chain(moved).sr - chain(image).sr)[0].abs().amax(0).nonzero() // 2 - 30
    assert chain.halo is not None
    assert 6 < int(reach.abs().max()) <= chain.halo


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="reduces by 1, 2, 3, 4, 8"):
        Translator(3, 5)
    with pytest.raises(ValueError, match=r"translator\.blocks=0"):
        Translator(3, blocks=0)
