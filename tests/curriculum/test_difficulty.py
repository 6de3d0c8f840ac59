"""Easy crops first: what counts as easy, that the admitted only grow, and that without a curriculum nothing changes."""

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.curriculum.difficulty import Difficulty, GradedCrops, bicubic_residual, gradient_energy
from srlab.data.crops import Crops
from srlab.data.images import Header
from srlab.data.source import Source
from srlab.data.sources import DeadLeaves
from srlab.schedules import Constant, Linear
from srlab.types import Pixels

TOGETHER = 4


class Held(Source):
    """Dead leaves, drawn once."""

    def __init__(self) -> None:
        self.name = "held"
        self.images = [DeadLeaves(0, 6, 48).image(index) for index in range(6)]

    def __len__(self) -> int:
        return len(self.images)

    def label(self, index: int) -> str:
        return str(index)

    def where(self, index: int) -> str:
        return str(index)

    def identity(self, index: int) -> str:
        return str(index)

    def header(self, index: int) -> Header:
        return Header(48, 48, 3, "uint8")

    def image(self, index: int) -> Pixels:
        return self.images[index]


HELD = Held()


def crops(patch: int = 8) -> Crops:
    return Crops(HELD, seed=0, scale=2, patch=patch, margin=2)


def graded(share: float, measure: str = "gradient") -> GradedCrops:
    return GradedCrops(crops(), Difficulty(lambda batch: share, measure, probes=60), TOGETHER)


def test_difficulty_is_what_its_name_says() -> None:
    ramp = torch.arange(16.0).expand(3, 16, 16) / 100
    assert gradient_energy(ramp, 2) == pytest.approx(1e-4, rel=1e-4)
    assert gradient_energy(torch.full((3, 16, 16), 0.7), 2) == 0
    assert bicubic_residual(torch.full((3, 16, 16), 0.7), 2) == pytest.approx(0, abs=1e-12)
    noise = torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(0))
    assert bicubic_residual(noise, 4) > bicubic_residual(noise, 2) > 0.01


@pytest.mark.parametrize("measure", ["gradient", "residual"])
def test_the_share_that_is_admitted_is_the_easiest(measure: str) -> None:
    ordinary = graded(1.0, measure)
    scores = np.array([ordinary[position]["difficulty"].item() for position in range(100)])
    easy = np.array([graded(0.3, measure)[position]["difficulty"].item() for position in range(20)])
    bound = graded(0.3, measure).bound(0.3)
    assert easy.max() <= bound
    assert (scores <= bound).mean() == pytest.approx(0.3, abs=0.15)  # of other crops than the probes
    assert easy.mean() < scores[scores <= bound].max()


def test_what_is_admitted_stays_admitted_and_the_mean_difficulty_rises() -> None:
    bounds = [graded(0.5).bound(share) for share in (0.1, 0.3, 0.5, 0.9, 1.0)]
    assert bounds == sorted(bounds)
    assert bounds[-1] == float("inf")
    growing = GradedCrops(crops(), Difficulty(Linear(0.2, 1.0, 0, 30), probes=100), TOGETHER)
    served = np.array([growing[position]["difficulty"].item() for position in range(40 * TOGETHER)])
    thirds = [third.mean() for third in np.split(served[: 39 * TOGETHER], 3)]
    assert thirds[0] < thirds[1] < thirds[2]
    wider, narrower = graded(0.6), graded(0.2)
    for position in range(40):  # a crop that the narrow share takes at once is taken by the wide one too
        if torch.equal(narrower[position]["seed"], crops()[position]["seed"]):
            assert same(narrower[position], wider[position])


def test_a_share_of_all_serves_the_ordinary_crops() -> None:
    ordinary, all_admitted = crops(), GradedCrops(crops(), Difficulty(Constant(), probes=10), TOGETHER)
    for position in range(20):
        sample = all_admitted[position]
        del sample["difficulty"]
        assert same(sample, ordinary[position])


def test_a_crop_depends_on_seed_and_position_alone() -> None:
    forwards = [graded(0.3)[position] for position in range(6)]
    backwards = [graded(0.3)[position] for position in reversed(range(6))]
    assert all(same(one, other) for one, other in zip(forwards, reversed(backwards), strict=True))


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() >= other.keys() and all(torch.equal(one[name], other[name]) for name in other)


def test_what_is_no_difficulty_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of gradient, residual"):
        Difficulty(Constant(), "entropy")
    with pytest.raises(ValueError, match="above 0"):
        Difficulty(Linear(0.0, 1.0))
