"""How the commands end when they are given what cannot work, and what help they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Command

HOPELESS = {
    "mistyped top-level key": (["scal=3"], "Did you mean scale"),
    "wrong type": (["scale=2.5"], "could not be converted to Integer"),
    "mistyped choice": (["network=edsr_basline"], "Did you mean edsr_baseline"),
    "mistyped number of a part": (["backbone.blokcs=8"], "Did you mean blocks"),
    "added top-level key": (["+sclae=3"], "There is no option sclae"),
    "added number of a part": (["+backbone.blokcs=8"], "Did you mean blocks?"),
    "added option of an optimizer": (["+optimizer.lrr=1"], "Did you mean lr?"),
    "a word for a number of a part": (["backbone.blocks=many"], "backbone.blocks=many: expected int"),
    "a network of no width": (["backbone.width=0"], "choose a width of 1 or more"),
    "a word for a yes or no": (["protocol.round_sr=maybe"], "protocol.round_sr=maybe: expected bool"),
    "a fraction of a pixel": (["data.patch=16.5"], "data.patch=16.5: expected int"),
    "a word for a learning rate": (["optimizer.lr=fast"], "optimizer.lr=fast"),
    "a training of no length": (["iterations=0"], "iterations=0: give 1 or more"),
    "a training of less": (["iterations=-3", "scheduler=constant"], "iterations=-3: give 1 or more"),
    "scale that the network cannot do": (["scale=5"], "scale=5"),
    "a group without a choice": (["network=null"], "~network"),
    "no backbone": (["~backbone"], "PostUpsampling needs a backbone: choose backbone=edsr"),
    "no upsampler": (["~upsampler"], "PostUpsampling needs an upsampler: choose upsampler=subpixel"),
    "a pyramid to x3": (["framework=progressive", "scale=3"], "choose scale=2, 4 or 8, or framework=post"),
    "a design of both sizes in one": (["backbone=dbpn"], "only framework=iterative can hold it"),
    "a named network in another framework": (
        ["network=lapsrn", "framework=post"],
        "compose the parts instead, framework=post backbone=lapsrn upsampler=transposed",
    ),
    "no loss": (["loss=[]"], "loss=l1"),
    "unreadable override": (["scale=["], "override_grammar"),
    "a folder that is no run": (["resume=nowhere"], "expected a run folder"),
    "a missing data folder": (["data=folder", "data.root=nowhere"], "nowhere"),
    "a value that must be given": (["data=folder"], "data.root"),
    "weights that are not there": (["weights=nowhere.pth"], "nowhere.pth"),
}


@pytest.mark.parametrize(("arguments", "expected"), HOPELESS.values(), ids=HOPELESS)
def test_what_cannot_work_ends_with_status_2_and_a_remedy(
    command: Command, arguments: list[str], expected: str
) -> None:
    outcome = command("train", *arguments)
    assert outcome.status == 2, outcome.err
    assert expected in outcome.err
    assert "Traceback" not in outcome.err
    assert "Error in call to target" not in outcome.err  # Hydra's word for where, after ours for what


def test_a_mistyped_key_in_an_experiment_is_named_with_the_close_match(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine/experiment").mkdir(parents=True)
    (tmp_path / "mine/experiment/study.yaml").write_text("# @package _global_\niteration: 5\n")
    outcome = command("train", "--config-dir", "mine", "experiment=study")
    assert outcome.status == 2
    assert "Did you mean iterations" in outcome.err


@pytest.mark.parametrize(
    ("text", "expected"), [("iterations: [5", "while parsing"), ("loss:\n  l2: {weight: 1}", "loss=[l1,l2]")]
)
def test_an_experiment_that_is_no_yaml_or_no_loss_is_refused(
    command: Command, tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "mine/experiment").mkdir(parents=True)
    (tmp_path / "mine/experiment/study.yaml").write_text(f"# @package _global_\n{text}\n")
    outcome = command("train", "--config-dir", "mine", "experiment=study")
    assert outcome.status == 2
    assert expected in outcome.err


def test_a_run_folder_that_cannot_be_made_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = command("test", "network=bicubic", "hydra.run.dir=file/run")
    assert outcome.status == 2
    assert "hydra.run.dir" in outcome.err


@pytest.mark.parametrize("name", ["train", "test", "upscale"])
def test_help_shows_the_groups_as_the_map_of_the_field(command: Command, name: str) -> None:
    outcome = command(name, "--help")
    assert outcome.status == 0
    for group in ("framework: ", "backbone: ", "upsampler: ", "network: "):
        assert group in outcome.out


@pytest.mark.parametrize(
    ("typed", "offered"), [("network=edsr_b", "network=edsr_baseline"), ("backbone.bl", "backbone.blocks=")]
)
def test_the_tab_key_completes_choices_and_numbers(typed: str, offered: str) -> None:
    train = Path(sys.executable).with_name("srlab-train")
    line = f"srlab-train {typed}"
    environment = {**os.environ, "COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_CWORD": "1"}
    query = subprocess.run([train, "-sc", "query=bash"], env=environment, check=True, capture_output=True, text=True)
    assert query.stdout.split() == [offered]


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        (["-m", "hydra/launcher=basic", "seed=1,2", "trainer.devices=2"], "hydra/launcher=isolated"),
        (["-m", "hydra/launcher=joblib", "seed=1,2", "trainer=sharded"], "hydra/launcher=isolated"),
        (["trainer.strategy=ddp_spawn"], "trainer.strategy=ddp"),
        (["trainer.strategy=fsdp"], "trainer=sharded"),
    ],
)
def test_processes_that_would_go_wrong_in_silence_are_refused(
    command: Command, arguments: list[str], way_out: str
) -> None:
    outcome = command("train", *arguments)
    assert (outcome.status, way_out in outcome.err) == (2, True), outcome.err
