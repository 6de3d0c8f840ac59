"""Protocols of clips, against closed forms; what is held of a clip; and the command that scores one."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from weakref import WeakSet

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor
from torch.nn import functional as F

from srlab.build import build
from srlab.data.images import read_image, write_image
from srlab.errors import InputError
from srlab.evaluation.results import read_results
from srlab.evaluation.video_metrics import TOF
from srlab.evaluation.video_scoring import KEPT, Cases, framewise, score_clip
from srlab.inference.exported import export
from srlab.networks.video.network import Read
from srlab.types import LabelledClip, LabelledImage
from tests.conftest import Command, composed
from tests.evaluation.drawn_clips import SIZE, clip_of, given, moving, scores, shipped


def test_psnr_is_the_mean_of_the_frames_that_the_protocol_scores() -> None:
    truth = [torch.full((1, SIZE, SIZE), 0.5) for _ in range(6)]
    off = [0.01, 0.02, 0.1, 0.05, 0.02, 0.3]
    worse = [picture + by for picture, by in zip(truth, off, strict=True)]
    changes = ["protocol.round_sr=false"]
    whole = scores(given(worse), clip_of(truth), shipped("vid4_bd", *changes))["psnr_y"]
    assert whole == pytest.approx(np.mean([-20 * math.log10(by) for by in off]), abs=1e-4)
    inner = scores(given(worse), clip_of(truth), shipped("vid4_bd_crop8", *changes))["psnr_y"]
    assert inner == pytest.approx(np.mean([20, -20 * math.log10(0.05)]), abs=1e-4)


def test_what_is_cut_does_not_count() -> None:
    truth = moving()
    worse = [picture.clone() for picture in truth]
    for picture in worse:
        picture[:, :8] = picture[:, -8:] = 0
    worse[0], worse[1], worse[-2], worse[-1] = (torch.zeros(1, SIZE, SIZE) for _ in range(4))
    protocol = shipped("vid4_bd_crop8", "protocol.round_sr=false")
    assert scores(given(worse), clip_of(truth), protocol) == {"psnr_y": math.inf, "ssim_y": pytest.approx(1)}
    worse[3][:, 8, 8] += 0.1
    assert scores(given(worse), clip_of(truth), protocol)["psnr_y"] == math.inf, (
        "the mean of one finite and two infinite"
    )
    worse[2], worse[4] = worse[3], worse[3]
    assert scores(given(worse), clip_of(truth), protocol)["psnr_y"] < 60


def test_a_scored_frame_with_values_that_are_no_numbers_leaves_a_clip_no_score() -> None:
    pytest.importorskip("cv2")
    truth, protocol = moving(), shipped("vid4_bd_crop8")
    for broken, scored in ((0, False), (2, True)):
        worse = [picture.clone() for picture in truth]
        worse[broken][0, 30, 30] = math.nan
        found = scores(given(worse), clip_of(truth), protocol, tof=TOF())
        assert list(found) == ["psnr_y", "ssim_y", "tof"]
        assert [math.isnan(value) for value in found.values()] == [scored] * 3


def test_lr_and_bicubic_of_bd_have_one_phase() -> None:
    """On a slope a Gaussian changes nothing, so that only a wrong phase could."""
    slope = torch.linspace(0.1, 0.9, SIZE).expand(1, SIZE, SIZE).contiguous()
    clip = clip_of([slope] * 3)
    protocol = shipped("vid4_bd", "protocol.round_sr=false", "protocol.border_extra=12")
    assert torch.allclose(protocol.prepare(clip.frames[0], 4, 1).lr[0, 0, 4, 4:12], slope[0, 0, 16:48:4], atol=1e-6)
    bicubic = framewise(protocol.interpolation("bicubic", 4, 0))
    assert scores(bicubic, clip, protocol)["psnr_y"] > 100
    centred = framewise(shipped("vid4_bi").interpolation("bicubic", 4, 0))
    step = 0.8 / (SIZE - 1)
    assert scores(centred, clip, protocol)["psnr_y"] == pytest.approx(-20 * math.log10(1.5 * step), abs=0.01)


def test_bd_says_what_made_it() -> None:
    assert [shipped(name).made_by for name in ("vid4_bi", "vid4_bd", "vid4_bd15_crop8", "reds4")] == [
        "bicubic", "bd 1.6", "bd 1.5", "bicubic"
    ]  # fmt: skip
    assert (
        len({shipped(name).hash for name in ("vid4_bi", "vid4_bi_crop", "vid4_bd", "vid4_bd_crop8", "vid4_bd_y")}) == 5
    )


def test_networks_of_luma_are_given_the_blurred_luma() -> None:
    colours = torch.rand(3, SIZE, SIZE)
    clip = clip_of([colours] * 5)
    case = shipped("vid4_bd_y").prepare(clip.frames[0], 4, 1)
    assert (case.lr.shape, case.hr.shape) == ((1, 1, 16, 16), (1, 1, SIZE, SIZE))
    image = shipped("vid4_bd").prepare(clip.frames[0], 4, 3)
    weights = torch.tensor([65.481, 128.553, 24.966]) / 255
    torch.testing.assert_close(
        case.lr[0, 0], torch.einsum("chw,c->hw", image.lr[0], weights) + 16 / 255, atol=1e-5, rtol=0
    )


class Made(Sequence[LabelledImage]):
    """Frames that are made when they are asked for, with a count of those that live at once."""

    def __init__(self, length: int) -> None:
        self.length, self.living, self.most = length, WeakSet[LabelledImage](), 0

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> LabelledImage:  # type: ignore[override]
        hr = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(index))
        image = Living("made", f"one/{index}", hr, None, 255)
        self.living.add(image)
        self.most = max(self.most, len(self.living))
        return image


class Living(LabelledImage):
    __hash__ = object.__hash__


@pytest.mark.parametrize("length", [6, 40])
def test_what_is_held_does_not_grow_with_the_clip(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    frames, read_at_once = Made(length), 5
    protocol = shipped("vid4_bi")

    def stream(read: Read, count: int) -> Iterator[Tensor]:
        for start in range(0, count, read_at_once):
            lr = read(start, min(start + read_at_once, count))
            yield F.interpolate(lr[0], scale_factor=4)[None]

    written: list[str] = []
    score_clip(
        stream, LabelledClip("made", "one", frames), protocol, 4, 3, {}, lambda image, sr: written.append(image.name)
    )
    assert written == [f"one/{index}" for index in range(length)]
    assert frames.most <= 3
    cases = Cases(LabelledClip("made", "one", frames), protocol, 4, 3)
    assert all(cases.read(index, index + 1).shape == (1, 1, 3, 8, 8) for index in range(length))
    assert len(cases.kept) == min(length, KEPT)
    monkeypatch.setattr("srlab.evaluation.video_scoring.KEPT_BYTES", 3 * 3 * 32 * 32 * 8)
    cases = Cases(LabelledClip("made", "one", frames), protocol, 4, 3)
    assert cases.read(0, length).shape == (1, length, 3, 8, 8)
    assert len(cases.kept) == 3


def test_a_clip_and_a_protocol_that_do_not_fit_are_refused() -> None:
    truth = moving(4)
    with pytest.raises(InputError, match="has 4 frames, and protocol=vid4_bd_crop8 leaves out 2 at each end"):
        scores(given(truth), clip_of(truth), shipped("vid4_bd_crop8"))
    with pytest.raises(InputError, match="3 frames were made of a clip of 4"):
        scores(given(truth[:3]), clip_of(truth), shipped("vid4_bd"))
    pytest.importorskip("cv2")
    metric = TOF()
    with pytest.raises(InputError, match="take data=clips"):
        metric(truth[0][None], truth[1][None])
    with pytest.raises(ValueError, match="lr_rounding=passes"):
        shipped("vid4_bd", "protocol.lr_rounding=passes")


def test_the_command_scores_frames_that_another_program_made(command: Command, tmp_path: Path) -> None:
    for t in range(6):
        for folder, codes in (("set/one", 100), ("set/two", 100), ("made/one", 101), ("made/two", 104)):
            write_image(tmp_path / folder / f"{t}.png", np.full((48, 48, 3), codes, np.uint8))
    of_sets = [
        "data=clips",
        "data.test_root=set",
        "scale=4",
        "network=bicubic",
        "protocol=vid4_bd_crop8",
    ]
    outcome = command(
        "test", *of_sets, "data.made_root=made", "network_name=theirs", "save_images=true", "hydra.run.dir=run"
    )
    assert outcome.status == 0, outcome.err
    rows = {row.image: row for row in read_results(tmp_path / "run/results.csv") if row.metric == "psnr_y"}
    # a step of one code in R, G and B is 219 / 255 of one in luma
    assert rows["one"].value == pytest.approx(-20 * math.log10(219 / 255 / 255), abs=1e-3)
    assert rows["two"].value == pytest.approx(-20 * math.log10(4 * 219 / 255 / 255), abs=1e-3)
    assert rows["mean"].value == pytest.approx((rows["one"].value + rows["two"].value) / 2)
    assert rows["one"].network == "theirs"
    assert np.unique(read_image(tmp_path / "run/images/set/two/5.png")) == 104
    (tmp_path / "made/two/0.png").unlink()
    refused = command("test", *of_sets, "data.made_root=made")
    assert "two has 6 frames, and in made 5" in refused.err


def test_another_degradation_than_that_of_the_training_is_warned_of(command: Command, tmp_path: Path) -> None:
    for t in range(3):
        write_image(tmp_path / "set/one" / f"{t}.png", np.full((32, 32, 3), 40 * t, np.uint8))
    cfg = composed("test", ["network=edsr_baseline", "backbone.blocks=1", "backbone.width=4", "scale=4"])
    composition = OmegaConf.to_container(cfg.framework, resolve=True)
    assert isinstance(composition, dict)
    facts = {"network_name": "bd", "degradation": shipped("vid4_bd").made_by}
    export(build(cfg.framework), composition, tmp_path / "net", facts)
    arguments = ("test", "data=clips", "data.test_root=set", "weights=net")
    own, other = (command(*arguments, f"protocol={name}", f"hydra.run.dir={name}") for name in ("vid4_bd", "vid4_bi"))
    assert (own.status, other.status) == (0, 0)
    assert "trained on LR made by" not in own.out + own.err
    assert "trained on LR made by bd 1.6, and this LR is made by bicubic" in other.out + other.err
