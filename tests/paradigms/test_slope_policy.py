"""The learning rate falls where the error's slope is lost in its noise, and not elsewhere."""

import numpy as np
import pytest

from srlab.paradigms.slope_policy import SlopePolicy, line


def changes(errors: list[float], iterations: int, policy: SlopePolicy) -> list[int]:
    """The iterations (from 0) after which the rate falls, given the error of each sample."""
    fallen = []
    for iteration in range(iterations):
        if policy.wants_sample(iteration):
            policy.errors.append(errors[iteration // policy.sample_every])
        if policy.check(iteration):
            fallen.append(iteration)
    return fallen


def test_the_line_and_its_deviation_are_numpys() -> None:
    values = np.random.default_rng(0).random(7)
    (slope, _), covariance = np.polyfit(np.arange(7) * 50, values, 1, cov=True)
    assert line(values.tolist(), 50) == pytest.approx((slope, np.sqrt(covariance[0, 0])))


@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_a_flat_error_lowers_the_rate_at_the_first_check_after_256_iterations(noise: float) -> None:
    flat = [0.01 + noise * (1 if place % 2 else -1) for place in range(40)]
    policy = SlopePolicy()
    assert changes(flat, 1200, policy) == [299, 599, 899, 1199]  # checks are at 59, 119, ...; 256 must have passed
    assert policy.factor == pytest.approx(1e-4)


def test_a_falling_error_keeps_the_rate() -> None:
    assert changes([0.1 * 0.9**place for place in range(40)], 1500, SlopePolicy()) == []


def test_three_falls_of_a_rate_of_1e_3_end_below_the_least_rate_and_two_do_not() -> None:
    policy = SlopePolicy()
    changes([0.01] * 40, 900, policy)
    assert policy.drops == 3
    assert 1e-3 * policy.factor < 9e-6 < 1e-3 * policy.factor * 10


def test_a_state_goes_on_as_if_nothing_had_happened() -> None:
    errors = (0.01 + 1e-3 * np.random.default_rng(1).random(60)).tolist()
    straight = SlopePolicy()
    expected = changes(errors, 2400, straight)
    first, second = SlopePolicy(), SlopePolicy()
    fallen = []
    for iteration in range(2400):
        policy = first if iteration < 777 else second
        if iteration == 777:
            second.restore(first.state())
        if policy.wants_sample(iteration):
            policy.errors.append(errors[iteration // 50])
        if policy.check(iteration):
            fallen.append(iteration)
    assert fallen == expected
    assert second.state() == straight.state()
    second.restart()
    assert second.state() == SlopePolicy().state()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="three samples long"):
        SlopePolicy(window=100)
