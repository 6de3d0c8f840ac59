"""Metrics of cubes: closed forms, hypercomplex products by hand, and torchmetrics where it has them."""

import math

import pytest
import torch
from torch import Tensor
from torchmetrics.functional.image import (
    error_relative_global_dimensionless_synthesis,
    spectral_angle_mapper,
)

from srlab.evaluation import spectral

GENERATOR = torch.Generator().manual_seed(0)
REFERENCE = torch.rand(5, 64, 48, generator=GENERATOR, dtype=torch.float64) + 0.1
IMAGE = (REFERENCE + 0.1 * torch.randn(5, 64, 48, generator=GENERATOR, dtype=torch.float64)).clamp(min=0.01)


def test_equal_images_are_perfect() -> None:
    assert spectral.ergas(REFERENCE, REFERENCE, 4) == 0
    assert spectral.spectral_angle(REFERENCE, REFERENCE) == pytest.approx(0, abs=1e-5)
    assert math.isinf(spectral.band_psnr(REFERENCE, REFERENCE))
    for index in (
        spectral.hypercomplex_quality,
        spectral.quality,
        spectral.cross_correlation,
        spectral.spatial_correlation,
    ):
        assert index(REFERENCE, REFERENCE) == pytest.approx(1)


def test_equals_torchmetrics_where_it_has_them() -> None:
    angle = spectral_angle_mapper(IMAGE[None], REFERENCE[None])
    assert spectral.spectral_angle(IMAGE, REFERENCE) == pytest.approx(math.degrees(float(angle)), rel=1e-9)
    theirs = error_relative_global_dimensionless_synthesis(IMAGE[None], REFERENCE[None], ratio=4)
    assert spectral.ergas(IMAGE, REFERENCE, 4) == pytest.approx(float(theirs), rel=1e-6)


def test_angles_and_errors_by_hand() -> None:
    reference = torch.tensor([1.0, 0.0]).double().view(2, 1, 1).expand(2, 4, 4)
    image = torch.tensor([1.0, 1.0]).double().view(2, 1, 1).expand(2, 4, 4)
    assert spectral.spectral_angle(image, reference) == pytest.approx(45)
    holes = reference.clone()
    holes[:, 0] = 0  # zero spectra have no angle
    assert spectral.spectral_angle(image, holes) == pytest.approx(45)
    assert spectral.spectral_angle(2 * image, image) == pytest.approx(0, abs=1e-5)
    bands = torch.tensor([0.5, 0.25]).double().view(2, 1, 1).expand(2, 4, 4)
    # RMSE 0.05 and 0.05 on means of 0.5 and 0.25: 100 / 2 sqrt((0.1^2 + 0.2^2) / 2)
    assert spectral.ergas(bands + 0.05, bands, 2) == pytest.approx(50 * math.sqrt(0.025))
    assert spectral.band_psnr(bands + 0.05, bands) == pytest.approx(10 * (math.log10(100) + math.log10(25)) / 2)


INDICES = (
    spectral.quality,
    spectral.hypercomplex_quality,
    spectral.cross_correlation,
    spectral.spatial_correlation,
    spectral.spectral_angle,
)
"""Finite for whatever image and reference hold numbers."""


def test_what_is_no_number_has_no_quality() -> None:
    broken = IMAGE.clone()
    broken[0, 0, 0] = math.nan
    for index in (*INDICES, spectral.band_psnr, spectral.spectral_distortion):
        assert math.isnan(index(broken, REFERENCE)), index


def test_dead_bands_and_zero_spectra_leave_numbers() -> None:
    """A band that is zero all over in the reference, whatever SR has there, and pixels without a spectrum."""
    dead, made = REFERENCE.clone(), IMAGE.clone()
    dead[1] = 0
    living = [0, 2, 3, 4]
    for metric in (
        spectral.band_psnr,
        spectral.quality,
        spectral.hypercomplex_quality,
        spectral.cross_correlation,
        lambda image, reference: spectral.ergas(image, reference, 4),
    ):
        assert metric(made, dead) == pytest.approx(metric(made[living], dead[living]))
    made[:, :8] = 0
    dead[:, :4] = 0
    # of 64 rows 4 have no angle, 4 a right one, and the others' own is taken with the dead band
    rest = spectral.spectral_angle(made[:, 8:], dead[:, 8:])
    assert spectral.spectral_angle(made, dead) == pytest.approx((4 * 90 + 56 * rest) / 60)
    assert spectral.spectral_angle(made, torch.zeros_like(dead)) == 0
    even = torch.full_like(REFERENCE, 0.5)
    for image, reference in ((even, REFERENCE), (REFERENCE, even), (even, even), (torch.zeros_like(even), REFERENCE)):
        for index in INDICES:
            assert math.isfinite(index(image, reference)), index
    assert spectral.spectral_distortion(REFERENCE[:1], REFERENCE[:1]) == 0


def hamilton(a: Tensor, b: Tensor) -> Tensor:
    """The product of quaternions, (..., 4), as Hamilton has it."""
    a0, a1, a2, a3 = a.unbind(-1)
    b0, b1, b2, b3 = b.unbind(-1)
    return torch.stack(
        [
            a0 * b0 - a1 * b1 - a2 * b2 - a3 * b3,
            a0 * b1 + a1 * b0 + a2 * b3 - a3 * b2,
            a0 * b2 - a1 * b3 + a2 * b0 + a3 * b1,
            a0 * b3 + a1 * b2 - a2 * b1 + a3 * b0,
        ],
        -1,
    )


def test_hypercomplex_products() -> None:
    a, b = torch.randn(2, 8, generator=GENERATOR, dtype=torch.float64)
    products = a[:, None] * b
    assert spectral._length(products[None])[0] == pytest.approx(float(a.norm() * b.norm()))  # octonions: |ab| = |a||b|
    a, b = a[:4], b[:4]
    signs, places = spectral._hypercomplex(4)
    ours = torch.zeros(4).double().index_add_(0, places.flatten(), ((a[:, None] * b) * signs).flatten())
    conjugate = b * torch.tensor([1.0, -1, -1, -1])
    assert torch.allclose(ours, hamilton(a, conjugate)) or torch.allclose(ours, hamilton(conjugate, a))


def test_q4_is_alparones() -> None:
    """Q4 of one block from quaternion statistics (Alparone et al., 2004), the bands normalised as Q2n does."""
    reference, image = REFERENCE[:4, :32, :32], IMAGE[:4, :32, :32]
    mean, spread = reference.flatten(1).mean(1), reference.flatten(1).std(1)
    x, y = (((one.flatten(1).T - mean) / spread) + 1 for one in (reference, image))
    conjugate = torch.tensor([1.0, -1, -1, -1])
    count = len(x)
    covariance = (hamilton(x - x.mean(0), (y - y.mean(0)) * conjugate)).sum(0) / (count - 1)
    means = hamilton(x.mean(0), y.mean(0) * conjugate).norm() / (x.mean(0).square().sum() + y.mean(0).square().sum())
    q4 = 2 * covariance.norm() / (x.var(0).sum() + y.var(0).sum()) * 2 * means
    assert spectral.hypercomplex_quality(image, reference) == pytest.approx(float(q4))


def test_the_universal_index_is_wang_and_boviks() -> None:
    x, y = REFERENCE[0, :32, :32].flatten(), IMAGE[0, :32, :32].flatten()
    covariance = ((x - x.mean()) * (y - y.mean())).sum() / (len(x) - 1)
    wanted = 4 * covariance * x.mean() * y.mean() / ((x.var() + y.var()) * (x.mean() ** 2 + y.mean() ** 2))
    assert spectral.quality(IMAGE[:1, :32, :32], REFERENCE[:1, :32, :32]) == pytest.approx(float(wanted))


def test_distortions_without_a_reference() -> None:
    lr = torch.nn.functional.avg_pool2d(REFERENCE[None], 2)[0]
    assert spectral.spectral_distortion(lr, lr) == 0
    guide = REFERENCE.mean(0, keepdim=True)
    assert spectral.spatial_distortion(lr, lr, guide[:, ::2, ::2], guide[:, ::2, ::2]) == 0
    grey = lr.mean(0, keepdim=True).expand_as(lr)  # all bands alike: mutual indices 1
    indices = spectral.Moments.of(spectral._blocks(lr)).indices().mean(0)
    wanted = (1 - indices).abs().sum() / 20
    assert spectral.spectral_distortion(grey, lr) == pytest.approx(float(wanted))
