"""Figures of Vid4's `city` that were published, or measured by others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from srlab.data.clips import clips_below
from srlab.data.evaluation import LabelledClips
from srlab.evaluation.video_metrics import TOF
from srlab.evaluation.video_scoring import framewise, recorded, score_clip
from srlab.types import LabelledClip
from tests.evaluation.drawn_clips import shipped


@pytest.fixture
def city(data_root: Path) -> Callable[[str], LabelledClip]:
    def load(folder: str) -> LabelledClip:
        path = data_root / "domain" / "video" / folder
        if not (path / "city").is_dir():
            pytest.skip(f"{path} has no city")
        clips = clips_below(path, ["city"])
        return LabelledClips([(clips, clips.spans[0])])[0]

    return load


def test_bicubic_of_city_is_the_papers(city: Callable[[str], LabelledClip]) -> None:
    """Vid4's rows of the EDVR and BasicVSR papers have 25.16 / 0.6028 for it."""
    protocol = shipped("vid4_bi")
    found = score_clip(framewise(protocol.interpolation("bicubic", 4, 255)), city("Vid4"), protocol, 4, 3, {})
    psnr, ssim = (score.value for score in found.scores)
    assert (round(psnr, 2), round(ssim, 4)) == (25.16, 0.6028)


@pytest.mark.slow
def test_what_duf_made_of_city_by_both_conventions(city: Callable[[str], LabelledClip]) -> None:
    """Whole frames cost it 2.9 dB; its motion is nearer to that of HR than bicubic's."""
    truth, made = city("Vid4"), recorded(city("DUF_52L").frames)
    whole = score_clip(made, truth, shipped("vid4_bd"), 4, 3, {}).scores[0].value
    protocol = shipped("vid4_bd_crop8")
    cut = {score.metric: score.value for score in score_clip(made, truth, protocol, 4, 3, {"tof": TOF()}).scores}
    assert 2.8 < cut["psnr_y"] - whole < 3
    bicubic = framewise(protocol.interpolation("bicubic", 4, 255))
    steady = {score.metric: score.value for score in score_clip(bicubic, truth, protocol, 4, 3, {"tof": TOF()}).scores}
    assert cut["tof"] < steady["tof"] / 3
