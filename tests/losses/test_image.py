"""Losses of whole images: closed forms and second implementations."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor
from torch.nn import functional as F

from srlab.errors import InputError
from srlab.evaluation.perceptual import Dists, Lpips
from srlab.losses.cycle import Cycle
from srlab.losses.image import SSIM, Frequency, LearnedSimilarity, MultiScaleSSIM, TotalVariation
from srlab.losses.pixel import L1
from tests.losses.conftest import step_of

ZERO = torch.zeros(1, 1, 6, 6)


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    sr, hr = torch.rand(2, 2, 3, 40, 36, generator=torch.Generator().manual_seed(0))
    return 0.3 * sr + 0.7 * hr, hr


def test_total_variation_of_a_ramp_is_its_slope() -> None:
    ramp = torch.arange(6.0).view(1, 1, 1, 6).expand(1, 1, 6, 6) / 10
    assert TotalVariation()(ramp, ZERO).item() == pytest.approx(0.1)
    assert TotalVariation()(ramp + 2 * ramp.mT, ZERO).item() == pytest.approx(0.3)


def test_spectra_of_waves() -> None:
    across = torch.arange(8.0)
    wave = (0.5 * torch.cos(2 * math.pi * 2 * across / 8)).expand(1, 1, 8, 8)
    shifted = wave.roll(2, dims=3)  # by half its period: turned over
    peak = 0.5 * 64 / 2 / 8  # the orthonormal amplitude at +-2, of which the half spectrum has one of 8 x 5
    assert Frequency()(wave, 0 * wave).item() == pytest.approx(peak / 40, rel=1e-5)
    assert Frequency()(shifted, wave).item() == pytest.approx(0, abs=1e-6)
    assert Frequency("complex")(shifted, wave).item() == pytest.approx(2 * peak / 40, rel=1e-5)
    noise = torch.rand(1, 1, 8, 8)
    expected = np.fft.rfft2((noise - wave).numpy(), norm="ortho")
    assert Frequency("complex")(noise, wave).item() == pytest.approx((abs(expected.real) + abs(expected.imag)).mean())


def test_ssim_is_scikit_images(pair: tuple[Tensor, Tensor]) -> None:
    sr, hr = pair
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0, "full": True}
    maps = [
        structural_similarity(a.double().numpy(), b.double().numpy(), channel_axis=0, **options)[1][:, 5:-5, 5:-5]  # type: ignore[no-untyped-call]
        for a, b in zip(sr, hr, strict=True)
    ]
    assert SSIM()(sr, hr).item() == pytest.approx(1 - np.mean(maps), abs=1e-5)
    with pytest.raises(InputError, match="does not fit"):
        SSIM()(ZERO, ZERO)


def test_multi_scale_ssim_by_scipy(pair: tuple[Tensor, Tensor]) -> None:
    from scipy.ndimage import correlate1d

    sr, hr = (image.double().numpy() for image in pair)
    offsets = np.arange(-16, 17)

    def smooth(image: np.ndarray, sigma: float) -> np.ndarray:
        kernel = np.exp(-(offsets**2) / (2 * sigma**2))
        for axis in (-2, -1):
            image = correlate1d(image, kernel / kernel.sum(), axis=axis, mode="constant")
        return image

    product = np.ones_like(sr)
    for sigma in (0.5, 1, 2, 4, 8):
        mean_sr, mean_hr = smooth(sr, sigma), smooth(hr, sigma)
        covariance = smooth(sr * hr, sigma) - mean_sr * mean_hr
        variances = smooth(sr**2, sigma) - mean_sr**2 + smooth(hr**2, sigma) - mean_hr**2
        product *= (2 * covariance + 9e-4) / (variances + 9e-4)
    product *= (2 * mean_sr * mean_hr + 1e-4) / (mean_sr**2 + mean_hr**2 + 1e-4)
    assert MultiScaleSSIM(alpha=1)(*pair).item() == pytest.approx(1 - product.mean(), abs=1e-4)
    blurred = smooth(abs(sr - hr), 8).mean()
    expected = 0.84 * (1 - product.mean()) + 0.16 * blurred
    assert MultiScaleSSIM()(*pair).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("loss", [TotalVariation(), Frequency(), Frequency("complex"), SSIM(), MultiScaleSSIM()])
def test_each_is_least_for_equal_images_under_mixed_precision_and_has_a_gradient(
    loss: torch.nn.Module, pair: tuple[Tensor, Tensor]
) -> None:
    sr, hr = pair
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(sr.requires_grad_(True), hr)
        assert value.dtype == torch.float32
        if not isinstance(loss, TotalVariation):
            assert loss(hr, hr).item() == pytest.approx(0, abs=1e-6)
    (gradient,) = torch.autograd.grad(value, sr)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


def test_the_cycle_returns_to_lr_by_bicubic_or_by_the_steps_own_way() -> None:
    hr = torch.full((1, 3, 8, 8), 0.5)
    flat = hr.clone().requires_grad_(True)
    step = step_of(flat, hr, lr=torch.full((1, 3, 4, 4), 0.2))
    value = Cycle(L1()).measure(step)
    assert value.item() == pytest.approx(0.3, abs=1e-6)
    (gradient,) = torch.autograd.grad(value, flat)
    assert gradient.sum().item() == pytest.approx(1, abs=1e-4)  # every LR pixel's weights sum to 1
    back = torch.nn.Conv2d(3, 3, 2, stride=2)
    value = Cycle(L1()).measure(step_of(flat, hr, lr=step.batch.lr, back=back))
    torch.testing.assert_close(value, F.l1_loss(back(flat), step.batch.lr))
    gradients = torch.autograd.grad(value, [flat, *back.parameters()])
    assert all(gradient.abs().sum() > 0 for gradient in gradients)  # both ways learn


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("torchvision")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


def test_lpips_as_a_loss_is_torchmetrics(hub: Path, pair: tuple[Tensor, Tensor]) -> None:
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    torch.save(squeezenet1_1().state_dict(), hub / "squeezenet1_1-b8a52dc0.pth")  # random weights stand in
    loss = LearnedSimilarity(Lpips("squeeze"))
    sr, hr = pair
    theirs = learned_perceptual_image_patch_similarity(sr, hr, net_type="squeeze", normalize=True)
    torch.testing.assert_close(loss(sr, hr), theirs.detach())
    (gradient,) = torch.autograd.grad(loss(sr.requires_grad_(True), hr), sr)
    assert gradient.abs().sum() > 0
    assert not loss.state_dict()
    assert not list(loss.parameters())


@pytest.mark.slow
def test_dists_as_a_loss_is_torchmetrics(hub: Path, pair: tuple[Tensor, Tensor]) -> None:
    from torchmetrics.functional.image import deep_image_structure_and_texture_similarity
    from torchvision.models import vgg16

    torch.manual_seed(0)
    torch.save(vgg16().state_dict(), hub / "vgg16-397923af.pth")
    loss = LearnedSimilarity(Dists())
    sr, hr = pair
    theirs = deep_image_structure_and_texture_similarity(sr, hr, reduction="mean")
    torch.testing.assert_close(loss(sr, hr), theirs.detach())
    (gradient,) = torch.autograd.grad(loss(sr.requires_grad_(True), hr), sr)
    assert gradient.abs().sum() > 0
    assert not loss.state_dict()
