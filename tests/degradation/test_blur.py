"""Blur: against SciPy, by symmetry, and by where the LR image comes to lie."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import io, ndimage
from torch import Tensor

from srlab.degradation.base import Degradation
from srlab.degradation.blur import AnisotropicBlur, IsotropicBlur, KernelBlur, blur, gaussian_kernel, kernel_shift
from srlab.degradation.downscale import Downscale
from srlab.degradation.resize import resize
from srlab.errors import InputError

SEED, FLOAT = torch.tensor([11]), torch.tensor([0])


def gaussian(size: int, sigma: float) -> NDArray[np.float64]:
    x = np.arange(size) - (size - 1) / 2
    kernel = np.exp(-0.5 * (x[:, None] ** 2 + x**2) / sigma**2)
    return np.asarray(kernel / kernel.sum())


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_blur_is_a_correlation_of_every_scale_th_pixel(scale: int, noisy_codes: Tensor) -> None:
    kernels = torch.rand(3, 9, 9, generator=torch.Generator().manual_seed(2))
    result = blur(noisy_codes, kernels, scale)
    for b in range(3):
        for c in range(3):
            full = ndimage.correlate(noisy_codes[b, c].double().numpy(), kernels[b].double().numpy(), mode="reflect")
            np.testing.assert_allclose(result[b, c].numpy(), full[::scale, ::scale], atol=2e-6, rtol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [12, 13])
def test_the_centre_of_mass_comes_to_lie_where_the_scale_needs_it(scale: int, size: int) -> None:
    slanted = gaussian(size, 1.3) * (1 + 0.5 * np.linspace(-1, 1, size))
    moved = kernel_shift(slanted, scale)
    centre = len(moved) // 2 + 0.5 * (scale - 1)
    assert len(moved) % 2 == 1
    assert moved.sum() == pytest.approx(1)
    np.testing.assert_allclose(ndimage.center_of_mass(moved), centre, atol=0.02)


def test_a_gaussian_has_the_covariance_asked_for() -> None:
    kernel = gaussian_kernel(41, 3.0, 1.5, angle=math.pi / 6, scale=2).numpy()
    position = np.arange(41) - 20.5  # x2: half a pixel to the right and below
    x, y = (kernel * position).sum(), (kernel * position[:, None]).sum()
    covariance = [(kernel * np.outer(a, b)).sum() for a, b in ((np.ones(41), position**2), (position**2, np.ones(41)))]
    slant = (kernel * np.outer(position, position)).sum()
    cos2, sin2 = math.cos(math.pi / 6) ** 2, math.sin(math.pi / 6) ** 2
    assert (x, y) == pytest.approx((0, 0), abs=1e-6)
    assert covariance[0] == pytest.approx(9 * cos2 + 2.25 * sin2, rel=1e-3)  # along columns
    assert covariance[1] == pytest.approx(9 * sin2 + 2.25 * cos2, rel=1e-3)  # along rows
    assert slant == pytest.approx((9 - 2.25) * math.sqrt(cos2 * sin2), rel=1e-3)


def degradations(scale: int, folder: Path) -> list[Degradation]:
    np.save(folder / "odd.npy", gaussian(13, 1.4))
    np.save(folder / "even.npy", gaussian(12, 1.4))
    return [
        Downscale(scale),
        IsotropicBlur(scale, 1.4),
        AnisotropicBlur(scale, sigma=(1.4, 1.4), angle=0.7),
        KernelBlur(scale, str(folder / "odd.npy")),
        KernelBlur(scale, str(folder / "even.npy")),
    ]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_symmetric_image_and_kernel_give_a_symmetric_lr(scale: int, tmp_path: Path, noisy_codes: Tensor) -> None:
    half = noisy_codes[:1, :, :24, :24]
    image = torch.cat([half, half.flip(-1)], dim=-1)
    image = torch.cat([image, image.flip(-2)], dim=-2)
    for degradation in degradations(scale, tmp_path):
        lr = degradation(image, SEED, FLOAT).lr
        torch.testing.assert_close(lr, lr.flip(-1), atol=1e-6, rtol=0)
        torch.testing.assert_close(lr, lr.flip(-2), atol=1e-6, rtol=0)


def measured_shift(moved: Tensor, still: Tensor) -> tuple[float, float]:
    """Sub-pixel shift of one image against another: least squares on the gradient (Lucas and Kanade, 1981)."""
    a, b = (image[0].mean(0).double().numpy()[12:-12, 12:-12] for image in (moved, still))
    gy, gx = np.gradient(b)
    columns = np.stack([gy.ravel(), gx.ravel(), b.ravel(), np.ones(b.size)], axis=1)
    down, right, _, _ = np.linalg.lstsq(columns, (a - b).ravel(), rcond=None)[0]
    return -float(down), -float(right)


def test_the_shift_is_measured_right(smooth: Tensor) -> None:
    moved = torch.from_numpy(ndimage.shift(smooth.numpy(), (0, 0, 0.5, -0.3), mode="nearest"))
    assert measured_shift(moved, smooth) == pytest.approx((0.5, -0.3), abs=0.02)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_lr_is_not_shifted(scale: int, tmp_path: Path, smooth: Tensor) -> None:
    for degradation in degradations(scale, tmp_path):
        lr = degradation(smooth, SEED, FLOAT).lr
        shift = measured_shift(resize(lr, scale=scale), smooth)
        assert max(map(abs, shift)) < 0.05


def test_the_shift_by_true_division_is_caught(smooth: Tensor) -> None:
    """Half a pixel off, as ports of the convention to Python 3 are: the test above would see it."""
    centred = torch.from_numpy(gaussian(13, 1.4))[None]
    shift = measured_shift(resize(blur(smooth, centred, 2), scale=2), smooth)
    assert min(map(abs, shift)) > 0.4


def test_published_kernels_are_read_and_kept_beside_the_sample(data_root: Path, noisy_codes: Tensor) -> None:
    path = str(data_root / "unsupervised" / "kernels_12.mat")
    degradation = KernelBlur(2, path, key="kernels", indices=[2, 5])
    assert degradation.state_dict() == {}
    lr, drawn = degradation(noisy_codes, torch.tensor([1, 2, 3]), torch.zeros(3, dtype=torch.int64))
    assert lr.shape == (3, 3, 24, 30)
    assert set(drawn["kernel_index"].tolist()) <= {2, 5}
    torch.testing.assert_close(drawn["kernel"].sum((1, 2)), torch.ones(3))
    for b in range(3):
        expected = ndimage.correlate(noisy_codes[b, 0].double().numpy(), drawn["kernel"][b].double().numpy())[::2, ::2]
        np.testing.assert_allclose(lr[b, 0].numpy(), expected, atol=1e-6)


def test_files_that_hold_no_kernel_are_refused(tmp_path: Path) -> None:
    io.savemat(tmp_path / "two.mat", {"a": np.ones((3, 3)), "b": np.ones((3, 3))})
    np.save(tmp_path / "line.npy", np.ones(3))
    (tmp_path / "text.mat").write_text("no kernel")
    for name, message in (
        ("absent.npy", "does not exist"),
        ("two.mat", "set key"),
        ("line.npy", "no blur kernel"),
        ("text.mat", "not a MATLAB file"),
    ):
        with pytest.raises(InputError, match=message):
            KernelBlur(2, str(tmp_path / name))
    with pytest.raises(ValueError, match="kernels 0 to 0"):
        KernelBlur(2, str(tmp_path / "two.mat"), key="a", indices=[1])
    with pytest.raises(ValueError, match="kernel_size=20"):
        IsotropicBlur(2, 1.0, kernel_size=20)
