"""Reductions are the linear part of what makes LR files, and pass gradients."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import io
from torch.nn import functional as F

from srlab.data.images import to_tensor
from srlab.data.sources import SkimagePhotos
from srlab.degradation.blur import KernelBlur, gaussian_kernel
from srlab.degradation.reduction import GivenKernel, Interpolating
from srlab.degradation.resize import resize
from srlab.errors import InputError

HR = torch.rand(2, 3, 24, 36, generator=torch.Generator().manual_seed(0))


def test_lanczos2_is_the_deep_image_priors_downsampler() -> None:
    factor, support = 4, 2  # its settings: phase 1/2, kernel of 4 x 4 pixels, the border pixel repeated
    distance = np.abs(np.arange(1, 17) + 0.5 - 9) / factor
    taps = np.sinc(distance) * np.sinc(distance / support)
    kernel = torch.from_numpy(np.outer(taps, taps) / taps.sum() ** 2).float().expand(3, 1, -1, -1)
    expected = F.conv2d(F.pad(HR, (6, 6, 6, 6), mode="replicate"), kernel, stride=4, groups=3)
    torch.testing.assert_close(Interpolating(4, "lanczos2", "replicate")(HR), expected)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_is_that_of_the_protocol_before_rounding(scale: int) -> None:
    reduction = Interpolating(scale)
    torch.testing.assert_close(reduction(HR), resize(HR, scale=1 / scale), rtol=0, atol=1e-6)
    assert reduction.to_size(HR, (16, 30)).shape == (2, 3, 16, 30)


@pytest.mark.parametrize("size", [7, 8])
def test_a_given_kernel_does_what_the_degradation_of_the_same_file_does(tmp_path: Path, size: int) -> None:
    kernel = np.random.default_rng(0).random((size, size))
    np.save(tmp_path / "kernel.npy", kernel)
    io.savemat(tmp_path / "kernel.mat", {"Kernel": kernel})
    degradation = KernelBlur(2, str(tmp_path / "kernel.npy"))
    expected = degradation(HR, torch.zeros(2, dtype=torch.int64), torch.zeros(2, dtype=torch.int64)).lr
    for file in ("kernel.npy", "kernel.mat"):
        torch.testing.assert_close(GivenKernel(2, str(tmp_path / file))(HR), expected, rtol=0, atol=1e-5)


def test_a_picture_of_a_kernel_is_a_kernel(tmp_path: Path) -> None:
    kernel = gaussian_kernel(11, 1.5, 2.5).numpy()
    Image.fromarray((kernel / kernel.max() * 255).round().astype(np.uint8)).save(tmp_path / "kernel.png")
    np.save(tmp_path / "kernel.npy", kernel)
    pictured, stored = (GivenKernel(2, str(tmp_path / f"kernel.{kind}")).kernel for kind in ("png", "npy"))
    assert (pictured - stored).abs().sum() < 0.02


def test_an_image_of_white_stays_white_and_gradients_pass() -> None:
    hr = torch.ones(1, 1, 16, 16, requires_grad=True)
    lr = Interpolating(4, "lanczos2", "replicate")(hr)
    torch.testing.assert_close(lr, torch.ones(1, 1, 4, 4))
    lr.sum().backward()
    assert hr.grad is not None
    assert hr.grad.sum().item() == pytest.approx(16, rel=1e-4)


def test_the_priors_downsampler_nearly_reproduces_what_pillow_makes() -> None:
    photograph = SkimagePhotos().image(0)
    lr = Image.fromarray(photograph).resize((128, 128), Image.Resampling.LANCZOS)
    reduced = Interpolating(4, "lanczos2", "replicate")(to_tensor(photograph)[None])
    assert -10 * torch.log10((reduced - to_tensor(np.asarray(lr))).square().mean()) > 35


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "kernel.npy", np.ones((5, 5)))
    given = GivenKernel(2, str(tmp_path / "kernel.npy"))
    with pytest.raises(ValueError, match=r"x2 cannot reduce \(24, 36\) to \(16, 24\).*reduction=bicubic"):
        given.to_size(HR, (16, 24))
    with pytest.raises(ValueError, match=r"index=1: .*kernels 0 to 0"):
        GivenKernel(2, str(tmp_path / "kernel.npy"), index=1)
    with pytest.raises(ValueError, match="choose one of symmetric, replicate, reflect"):
        Interpolating(2, borders="zeros")  # type: ignore[arg-type]
    Image.new("L", (5, 5)).save(tmp_path / "black.png")
    with pytest.raises(InputError, match="no blur kernel"):
        GivenKernel(2, str(tmp_path / "black.png"))
