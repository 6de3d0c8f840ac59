"""Noise by its moments, JPEG by Pillow, and what makes a degradation reproducible."""

from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from srlab.degradation.base import Chain, Degradation, derive_seeds
from srlab.degradation.blur import AnisotropicBlur, IsotropicBlur
from srlab.degradation.downscale import Downscale
from srlab.degradation.jpeg import Jpeg
from srlab.degradation.noise import GaussianNoise, PoissonNoise
from srlab.degradation.quantization import Quantize


def bits(count: int, levels: int = 255) -> Tensor:
    return torch.full((count,), levels)


def test_gaussian_noise_has_the_sigma_that_it_reports() -> None:
    grey = torch.full((2, 3, 200, 200), 0.5)
    noisy, drawn = GaussianNoise((0.02, 0.2))(grey, torch.tensor([1, 2]), bits(2))
    assert drawn["noise_sigma"][0] != drawn["noise_sigma"][1]
    for b in range(2):
        assert (noisy[b] - 0.5).std().item() == pytest.approx(drawn["noise_sigma"][b].item(), rel=0.01)
        correlation = np.corrcoef((noisy[b] - 0.5).flatten(1).numpy())
        assert abs(correlation[0, 1]) < 0.02
    same = GaussianNoise(0.1, grey=True)(grey, torch.tensor([1, 2]), bits(2)).lr
    assert torch.equal(same[:, 0], same[:, 1])


def test_poisson_noise_has_a_variance_of_value_over_photons() -> None:
    ramp = torch.tensor([0.1, 0.4, 0.9])[None, :, None, None].expand(1, 3, 300, 300)
    noisy, drawn = PoissonNoise(50)(ramp, torch.tensor([3]), bits(1))
    assert drawn["photons"].tolist() == [50]
    for c, value in enumerate((0.1, 0.4, 0.9)):
        assert noisy[0, c].mean().item() == pytest.approx(value, rel=0.01)
        assert noisy[0, c].var().item() == pytest.approx(value / 50, rel=0.03)


def blurred_and_noisy() -> Chain:
    return Chain([IsotropicBlur(1, [0.5, 3.0], 7), GaussianNoise((0.02, 0.2)), PoissonNoise((50, 500))])


def test_frames_of_a_clip_share_what_is_drawn_and_have_grain_of_their_own() -> None:
    still = torch.full((2, 3, 1, 96, 96), 0.5)
    seeds = torch.tensor([5, 6])
    noisy, drawn = blurred_and_noisy().of_clips(still, seeds, bits(2))
    assert noisy.shape == still.shape
    assert drawn["kernel"].shape == (2, 7, 7)
    for name in ("blur_sigma", "noise_sigma", "photons"):
        assert drawn[name].shape == (2,)
        assert drawn[name][0] != drawn[name][1]
    for clip in range(2):
        expected = (drawn["noise_sigma"][clip] ** 2 + 0.5 / drawn["photons"][clip]) ** 0.5
        assert np.corrcoef(noisy[clip].flatten(1).numpy()) == pytest.approx(np.eye(3), abs=0.05)
        assert noisy[clip].flatten(1).std(1).tolist() == pytest.approx([float(expected)] * 3, rel=0.05)
    again = blurred_and_noisy().of_clips(still[1:], seeds[1:], bits(1)).lr
    assert torch.equal(again[0], noisy[1]), "its own seed alone decides what becomes of a clip"


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_equals_pillows(channels: int, smooth: Tensor) -> None:
    images = smooth[:, :channels].repeat(2, 1, 1, 1)
    lr, drawn = Jpeg((20, 90))(images, torch.tensor([1, 2]), bits(2))
    for b in range(2):
        quality = int(drawn["jpeg_quality"][b])
        assert 20 <= quality <= 90
        pixels = (images[b] * 255).round().byte().permute(1, 2, 0).numpy().squeeze()
        file = BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
        expected = np.asarray(Image.open(file)).reshape(*smooth.shape[-2:], channels)
        assert np.array_equal((lr[b] * 255).round().byte().permute(1, 2, 0).numpy(), expected)
    with pytest.raises(ValueError, match="4 channels"):
        Jpeg(50)(torch.rand(1, 4, 8, 8), torch.tensor([1]), bits(1))


def test_jpeg_quality_reaches_both_ends() -> None:
    image = torch.rand(1, 1, 8, 8).expand(60, -1, -1, -1)
    drawn = Jpeg((30, 32))(image, torch.arange(60), bits(60)).parameters["jpeg_quality"]
    assert sorted(set(drawn.tolist())) == [30, 31, 32]


def heavy() -> Degradation:
    return Chain(
        [
            AnisotropicBlur(1, (0.4, 2.0), kernel_size=9),
            Downscale(2, rounding="none"),
            GaussianNoise((0, 0.1)),
            PoissonNoise((100, 1000)),
            Jpeg((40, 95)),
            GaussianNoise((0, 0.1)),
            Quantize(),
        ]
    )


def test_an_image_is_degraded_alike_whoever_is_in_its_batch(noisy_codes: Tensor) -> None:
    chain, seeds = heavy(), torch.tensor([4, 5, 6])
    together = chain(noisy_codes, seeds, bits(3))
    torch.manual_seed(0)
    order = [2, 0]
    others = chain(noisy_codes[order], seeds[order], bits(2))
    torch.manual_seed(1)
    alone = chain(noisy_codes[1:2], seeds[1:2], bits(1))
    assert torch.equal(together.lr[order], others.lr)
    assert torch.equal(together.lr[1:2], alone.lr)
    for name, values in together.parameters.items():
        assert len(values) == 3
        assert torch.equal(values[order], others.parameters[name])
    assert {"blur_sigma", "blur_angle", "kernel", "noise_sigma", "photons", "jpeg_quality", "noise_sigma_5"} == set(
        together.parameters
    )
    assert list(chain.parameters()) == []
    assert chain.state_dict() == {}
    codes = together.lr.double() * 255
    assert (codes - codes.round()).abs().max() < 1e-4
    assert together.lr.min() >= 0
    assert together.lr.max() <= 1


def test_the_steps_of_a_chain_draw_independently() -> None:
    """With one stream for all, blur and noise would be large together."""
    chain = Chain([IsotropicBlur(1, (1.0, 2.0), kernel_size=3), GaussianNoise((0.0, 0.1)), GaussianNoise((0.0, 0.1))])
    drawn = chain(torch.rand(500, 1, 2, 2), torch.arange(500), bits(500)).parameters
    table = torch.stack([drawn["blur_sigma"], drawn["noise_sigma"], drawn["noise_sigma_2"]])
    assert (torch.corrcoef(table) - torch.eye(3)).abs().max() < 0.12


def test_derived_seeds_are_distinct_and_valid() -> None:
    seeds = torch.cat([derive_seeds(torch.arange(-500, 500), place) for place in range(4)])
    assert len(set(seeds.tolist())) == 4000
    assert seeds.min() >= 0


def test_what_cannot_be_degraded_is_refused(noisy_codes: Tensor) -> None:
    with pytest.raises(ValueError, match="not a multiple of scale=7"):
        Downscale(7)(noisy_codes, torch.arange(3), bits(3))
    with pytest.raises(ValueError, match="a seed and a level per image"):
        Downscale(2)(noisy_codes, torch.arange(2), bits(3))
    with pytest.raises(ValueError, match="no steps"):
        Chain([])
    with pytest.raises(ValueError, match="one kind of borders"):
        Chain([Downscale(2), Downscale(2, borders="replicate")])
    with pytest.raises(ValueError, match="sigma"):
        GaussianNoise((0.3, 0.1))
    with pytest.raises(ValueError, match="sigma"):
        GaussianNoise(25)
    with pytest.raises(ValueError, match="quality"):
        Jpeg((0, 50))
    with pytest.raises(ValueError, match="rounding"):
        Downscale(2, rounding="twice")  # type: ignore[arg-type]
