"""Whole sets: the baselines that learn nothing give MATLAB's figures through the same path as a network."""

from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import Tensor

from srlab.data.images import read_image
from srlab.degradation.resize import resize
from srlab.evaluation.protocol import Protocol
from srlab.evaluation.results import print_means, read_results, results_of
from srlab.evaluation.scoring import RESULTS, score_images, write_and_print
from srlab.inference.enlarge import enlarge
from srlab.interpolants import Kernel
from srlab.networks.interpolation import Interpolation
from srlab.types import LabelledImage

Protocols = Callable[..., Protocol]


@pytest.mark.parametrize(("scale", "psnr", "ssim"), [(2, 33.673, 0.9303), (3, 30.403, 0.8689), (4, 28.429, 0.8111)])
def test_the_bicubic_network_gives_the_figures_of_8_bit_images(
    scale: int, psnr: float, ssim: float, protocol: Protocols, photographs: Callable[[str], list[LabelledImage]]
) -> None:
    network = Interpolation(3, scale, "bicubic")
    scored = score_images(lambda lr: enlarge(network, lr), photographs("Set5"), network, protocol("classical_y"), {})
    assert fmean(one.headline for one in scored) == pytest.approx(psnr, abs=6e-4)
    assert fmean(one.scores[1].value for one in scored) == pytest.approx(ssim, abs=6e-5)


@pytest.mark.parametrize("kernel", ["nearest", "bilinear", "lanczos3"])
def test_every_baseline_rounds_between_the_passes(kernel: Kernel, protocol: Protocols, image: LabelledImage) -> None:
    network = Interpolation(3, 2, kernel)
    (scored,) = score_images(lambda lr: enlarge(network, lr), [image], network, protocol("classical_y"), {})
    expected = resize(scored.lr, scale=2, kernel=kernel, levels=255)
    assert torch.equal(scored.sr, expected)


def test_nothing_is_rounded_under_float_y(protocol: Protocols, image: LabelledImage) -> None:
    network = Interpolation(1, 2, "bicubic")
    (scored,) = score_images(lambda lr: enlarge(network, lr), [image], network, protocol("float_y"), {})
    assert torch.equal(scored.sr, enlarge(network, scored.lr))


def test_images_and_results_are_written(
    tmp_path: Path, protocol: Protocols, image: LabelledImage, capsys: pytest.CaptureFixture[str]
) -> None:
    network = Interpolation(3, 2, "bicubic")

    def method(lr: Tensor) -> Tensor:
        return enlarge(network, lr)

    classical = protocol("classical_y")
    (scored,) = score_images(method, [image], network, classical, {}, images_folder=tmp_path)
    pixels = torch.from_numpy(read_image(tmp_path / "images" / "made" / "one.png").copy())
    assert torch.equal(pixels, (scored.sr[0].movedim(0, -1) * 255).round().byte())
    rows = results_of(scored.scores, classical, "bicubic", 2)
    write_and_print(tmp_path, rows)
    assert read_results(tmp_path / RESULTS) == rows
    shown = capsys.readouterr().out
    print_means(rows)
    assert shown == capsys.readouterr().out
    assert "bicubic" in shown


def test_images_that_png_cannot_hold_are_written_as_tiff(tmp_path: Path, protocol: Protocols) -> None:
    hr = torch.rand(31, 24, 24)
    bands, network = LabelledImage("made", "cube", hr, None, 0), Interpolation(31, 2, "bicubic")
    method: Callable[[Tensor], Tensor] = lambda lr: enlarge(network, lr)  # noqa: E731
    (scored,) = score_images(method, [bands], network, protocol("rgb"), {}, images_folder=tmp_path)
    pixels = torch.from_numpy(read_image(tmp_path / "images/made/cube.tif").copy())
    assert torch.equal(pixels, scored.sr[0].movedim(0, -1).float())
