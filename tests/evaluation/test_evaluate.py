"""Scoring one image: what the enlarger is given, what comes out, and that it alone is timed."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from srlab.degradation.resize import resize
from srlab.errors import InputError
from srlab.evaluation.evaluate import score_image
from srlab.evaluation.metrics import FACTS, Metric, psnr
from srlab.evaluation.perceptual import BlurEffect
from srlab.evaluation.photographs import PhotographProtocol
from srlab.types import LabelledImage

Protocols = Callable[..., PhotographProtocol]


def test_the_scores_of_an_image(protocol: Protocols, image: LabelledImage) -> None:
    given: list[Tensor] = []

    def enlarge(lr: Tensor) -> Tensor:
        given.append(lr)
        return resize(lr, scale=2, levels=255)

    scored = score_image(enlarge, image, protocol("classical_y"), 2, 3, {"blur_effect": BlurEffect()})
    assert [(s.dataset, s.image, s.metric, s.unit) for s in scored.scores] == [
        ("made", "one", "psnr_y", "dB"),
        ("made", "one", "ssim_y", ""),
        ("made", "one", "blur_effect", ""),
    ]
    assert given[0].shape == (1, 3, 22, 25)
    assert given[0].dtype == torch.float32
    assert torch.equal(given[0], scored.lr)
    assert scored.headline == scored.scores[0].value == scored.baseline_headline
    assert torch.equal(scored.baseline, scored.sr)
    assert scored.hr.shape == scored.sr.shape == (1, 3, 44, 50)


def test_a_perfect_network_is_perfect(protocol: Protocols, image: LabelledImage) -> None:
    scored = score_image(lambda lr: image.hr[None, :, :44], image, protocol("classical_y"), 2, 3, {})
    assert [score.value for score in scored.scores] == [float("inf"), pytest.approx(1)]


def test_a_result_with_values_that_are_no_numbers_has_no_score(
    protocol: Protocols, image: LabelledImage, caplog: pytest.LogCaptureFixture
) -> None:
    class Blind(Metric):
        facts = FACTS["lpips"]

        def __call__(self, sr: Tensor, hr: Tensor) -> float:
            return 0.0

    def enlarge(lr: Tensor) -> Tensor:
        sr = resize(lr, scale=2)
        sr[0, 1, 3, 3] = math.nan
        return sr

    scored = score_image(enlarge, image, protocol("classical_y"), 2, 3, {"lpips": Blind()})
    assert [score.metric for score in scored.scores] == ["psnr_y", "ssim_y", "lpips"]
    assert all(math.isnan(score.value) for score in scored.scores)
    assert "made/one: 1 values of SR are no numbers" in caplog.text


def test_only_the_enlarger_is_timed(protocol: Protocols, image: LabelledImage, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])

    class Slow(Metric):
        facts = FACTS["lpips"]

        def __call__(self, sr: Tensor, hr: Tensor) -> float:
            clock[0] += 50
            return 0.0

    def enlarge(lr: Tensor) -> Tensor:
        clock[0] += 2
        return resize(lr, scale=2)

    made = PhotographProtocol.prepare

    def slow_prepare(self: PhotographProtocol, *arguments: object) -> object:
        clock[0] += 50
        return made(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(PhotographProtocol, "prepare", slow_prepare)
    scored = score_image(enlarge, image, protocol("classical_y"), 2, 3, {"lpips": Slow()})
    assert {score.seconds for score in scored.scores} == {2.0}


def test_metrics_see_what_the_protocol_lets_them_see(protocol: Protocols, image: LabelledImage) -> None:
    """Borders cut, SR in 8 bit: a metric's own PSNR of the picture is that of the rgb protocol."""

    class OfThePicture(Metric):
        facts = FACTS["psnr"]

        def __call__(self, sr: Tensor, hr: Tensor) -> float:
            return psnr(sr, hr)

    scored = score_image(lambda lr: resize(lr, scale=3), image, protocol("rgb"), 3, 3, {"picture": OfThePicture()})
    assert scored.scores[2].value == pytest.approx(scored.headline, abs=1e-4)


def test_metrics_of_pictures_are_refused_where_there_is_only_luma(protocol: Protocols, image: LabelledImage) -> None:
    def enlarge(lr: Tensor) -> Tensor:
        raise AssertionError("no work before the refusal")

    with pytest.raises(InputError, match="classical_y"):
        score_image(enlarge, image, protocol("float_y"), 2, 1, {"blur_effect": BlurEffect()})


def test_a_grey_image_stays_grey(protocol: Protocols, image: LabelledImage) -> None:
    grey = replace(image, hr=image.hr[:1])
    scored = score_image(lambda lr: resize(lr, scale=2), grey, protocol("classical_y"), 2, 3, {})
    assert scored.lr.shape == (1, 1, 22, 25)
