"""Protocols against the papers' figures, and against MATLAB's conventions worked out by hand."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2ycbcr
from torch import Tensor

from srlab.degradation.resize import resize
from srlab.errors import InputError
from srlab.evaluation.photographs import PhotographProtocol
from srlab.evaluation.protocol import Case
from srlab.types import LabelledImage

Protocols = Callable[..., PhotographProtocol]
Photographs = Callable[[str], list[LabelledImage]]

FILES = sorted((Path(__file__).parents[2] / "conf" / "protocol").glob("*.yaml"))
CHOICES = [file.stem for file in FILES if "evaluation.photographs" in file.read_text()]


def enlarge_8_bit(case: Case) -> Tensor:
    """MATLAB's imresize of the 8-bit LR."""
    return resize(case.lr, scale=case.scale, levels=case.levels)


def enlarge_float(case: Case) -> Tensor:
    return resize(case.lr, scale=case.scale)


def means(
    protocol: PhotographProtocol, images: list[LabelledImage], scale: int, enlarge: Callable[[Case], Tensor]
) -> tuple[float, float]:
    scores = []
    for image in images:
        case = protocol.prepare(image, scale, 1 if protocol.network_input == "y" else 3)
        scores.append(list(protocol.score(enlarge(case), case).values()))
    return fmean(score[0] for score in scores), fmean(score[1] for score in scores)


@pytest.mark.parametrize(("scale", "psnr", "ssim"), [(2, 33.673, 0.9303), (3, 30.403, 0.8689), (4, 28.429, 0.8111)])
def test_bicubic_on_set5_under_classical_y(
    scale: int, psnr: float, ssim: float, protocol: Protocols, photographs: Photographs
) -> None:
    measured = means(protocol("classical_y"), photographs("Set5"), scale, enlarge_8_bit)
    assert measured[0] == pytest.approx(psnr, abs=6e-4)
    assert measured[1] == pytest.approx(ssim, abs=6e-5)


@pytest.mark.parametrize(("scale", "psnr", "ssim"), [(2, 33.66, 0.9299), (3, 30.39, 0.8682), (4, 28.42, 0.8104)])
def test_srcnn_y_gives_the_published_bicubic_rows_to_every_digit(
    scale: int, psnr: float, ssim: float, protocol: Protocols, photographs: Photographs
) -> None:
    measured = means(protocol("srcnn_y"), photographs("Set5"), scale, enlarge_float)
    assert (round(measured[0], 2), round(measured[1], 4)) == (psnr, ssim)


def test_a_grey_image_is_luma_or_goes_through_rgb(protocol: Protocols, photographs: Photographs) -> None:
    """Set14's bridge has one channel: the set's bicubic x2 mean is 30.23 dB MATLAB's way, and 30.32 dB through RGB."""
    images = photographs("Set14")
    as_y = means(protocol("classical_y"), images, 2, enlarge_8_bit)[0]
    as_rgb = means(protocol("rgb_y"), images, 2, enlarge_8_bit)[0]
    assert as_y == pytest.approx(30.23, abs=5e-3)
    assert as_rgb == pytest.approx(30.32, abs=5e-3)
    (bridge,) = (image for image in images if image.name == "bridge")
    gain = (
        means(protocol("rgb_y"), [bridge], 2, enlarge_8_bit)[0]
        - means(protocol("classical_y"), [bridge], 2, enlarge_8_bit)[0]
    )
    assert gain == pytest.approx(20 * np.log10(255 / 219), abs=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_lr_of_classical_y_is_the_sets_own(
    scale: int, protocol: Protocols, photographs: Photographs, data_root: Path
) -> None:
    for image in photographs("Set5"):
        file = data_root / f"photos/Set5/LR_bicubic_X{scale}/{image.name}x{scale}.png"
        own = torch.from_numpy(np.asarray(Image.open(file)).copy()).permute(2, 0, 1).float() / 255
        made = protocol("classical_y").prepare(image, scale, 3)
        taken = protocol("classical_y").prepare(replace(image, lr=own), scale, 3)
        assert torch.equal(made.lr, taken.lr)
        assert torch.equal(taken.lr[0], own)


def test_classical_y_by_hand(protocol: Protocols, image: LabelledImage) -> None:
    case = protocol("classical_y").prepare(image, 2, 3)
    assert case.hr.shape == (1, 3, 44, 50)  # the top left, a multiple of the scale
    assert torch.equal(case.hr[0].float(), image.hr[:, :44])
    sr = case.hr.float() + 0.06 * torch.randn(case.hr.shape, generator=torch.Generator().manual_seed(2))
    codes = np.round(np.clip(sr[0].double().numpy(), 0, 1) * 255).transpose(1, 2, 0) / 255
    ours, truth = (rgb2ycbcr(pixels)[2:-2, 2:-2, 0] for pixels in (codes, case.hr[0].permute(1, 2, 0).numpy()))
    expected = 10 * np.log10(255**2 / np.mean((ours - truth) ** 2))
    assert protocol("classical_y").score(sr, case)["psnr_y"] == pytest.approx(expected, abs=1e-9)


def test_float_y_gives_luma_and_rounds_nothing(protocol: Protocols, image: LabelledImage) -> None:
    case = protocol("float_y").prepare(image, 3, 1)
    luma = rgb2ycbcr(image.hr[:, :, :48].permute(1, 2, 0).double().numpy())[..., 0] / 255
    np.testing.assert_allclose(case.hr[0, 0].numpy(), luma, atol=1e-9)
    assert case.lr.shape == (1, 1, 15, 16)
    codes = case.lr.double() * 255
    assert (codes - codes.round()).abs().max() > 0.1
    error = protocol("float_y").score((case.hr + 0.1 / 255).float(), case)["psnr_y"]
    assert error == pytest.approx(20 * np.log10(255 / 0.1), abs=1e-2)
    assert protocol("srcnn_y").prepare(image, 3, 1).hr.mul(255).frac().abs().max() < 1e-9


def test_rgb_takes_any_number_of_bands_and_any_depth(protocol: Protocols) -> None:
    bands = torch.rand(7, 30, 30)
    case = protocol("rgb").prepare(LabelledImage("cube", "a", bands, None, 0), 2, 7)
    assert torch.equal(case.hr[0].float(), bands)
    assert set(protocol("rgb").score(case.hr, case)) == {"psnr", "ssim"}
    fine = (torch.rand(3, 30, 30) * 65535).round() / 65535
    lr = protocol("classical_y").prepare(LabelledImage("deep", "a", fine, None, 65535), 2, 3).lr.double() * 65535
    assert (lr - lr.round()).abs().max() < 0.01
    assert (lr / 257 - (lr / 257).round()).abs().max() > 0.1


def test_a_case_that_does_not_fit_is_refused(protocol: Protocols, image: LabelledImage) -> None:
    for choice, changed, channels, message in (
        ("classical_y", replace(image, lr=torch.zeros(3, 22, 24)), 3, "is not HR"),
        ("classical_y", replace(image, lr=torch.zeros(1, 22, 25)), 3, "is not HR"),
        ("classical_y", replace(image, hr=torch.zeros(4, 40, 40)), 4, "protocol=rgb"),
        ("classical_y", replace(image, hr=torch.zeros(3, 14, 40)), 3, "need 15 pixels"),
        ("rgb", replace(image, hr=torch.zeros(4, 40, 40)), 3, "channels=4"),
        ("float_y", image, 3, "channels=1"),
    ):
        with pytest.raises(InputError, match=message):
            protocol(choice).prepare(changed, 2, channels)
    case = protocol("classical_y").prepare(image, 2, 3)
    with pytest.raises(InputError, match="enlarge"):
        protocol("classical_y").score(case.lr, case)


def test_the_hash_is_of_every_field_and_of_nothing_else(protocol: Protocols) -> None:
    base = protocol("classical_y")
    others: dict[str, object] = {
        "name": "mine",
        "compare": "channels",
        "network_input": "y",
        "lr_kernel": "lanczos3",
        "lr_borders": "replicate",
        "lr_rounding": "none",
        "round_sr": False,
        "round_y": True,
        "luma": [0, 76.245, 149.685, 29.07],
        "grey": "as_rgb",
        "border_per_scale": 0,
        "border_extra": 6,
        "ssim_window": 7,
        "ssim_sigma": 1.0,
        "ssim_k1": 0.02,
        "ssim_k2": 0.02,
    }
    assert set(others) == {field.name for field in fields(PhotographProtocol)}
    hashes = {replace(base, **{name: value}).hash for name, value in others.items()}  # type: ignore[arg-type]
    assert len(hashes | {base.hash}) == len(others) + 1
    assert protocol("classical_y").hash == base.hash
    assert protocol("classical_y", luma=[16, 65.481, 128.553, 24.966]).hash == base.hash
    with pytest.raises(FrozenInstanceError):
        base.round_y = True  # type: ignore[misc]


def test_shipped_protocols_keep_their_hashes(protocol: Protocols) -> None:
    """Results on disk carry these. A change here makes them incomparable: give the new convention a new name."""
    assert {name: protocol(name).hash for name in CHOICES} == {
        "classical_y": "11c10d0f6347",
        "float_y": "aefd308a5b13",
        "old_matlab_y": "fe36e94a12d7",
        "rgb": "9fe1e91b7e5c",
        "rgb_y": "0d0222611d8d",
        "srcnn_y": "c84408bdca38",
    }


def test_impossible_protocols_are_refused(protocol: Protocols) -> None:
    for changes, message in (
        ({"compare": "v"}, "choose one of y, channels"),
        ({"luma": [0.3, 0.6, 0.1]}, "the offset"),
        ({"compare": "channels", "network_input": "y"}, "compare=y"),
        ({"ssim_window": 8}, "must be odd"),
        ({"border_extra": -1}, "negative"),
    ):
        with pytest.raises(Exception, match=message):
            protocol("classical_y", **changes)
