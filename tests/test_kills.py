"""Exact resume: whatever kills a training, the same command brings it to the same end, bit for bit."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import draw_photos
from tests.killed import MOMENTS, Moment
from tests.kills import BASE, LINES, Trained, arguments_of, differences, train

KILLS: tuple[Moment, ...] = (
    Moment("after an optimizer's step", 3),
    Moment("in a checkpoint's writing", 4, 40),
    Moment("before a row is logged", 4),
    Moment("before an image is validated", 4, 2),
    Moment("before a file is removed", 5),
)
BETWEEN_ITERATIONS_OF_A_STEP = Moment("before an iteration", 6)
"""Of two, or of three, that are accumulated: the first of them are done."""
MANY = 20
"""Kills of one line in the slow test: a quarter of an hour's processor time for all lines."""

LeftAlone = Callable[[str], Trained]


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory: pytest.TempPathFactory) -> LeftAlone:
    """Trainings that nobody killed, each done once."""
    trained: dict[str, Trained] = {}

    def of(line: str) -> Trained:
        if line not in trained:
            folder = tmp_path_factory.mktemp("left_alone")
            draw_photos(folder / "photos")
            trained[line] = train(folder, arguments_of(line))
        return trained[line]

    return of


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("line", LINES)
def test_a_killed_training_comes_to_the_same_end(line: str, left_alone: LeftAlone, tmp_path: Path) -> None:
    kills = KILLS if line == "supervised" else KILLS[:2]
    if line.endswith("accumulated"):
        kills += (BETWEEN_ITERATIONS_OF_A_STEP,)
    killed = train(tmp_path, arguments_of(line), kills)
    assert killed.kills == len(kills)
    assert differences(left_alone(line), killed) == []


@pytest.mark.usefixtures("photos")
def test_a_start_finds_its_position_without_replaying_data(tmp_path: Path) -> None:
    begun = train(tmp_path, [*BASE, "iterations=8"], [Moment("before an optimizer's step", 7)])
    before, after = [int(iteration) for iteration, _ in begun.served()][:7], begun.served()[7:]
    assert before == list(range(1, 8))
    assert [int(iteration) for iteration, _ in after] == [7, 8]
    fetched_ahead = 1
    assert begun.samples_cut() <= 2 * (8 + 2 + fetched_ahead)  # 2 samples in a batch


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("line", LINES)
def test_many_kills_at_random_change_nothing(line: str, tmp_path: Path) -> None:
    rng = random.Random(line)
    arguments = [*arguments_of(line), "iterations=40"]
    kills = [
        Moment(rng.choice(MOMENTS), rng.randint(1, 40), rng.randint(1, 3))
        if rng.random() < 0.5
        else rng.uniform(0.5, 3)
        for _ in range(MANY)
    ]
    draw_photos(tmp_path / "left_alone/photos")
    killed = train(tmp_path, arguments, kills)
    different = differences(train(tmp_path / "left_alone", arguments), killed)
    print(f"{line}: {killed.kills} kills, {len(killed.served())} iterations, {len(different)} differences")  # noqa: T201
    assert different == []
