"""The protocol of depth maps: published bicubic rows, and errors that a few pixels have by hand."""

import math
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from PIL import Image

from srlab.build import build
from srlab.data.evaluation import LabelledImages
from srlab.data.rgbd import rgbd_folder
from srlab.errors import InputError
from srlab.evaluation.depth import DepthProtocol
from srlab.evaluation.scoring import score_images
from srlab.inference.enlarge import enlarge
from srlab.networks.interpolation import Interpolation
from srlab.types import LabelledImage
from tests.conftest import composed

DepthProtocols = Callable[..., DepthProtocol]


def shipped(name: str, **changes: object) -> DepthProtocol:
    protocol = build(composed("test", [f"protocol={name}"]).protocol, **changes)
    assert isinstance(protocol, DepthProtocol)
    return protocol


BICUBIC = {
    ("middlebury", 4): 2.281,
    ("middlebury", 8): 3.983,
    ("middlebury", 16): 6.374,
    ("lu", 4): 2.419,
    ("lu", 8): 4.538,
    ("lu", 16): 7.373,
}
"""RMSE in levels, as the table of DKN has it to two digits (Kim et al., IJCV 2021)."""


@pytest.mark.parametrize(("dataset", "scale"), BICUBIC)
def test_bicubic_has_the_published_figures(data_root: Path, dataset: str, scale: int) -> None:
    images = LabelledImages([rgbd_folder(str(data_root / "domain/depth" / dataset))])
    network = Interpolation(1, scale, "bicubic")
    found = score_images(lambda lr, guide: enlarge(network, lr), images, network, shipped("depth_levels"), {})  # type: ignore[arg-type]
    assert fmean(one.headline for one in found) == pytest.approx(BICUBIC[dataset, scale], abs=6e-4)


def step(depth: torch.Tensor | None = None, mask: torch.Tensor | None = None) -> LabelledImage:
    """100 levels on the left, 200 on the right of column 16, (1, 32, 32)."""
    codes = torch.full((1, 32, 32), 100.0)
    codes[..., 16:] = 200
    return LabelledImage("made", "step", codes / 255 if depth is None else depth, None, 255, None, mask)


def test_errors_are_in_levels_and_edges_are_near_the_step() -> None:
    protocol = shipped("depth_levels", edge_pixels=3)
    case = protocol.prepare(step(), 4, 1)
    wrong = case.hr.clone()
    wrong[..., 12:13] += 3 / 255  # three pixels from column 15, which is at the step: within its region
    wrong[..., 0:1] += 0.5 / 255
    scores = protocol.score(wrong, case)
    assert scores["rmse"] == pytest.approx(((9 + 0.25) / 32) ** 0.5)
    assert scores["mad"] == pytest.approx(3.5 / 32)
    assert scores["bad"] == pytest.approx(100 / 32)
    assert scores["edge_rmse"] == pytest.approx((9 / 8) ** 0.5)  # columns 12 to 19
    assert protocol.facts("rmse").unit == "levels"
    assert protocol.facts("bad").unit == "%"
    flat = protocol.prepare(step(torch.full((1, 32, 32), 0.2)), 4, 1)
    assert "edge_rmse" not in protocol.score(flat.hr, flat)


def test_pixels_that_are_no_numbers_are_bad() -> None:
    protocol = shipped("depth_levels")
    case = protocol.prepare(step(), 4, 1)
    wrong = case.hr.clone()
    wrong[..., :8] = math.nan
    scores = protocol.score(wrong, case)
    assert scores["bad"] == 25
    assert math.isnan(scores["rmse"])


def test_holes_count_for_nothing() -> None:
    mask = torch.ones(1, 32, 32)
    mask[..., 8:24] = 0
    protocol = shipped("depth_levels")
    case = protocol.prepare(step(mask=mask), 4, 1)
    wrong = case.hr.clone()
    wrong[..., 8:24] = 0
    scores = protocol.score(wrong, case)
    assert scores == {"rmse": 0.0, "mad": 0.0, "bad": 0.0}, "its only edge lies in the hole"
    with pytest.raises(InputError, match="no pixel of known depth"):
        protocol.prepare(step(mask=torch.zeros(1, 32, 32)), 4, 1)


def test_the_range_of_hr_is_told_only_by_name_and_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert shipped("depth_levels").prepare(step(), 4, 1).lr.min() == pytest.approx(100 / 255, abs=0.05)
    assert not caplog.records
    protocol = shipped("depth_levels_hr")
    assert "which no user has" in caplog.text
    case = protocol.prepare(step(), 4, 1)
    assert case.lr[..., 0].max() == pytest.approx(0, abs=1e-6)
    assert case.lr[..., -1].min() == pytest.approx(1, abs=1e-6)
    scaled = (case.hr - 100 / 255) / (100 / 255)
    assert protocol.score(scaled, case)["rmse"] == pytest.approx(0, abs=1e-9)


def test_lr_is_what_pillow_makes_of_the_float_map() -> None:
    depth = torch.rand(1, 42, 50, generator=torch.Generator().manual_seed(0)).mul(255).round() / 255
    lr = shipped("depth_levels").prepare(step(depth), 4, 1).lr
    pillow = Image.fromarray(depth[0, :40, :48].numpy()).resize((12, 10), Image.Resampling.BICUBIC)
    torch.testing.assert_close(lr[0, 0], torch.from_numpy(np.array(pillow)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [4, 8, 16])
def test_direct_lr_is_pillows_nearest_in_training_and_test(scale: int) -> None:
    depth = torch.rand(1, 90, 106, generator=torch.Generator().manual_seed(0)).mul(255).round() / 255
    lr = shipped("depth_direct").prepare(step(depth), scale, 1).lr
    height, width = lr.shape[2:]
    whole = depth[:, : height * scale, : width * scale]
    pillow = Image.fromarray(whole[0].numpy()).resize((width, height), Image.Resampling.NEAREST)
    torch.testing.assert_close(lr[0, 0], torch.from_numpy(np.array(pillow)), rtol=0, atol=0)
    degradation = build(composed("train", ["degradation=direct", f"scale={scale}"]).degradation)
    trained = degradation(whole[None], torch.zeros(1, dtype=torch.int64), torch.tensor([255])).lr
    assert torch.equal(trained, lr)


def test_units_of_centimetres_cut_borders() -> None:
    protocol = shipped("depth_cm")
    case = protocol.prepare(LabelledImage("nyu", "a", torch.full((1, 32, 32), 0.3), None, 0), 4, 1)
    wrong = case.hr + 0.001  # of 10 m
    wrong[..., :6] = 1
    assert protocol.score(wrong, case)["rmse"] == pytest.approx(1.0)
    assert protocol.facts("rmse").unit == "cm"


def test_what_cannot_be_is_refused() -> None:
    for changes in ({"range_from": "truth"}, {"white": 0}, {"bad_above": -1}):
        with pytest.raises(InputError, match="protocol"):
            shipped("depth_levels", **changes)
    with pytest.raises(InputError, match="channels=1"):
        shipped("depth_levels").prepare(LabelledImage("a", "b", torch.rand(3, 32, 32), None, 255), 4, 3)


def test_shipped_protocols_keep_their_hashes() -> None:
    """Results on disk carry these. A change here makes them incomparable: give the new convention a new name."""
    names = ("depth_levels", "depth_levels_hr", "depth_cm", "depth_px", "depth_direct")
    assert {name: shipped(name).hash for name in names} == {
        "depth_levels": "d7b2498a5dc1",
        "depth_levels_hr": "c5824a7f9ca0",
        "depth_cm": "96be6806ac11",
        "depth_px": "dadc077883ee",
        "depth_direct": "ce8af79b2320",
    }


def test_maps_are_shown_in_colours() -> None:
    shown = shipped("depth_levels").shown(step().hr[None])
    assert shown.shape == (3, 32, 32)
    assert shown[:, 0, 0].sum() < shown[:, 0, -1].sum(), "what is larger is brighter"
