"""Metrics of a clip's motion, on motion that is known."""

import math

import numpy as np
import pytest
import torch

from srlab.evaluation.video_metrics import TOF, WarpingError
from tests.evaluation.drawn_clips import SIZE, clip_of, given, moving, scores, shipped


def test_tof_is_how_far_the_motion_is_from_that_of_hr() -> None:
    pytest.importorskip("cv2")
    truth, protocol = moving(right=2), shipped("vid4_bd_crop8")
    assert scores(given(truth), clip_of(truth), protocol, tof=TOF())["tof"] == 0
    still = scores(given([truth[3]] * 7), clip_of(truth), protocol, tof=TOF())["tof"]
    assert still == pytest.approx(2, rel=0.1)
    diagonal = scores(given(moving(down=1, right=1)), clip_of(moving(right=1)), protocol, tof=TOF())["tof"]
    assert diagonal == pytest.approx(1, rel=0.15)


def test_warping_error_is_what_motion_does_not_explain() -> None:
    pytest.importorskip("cv2")
    truth, protocol = moving(right=2), shipped("vid4_bd_crop8", "protocol.round_sr=false")
    measured = {"ewarp": WarpingError()}
    assert scores(given(truth), clip_of(truth), protocol, **measured)["ewarp"] < 2e-3
    noise = [torch.randn(1, SIZE, SIZE, generator=torch.Generator().manual_seed(t)) * 0.02 for t in range(7)]
    flickering = [picture * 0.8 + 0.1 + n for picture, n in zip(truth, noise, strict=True)]
    # |n1 - n2| of two Gaussians has the mean 2 sigma / sqrt(pi)
    expected = 2 * 0.02 / math.sqrt(math.pi)
    assert scores(given(flickering), clip_of(truth), protocol, **measured)["ewarp"] == pytest.approx(expected, rel=0.1)


def test_a_cut_is_no_step_without_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a frame shows nothing of the one before, there is nothing to warp: 0 would be the best that there is."""
    pytest.importorskip("cv2")
    truth, protocol = moving(right=2), shipped("vid4_bd", "protocol.round_sr=false")
    made, measured = given([picture * (1 + 0.1 * (t % 2)) for t, picture in enumerate(truth)]), WarpingError()
    whole = scores(made, clip_of(truth), protocol, ewarp=measured)["ewarp"]
    seen = WarpingError.seen
    steps = iter([True, False] * 3)
    monkeypatch.setattr(WarpingError, "seen", lambda self, *flows: seen(self, *flows) & next(steps))
    cut = scores(made, clip_of(truth), protocol, ewarp=measured)["ewarp"]
    assert cut == pytest.approx(whole, rel=0.1)
    monkeypatch.setattr(WarpingError, "seen", lambda self, *flows: seen(self, *flows) & False)
    assert "ewarp" not in scores(made, clip_of(truth), protocol, ewarp=measured)


def test_occlusions_do_not_count() -> None:
    pytest.importorskip("cv2")
    seen = WarpingError().seen
    still = np.zeros((32, 32, 2), np.float32)
    assert seen(still, still).all()
    jump = still.copy()
    jump[:, 16:, 0] = 8
    assert not seen(jump, still)[:, 17:30].any(), "there and not back"
    assert not seen(jump, still)[:, 15:17].any(), "where the flow breaks off"
    assert seen(jump, still)[:, :14].all()
