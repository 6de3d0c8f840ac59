import pytest

from srlab.schedules import Constant, Cosine, Linear, MultiStep


def test_cosine_falls_from_one_to_its_floor_through_the_middle() -> None:
    schedule = Cosine(iterations=100, floor=0.1)
    assert schedule(0) == pytest.approx(1.0)
    assert schedule(50) == pytest.approx(0.55)
    assert schedule(100) == schedule(500) == pytest.approx(0.1)


def test_warm_up_rises_linearly_and_ends_at_the_full_rate() -> None:
    schedule = Constant(warmup=4)
    assert [schedule(i) for i in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_multistep_takes_fractions_or_iterations() -> None:
    in_fractions = MultiStep([0.5, 0.9], iterations=100)
    in_iterations = MultiStep([50, 90], iterations=100)
    expected = [1.0, 1.0, 0.5, 0.5, 0.25]
    for schedule in (in_fractions, in_iterations):
        assert [schedule(i) for i in (0, 49, 50, 89, 90)] == expected


def test_impossible_schedules_are_refused() -> None:
    with pytest.raises(ValueError, match="shorten"):
        Cosine(iterations=10, warmup=10)
    with pytest.raises(ValueError, match="ascending"):
        MultiStep([90, 50], iterations=100)


def test_a_ramp_is_straight_between_its_ends_and_flat_beyond() -> None:
    ramp = Linear(1.0, 0.0, first=10, last=20)
    assert [ramp(i) for i in (0, 10, 15, 20, 99)] == pytest.approx([1, 1, 0.5, 0, 0])
    in_fractions = Linear(1.0, 0.0, first=0.1, last=0.2, iterations=100)
    assert [in_fractions(i) for i in range(30)] == pytest.approx([ramp(i) for i in range(30)])
    with pytest.raises(ValueError, match="first < last"):
        Linear(1.0, 0.0, first=20, last=10)
