"""PSNR and SSIM against other libraries and closed forms."""

import math

import numpy as np
import pytest
import torch
from kornia.metrics import ssim as kornia_ssim
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from srlab.errors import InputError
from srlab.evaluation.metrics import higher_is_better, psnr, ssim


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    reference = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 70, 61, generator=generator), 3, 1)
    image = (reference + 0.05 * torch.randn(reference.shape, generator=generator)).clamp(0, 1)
    return image, reference


def test_psnr_is_the_closed_form() -> None:
    black = torch.zeros(1, 3, 4, 5)
    assert psnr(black + 0.1, black) == pytest.approx(20, abs=1e-5)
    assert psnr(black + 1 / 255, black) == pytest.approx(20 * math.log10(255), abs=1e-5)
    assert psnr(black, black) == math.inf
    assert math.isnan(psnr(torch.full_like(black, math.nan), black)), "a broken image is not a perfect one"


def test_psnr_agrees_with_scikit_image(pair: tuple[Tensor, Tensor]) -> None:
    image, reference = (one.double().numpy() for one in pair)
    expected = peak_signal_noise_ratio(reference, image, data_range=1)  # type: ignore[no-untyped-call]
    assert psnr(*pair) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("window", "sigma"), [(11, 1.5), (9, 1.0)])
def test_ssim_agrees_with_kornia_and_scikit_image(pair: tuple[Tensor, Tensor], window: int, sigma: float) -> None:
    if sigma == 1.5:  # the only one that kornia offers
        expected = kornia_ssim(pair[0].double(), pair[1].double(), window_size=window, padding="valid").mean()
        assert ssim(*pair, window, sigma) == pytest.approx(float(expected), abs=1e-7)
    image, reference = (one[0].double().numpy() for one in pair)
    # scikit-image cuts its Gaussian at a radius of int(3.5 sigma + 0.5), and averages where it fits whole
    other = structural_similarity(  # type: ignore[no-untyped-call]
        image,
        reference,
        gaussian_weights=True,
        sigma=sigma,
        use_sample_covariance=False,
        data_range=1,
        channel_axis=0,
    )
    assert ssim(*pair, window, sigma) == pytest.approx(float(other), abs=1e-9)


def test_ssim_of_constant_images_is_the_luminance_term() -> None:
    a, b = torch.full((1, 1, 12, 12), 0.2), torch.full((1, 1, 12, 12), 0.6)
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ssim(a, b) == pytest.approx(expected, rel=1e-6)
    assert ssim(a, a) == pytest.approx(1)


def test_only_one_image_of_one_size_is_scored() -> None:
    for metric in (psnr, ssim):
        with pytest.raises(ValueError, match="one at a time"):
            metric(torch.zeros(2, 1, 20, 20), torch.zeros(2, 1, 20, 20))
        with pytest.raises(ValueError, match="at the reference's size"):
            metric(torch.zeros(1, 1, 20, 20), torch.zeros(1, 1, 20, 21))
    with pytest.raises(ValueError, match="smaller than the window"):
        ssim(torch.zeros(1, 1, 10, 20), torch.zeros(1, 1, 10, 20))


def test_the_direction_of_every_metric_is_known() -> None:
    assert higher_is_better("val/set5/psnr_y")
    assert not higher_is_better("lpips")
    with pytest.raises(InputError, match="fid"):
        higher_is_better("test/fid")


def test_directions_are_right(pair: tuple[Tensor, Tensor]) -> None:
    image, reference = pair
    worse = (image + 0.1 * torch.from_numpy(np.random.default_rng(0).normal(size=image.shape))).clamp(0, 1)
    for name, metric in (("psnr", psnr), ("ssim", ssim)):
        assert (metric(image, reference) > metric(worse, reference)) == higher_is_better(name)
