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
    "scale that the network cannot do": (["scale=5"], "scale=5"),
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


def test_a_sweep_of_multi_device_jobs_in_one_process_is_refused(command: Command) -> None:
    outcome = command("train", "-m", "seed=1,2", "trainer.devices=2")
    assert outcome.status == 2
    assert "trainer.devices=1" in outcome.err
