"""Curricula and mixed scales from the command line: what each iteration trains, what it leaves alone, how it goes on."""

import csv
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

import srlab
from tests.conftest import TINY, Command, draw_photos, train_in_two_processes
from tests.curriculum.spy import read
from tests.killed import Moment
from tests.kills import BASE, Trained, differences, train

SPY = "+callbacks.spy={_target_: tests.curriculum.spy.Spy, path: spy.jsonl}"
ADAM = ["optimizer=adamw", "optimizer.weight_decay=0.1", "trainer.precision=32-true"]
PYRAMID = ["framework=progressive", "framework.separate_heads=true", "scale=8"]
GROWING = [
    *(*PYRAMID, "curriculum=[growing_scales]", "curriculum.scales.patches=[8,6,4]"),
    *("curriculum.scales.steps=[0.1,0.3,0.5,0.8]", "iterations=20", "trainer.val_check_interval=20"),
]
"""x2 in iterations 1 to 3, x4 blended in from 4 to 7, x8 from 12 to 17."""
MIXED = [
    *("framework=multi_scale", "backbone=edsr", "curriculum=[mixed_scales]", "curriculum.scales.patches=[8,6,4]"),
    *("iterations=9", "trainer.val_check_interval=9", "scale=4"),
]


def spied(command: Command, *arguments: str) -> list[dict[str, Any]]:
    outcome = command("train", *TINY, *ADAM, SPY, *arguments, "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    return read(command.folder / "spy.jsonl")


def values(folder: Path, metric: str) -> dict[int, float]:
    with (folder / "run/metrics.csv").open(newline="") as file:
        return {int(row["iteration"]): float(row["value"]) for row in csv.DictReader(file) if row["metric"] == metric}


def moved(lines: list[dict[str, Any]]) -> list[set[str]]:
    """The weights that each iteration after the first moved."""
    return [
        {name for name, value in after["weights"].items() if before["weights"][name] != value}
        for before, after in pairwise(lines)
    ]


def part_of(name: str) -> str:
    """A weight's part of the pyramid: the level that it belongs to, or the head of a scale."""
    group, place, *_ = name.split(".")
    return {
        "backbone": "level 0",
        "deeper": f"level {int(place) + 1 if place.isdigit() else ''}",
        "heads": f"head {place}",
    }.get(group, f"level {place}")


PARTS = {
    2: {"head x2", "level 0"},
    4: {"head x4", "level 0", "level 1"},
    8: {"head x8", "level 0", "level 1", "level 2"},
}
"""What a batch of a scale trains, apart from tails on its way."""


@pytest.mark.usefixtures("photos")
def test_scales_come_at_their_iteration_and_train_their_own_levels_only(command: Command, tmp_path: Path) -> None:
    lines = spied(command, *GROWING)
    blend = {4: 1 / 4, 5: 2 / 4, 6: 3 / 4} | {12: 1 / 6, 13: 2 / 6, 14: 3 / 6, 15: 4 / 6, 16: 5 / 6}
    for line in lines:
        iteration, scale = line["iteration"], line["scale"]
        assert scale in {2, 4, 8} if iteration > 11 else scale in {2, 4} if iteration > 3 else scale == 2
        assert line["patch"] == {2: 8, 4: 6, 8: 4}[scale]
        level = 4 if iteration <= 11 else 8
        assert line["blends"].get(str(level), 1.0) == pytest.approx(
            blend.get(iteration, 0.0 if iteration <= 3 else 1.0)
        )
        assert {part_of(name) for name in line["trained"]} == PARTS[scale]
    assert {line["scale"] for line in lines} == {2, 4, 8}
    for line, names in zip(lines[1:], moved(lines), strict=True):  # no decay, no momentum for what rests
        assert names <= set(line["trained"])
        assert {part_of(name) for name in names} == PARTS[line["scale"]]
    logged = {name: values(tmp_path, f"train/{name}") for name in ("stage", "blend", "active_scales", "scale")}
    assert [logged["stage"][iteration] for iteration in (3, 4, 11, 12, 20)] == [0, 1, 1, 2, 2]
    assert [logged["active_scales"][iteration] for iteration in (3, 4, 12)] == [1, 2, 3]
    assert [logged["blend"][iteration] for iteration in (3, 5, 8, 14)] == pytest.approx([1, 0.5, 1, 0.5])
    assert logged["scale"] == {line["iteration"]: line["scale"] for line in lines}


def trained(folder: Path, arguments: list[str], kills: list[Moment]) -> Trained:
    draw_photos(folder / "photos")
    return train(folder, [*BASE, *arguments], kills)


def test_a_curriculum_killed_between_and_in_its_blends_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    kills = [Moment("after an optimizer's step", iteration) for iteration in (5, 9, 14)]
    killed = trained(tmp_path / "killed", GROWING, kills)
    assert killed.kills == len(kills)
    assert differences(trained(tmp_path / "left_alone", GROWING, []), killed) == []


@pytest.mark.usefixtures("photos")
def test_one_network_learns_several_scales_and_is_used_at_each(command: Command, tmp_path: Path) -> None:
    lines = spied(command, *MIXED)
    assert {line["scale"] for line in lines} == {2, 3, 4}
    for line, names in zip(lines[1:], moved(lines), strict=True):
        paths = {name.split(".")[1] for name in names if name.startswith("upsamplers")}
        assert paths == {f"x{line['scale']}"}
        assert names <= set(line["trained"])
    means = {scale: values(tmp_path, f"val/photos_x{scale}/psnr_y")[9] for scale in (2, 3, 4)}
    assert values(tmp_path, "val/psnr_y")[9] == pytest.approx(sum(means.values()) / 3, abs=1e-4)
    network = srlab.load(tmp_path / "run")
    for scale in (2, 3, 4):
        assert network(torch.rand(1, 3, 5, 6), scale=scale).sr.shape == (1, 3, 5 * scale, 6 * scale)
        arguments = [
            "weights=run",
            "data=benchmark",
            "data.root=photos",
            f"scale={scale}",
            f"hydra.run.dir=test{scale}",
        ]
        assert command("test", *arguments).status == 0
        with (tmp_path / f"test{scale}/results.csv").open(newline="") as file:
            (tested,) = [
                float(row["value"])
                for row in csv.DictReader(file)
                if (row["image"], row["metric"]) == ("mean", "psnr_y")
            ]
        assert tested == pytest.approx(means[scale], abs=1e-4)
    results = (tmp_path / "run/results.csv").read_text()
    assert all(f",{scale},,".encode() in results.encode() for scale in (2, 3, 4))
    assert (
        command("test", "weights=run", "data=benchmark", "data.root=photos", "scale=8", "hydra.run.dir=no").status == 2
    )


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_two_ranks_draw_the_same_scale(tmp_path: Path) -> None:
    strategy = "trainer.strategy=ddp_find_unused_parameters_true"
    train_in_two_processes(tmp_path, *TINY, *ADAM, SPY, *MIXED, strategy)
    first, second = read(tmp_path / "spy.jsonl"), read(tmp_path / "spy.jsonl1")
    assert [line["scale"] for line in first] == [line["scale"] for line in second]
    assert all(one["weights"] == two["weights"] for one, two in zip(first, second, strict=True))
    assert all(one["lr"] != two["lr"] for one, two in zip(first, second, strict=True))
    for line, names in zip(first[1:], moved(first), strict=True):
        assert {name.split(".")[1] for name in names if name.startswith("upsamplers")} == {f"x{line['scale']}"}


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["curriculum=[mixed_scales]"], "framework=pre set framework.scales"),
        (
            ["framework=multi_scale", "curriculum=[mixed_scales]", "scale=2", "curriculum.scales.scales=[2,5,6]"],
            "(2, 3, 4)",
        ),
        (
            ["framework=multi_scale", "framework.scales=[2,4]", "curriculum=[growing_scales]", "scale=4"],
            "curriculum=mixed",
        ),
        (
            ["curriculum=[ramps]", "+curriculum.ramps.settings={loss.l2.weight:{start:0,end:1}}"],
            "no number loss.l2.weight",
        ),
        (["curriculum=[growing_noise]"], "no number degradation.steps.1.sigma.1"),
    ],
)
def test_curricula_that_cannot_be_followed_are_refused(command: Command, arguments: list[str], message: str) -> None:
    outcome = command("train", *TINY, *arguments, "hydra.run.dir=run")
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err


TWO_FOLDERS = ["data.hr_root=photos", "data.lr_root=lr"]
NOISE = ["curriculum=[growing_noise]", "degradation=noise"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*NOISE, "data=paired", *TWO_FOLDERS], "has LR files, which no degradation makes"),
        (
            ["curriculum=[mixed_scales]", "framework=multi_scale", "data=unpaired", *TWO_FOLDERS],
            "real LR images of one scale, the curriculum serves [2, 3, 4]: leave scales out",
        ),
        (
            ["curriculum=[easy_first]", "experiment=zssr_x2", "data.image=photos/0.png"],
            "of difficulty has nothing to serve",
        ),
        ([*NOISE, "experiment=zssr_x2", "data.image=photos/0.png"], "of ramps of the degradation has nothing to serve"),
    ],
)
def test_data_that_cannot_follow_refuses_before_it_is_read(
    command: Command, photos: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    draw_photos(tmp_path / "lr")
    for image in tmp_path.glob("*/*.png"):
        image.write_bytes(b"no image, which reading it would say")
    outcome = command("train", "iterations=2", "logger=[csv]", *arguments, "hydra.run.dir=run")
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err


@pytest.mark.usefixtures("photos")
def test_unpaired_crops_follow_a_curriculum_of_difficulty(command: Command, tmp_path: Path) -> None:
    tiny = [item for item in TINY if not item.startswith("data=") and "root" not in item]
    draw_photos(tmp_path / "lr")
    for image in (tmp_path / "lr").iterdir():
        image.rename(image.with_name(f"real_{image.name}"))
    curriculum = ["curriculum=[easy_first]", "curriculum.difficulty.probes=16", "iterations=4"]
    arguments = [*tiny, "data=unpaired", "data.hr_root=photos", "data.lr_root=lr", *curriculum, "hydra.run.dir=run"]
    outcome = command("train", *arguments)
    assert outcome.status == 0, outcome.err
    assert list(values(tmp_path, "train/difficulty_share").values()) == pytest.approx([0.3, 0.65, 1, 1])


PUBLISHED = {
    "prosrs_x8": [
        *("backbone.width=8", "backbone.units=[1]", "backbone.growth=4", "framework.deeper.0.growth=4"),
        *("framework.deeper.0.units=[1]", "framework.deeper.1.growth=4", "curriculum.scales.patches=[8,6,4]"),
    ],
    "vdsr_x234": ["backbone.width=4", "backbone.layers=2", "curriculum.scales.patches=[8,6,4]"],
    "mdsr": ["backbone.width=4", "backbone.blocks=1", "curriculum.scales.patches=[8,6,4]"],
}


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("experiment", PUBLISHED)
def test_the_published_trainings_run(command: Command, experiment: str) -> None:
    tiny = [one for one in TINY if not one.startswith("backbone")]
    outcome = command(
        "train", *tiny, f"experiment={experiment}", *PUBLISHED[experiment], "iterations=4", "hydra.run.dir=run"
    )
    assert outcome.status == 0, outcome.err
