"""Fathers are cut from the image alone, with the authors' probabilities."""

from collections import Counter

import pytest
import torch
from torch import Tensor

from srlab.data.fathers import Ancestor, Fathers
from srlab.inference.self_ensemble import turned

IMAGE = torch.rand(1, 3, 20, 26, generator=torch.Generator().manual_seed(0))
LR = [Ancestor(IMAGE, 1.0)]


def windows(image: Tensor, size: int) -> Tensor:
    """All windows of an image, (N, C, size, size)."""
    return image.unfold(2, size, 1).unfold(3, size, 1)[0].flatten(1, 2).movedim(1, 0)


def kind(father: Tensor, size: int) -> str:
    for place in range(8):
        if (windows(turned(IMAGE, place), size) == father).flatten(1).all(1).any():
            return "as is" if place == 0 else "turned"
    return "warped"


def test_modes_come_as_often_as_published() -> None:
    torch.manual_seed(0)
    draws = 1000
    counted = Counter(kind(Fathers(crop=12).draw(LR), 12) for _ in range(draws))
    assert counted["warped"] / draws == pytest.approx(0.5, abs=0.05)
    # one in eight of the turns is none
    assert counted["as is"] / draws == pytest.approx(0.05 + 0.45 / 8, abs=0.03)
    assert counted["turned"] / draws == pytest.approx(0.45 * 7 / 8, abs=0.05)


def test_a_kernel_that_is_not_symmetric_gets_no_turned_fathers() -> None:
    torch.manual_seed(0)
    drawn = [kind(Fathers(crop=12, exact=0.95, turn=False).draw(LR), 12) for _ in range(50)]
    assert set(drawn) == {"as is"}


def test_a_warp_without_change_is_a_window_and_one_by_half_is_smaller_and_black_beyond() -> None:
    plain = Fathers(crop=20, as_is=0, exact=0, smallest=1.0, anisotropy=0, shear=0, turn=False)
    torch.manual_seed(0)
    (father,) = plain.draw([Ancestor(IMAGE[..., 3:23], 1.0)])
    torch.testing.assert_close(father, IMAGE[0, ..., 3:23], rtol=0, atol=1e-4)
    white = torch.ones(1, 1, 20, 20)
    half = Fathers(crop=20, as_is=0, exact=0, smallest=0.5, anisotropy=0, shear=0, turn=False)
    father = half._warped(white, 0.5, 20)
    assert father.mean().item() == pytest.approx(0.25, abs=0.03)
    torch.testing.assert_close(father, father.flip(-1), rtol=0, atol=1e-5)  # it lies in the middle


def test_fathers_are_cut_from_the_smallest_ancestor_that_is_large_enough() -> None:
    ancestors = [*LR, Ancestor(torch.full((1, 3, 30, 39), 0.5), 1.5), Ancestor(torch.full((1, 3, 40, 52), 0.9), 2.0)]
    fathers = Fathers(crop=12, as_is=0, exact=1, smallest=0.5)
    torch.manual_seed(0)
    drawn = Counter(round(float(fathers.draw(ancestors)[0, 0, 0, 0]), 2) for _ in range(600))
    # uniform in 0.5 to 2: a third up to 1, a third up to 1.5, a third up to 2
    assert drawn[0.5] / 600 == pytest.approx(1 / 3, abs=0.06)
    assert drawn[0.9] / 600 == pytest.approx(1 / 3, abs=0.06)


def test_a_father_depends_on_the_seed_alone() -> None:
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(Fathers(crop=12).draw(LR))
    first, again, other = drawn
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_crops_fit_small_images_and_the_scale() -> None:
    torch.manual_seed(0)
    assert Fathers(crop=128).draw(LR, multiple=3).shape == (1, 3, 18, 18)


@pytest.mark.parametrize("options", [{"crop": 4}, {"as_is": 0.7}, {"smallest": 0.0}, {"shear": -0.1}])
def test_what_cannot_be_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"fathers\."):
        Fathers(**options)  # type: ignore[arg-type]
