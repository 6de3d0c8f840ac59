"""Which scale a batch is of, when a scale comes, and how it is blended in."""

from collections import Counter
from itertools import pairwise

import pytest
import torch

from srlab.build import build
from srlab.curriculum.scales import GrowingScales, MixedScales
from srlab.networks.interpolation import enlarge
from srlab.networks.progressive import Progressive
from tests.conftest import composed


def test_every_scale_comes_alike_and_the_order_depends_on_the_seed_alone() -> None:
    scales = MixedScales([2, 3, 4], [48, 32, 24], seed=0)
    drawn = [scales.scale(batch) for batch in range(3000)]
    assert max(abs(count - 1000) for count in Counter(drawn).values()) < 5 * (3000 * 2 / 9) ** 0.5  # five sigmas
    assert drawn == [MixedScales([2, 3, 4], [1, 1, 1], seed=0).scale(batch) for batch in range(3000)]
    assert drawn != [MixedScales([2, 3, 4], [1, 1, 1], seed=1).scale(batch) for batch in range(3000)]
    following = Counter(pairwise(drawn))
    assert len(following) == 9
    assert min(following.values()) > 250  # no order in the draws


def test_the_published_steps_change_the_stage_at_their_iteration() -> None:
    scales = GrowingScales([2, 4, 8], [48, 36, 24], seed=0, iterations=1000)
    assert [scales.active(batch) for batch in (0, 120, 121, 450, 451, 999)] == [
        *((2,), (2,), (2, 4), (2, 4)),
        *((2, 4, 8), (2, 4, 8)),
    ]
    assert [scales.stage(batch) for batch in (120, 121, 450, 451)] == [0, 1, 1, 2]
    assert {scales.scale(batch) for batch in range(121)} == {2}
    assert {scales.scale(batch) for batch in range(121, 451)} == {2, 4}
    counts = Counter(scales.scale(batch) for batch in range(451, 1000))
    assert min(counts.values()) > 130


def test_a_level_is_blended_in_on_a_line() -> None:
    scales = GrowingScales([2, 4, 8], [48, 36, 24], seed=0, iterations=1000)
    assert scales.blends(0) == scales.blends(120) == {4: 0.0, 8: 0.0}
    assert [scales.blends(batch)[4] for batch in (121, 185, 249)] == pytest.approx([1 / 130, 0.5, 129 / 130])
    assert scales.blends(250) == scales.blends(450) == {8: 0.0}
    assert scales.blends(525)[8] == pytest.approx(0.5)
    assert scales.blends(600) == scales.blends(999) == {}


def test_the_largest_scale_leaves_out_those_beyond() -> None:
    scales = GrowingScales([2, 4, 8], [48, 36, 24], seed=0, iterations=1000, largest=4)
    assert (scales.scales, scales.active(999), scales.blends(999)) == ((2, 4), (2, 4), {})


@pytest.mark.parametrize(
    "wrong", [{"patches": [4]}, {"scales": [4, 2]}, {"steps": [0.1]}, {"steps": [0.3, 0.1]}, {"largest": 1}]
)
def test_plans_that_make_no_sense_are_refused(wrong: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match=r"give|name"):
        GrowingScales(**({"scales": [2, 4], "patches": [8, 8], "seed": 0, "iterations": 10} | wrong))  # type: ignore[arg-type]


def test_a_level_that_does_not_count_is_the_enlarged_level_below() -> None:
    small = [
        "framework=progressive",
        "framework.separate_heads=true",
        "backbone.width=4",
        "backbone.blocks=1",
        "scale=4",
    ]
    network = build(composed("train", [*small, "run_dir=."]).framework)
    assert isinstance(network, Progressive)
    lr = torch.rand(1, 3, 5, 6)
    full = network(lr)
    network.blends = {4: 0.0}
    below = full.intermediate["x2"] - enlarge(lr, 2)
    torch.testing.assert_close(network(lr).sr, enlarge(lr, 4) + enlarge(below, 2, "bilinear"))
    bare = network(lr).sr
    network.blends = {4: 0.3}
    torch.testing.assert_close(network(lr).sr, 0.3 * full.sr + 0.7 * bare)
    torch.testing.assert_close(network(lr).intermediate["x2"], full.intermediate["x2"])
