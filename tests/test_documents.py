"""Every command and snippet of the README and the documents is composed, and run where a test can."""

import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command, composed
from tests.documents import (
    BEFORE,
    COMMANDS,
    PAGES,
    Line,
    build_world,
    first_of_sweep,
    lines_of,
    prepare,
    tiny,
)

LINES = [line for page in PAGES for line in lines_of(page)]
TRAINING = "srlab-train network=edsr_baseline scale=2 data=folder data.root=photos"


@pytest.fixture(autouse=True)
def _own_parts_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples/own_parts"))


def check_other(words: list[str]) -> None:
    """A command that is not srlab's: what it names is there."""
    if words[0] == "make":
        assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), f"no target {words[1]}"
    elif words[0] == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        named = re.search(r"\[(\w+)\]", words[-1])
        assert words[1] == "install"
        assert named is None or named[1] in extras
    elif words[0] == "python":
        files = [word for word in words if word.endswith(".py")]
        assert all((ROOT / file).is_file() for file in files), files
    else:
        assert words[0] in {
            "export",
            "cd",
            "torchrun",
            "wandb",
            "srun",
            "mkdocs",
            "pytest",
            "scontrol",
            *os.listdir(ROOT),
        }, words


@pytest.mark.parametrize("line", [line for line in LINES if line.kind == "sh"], ids=str)
def test_a_command_composes(line: Line) -> None:
    words = line.words
    words = words[words.index("srlab-train") :] if words and words[0] == "srun" else words
    if words and words[0] == "srlab-plan":  # takes a training's line, and options of its own
        words = ["srlab-train", *(word for word in words if "=" in word)]
    if not words or words[0] not in COMMANDS:
        return check_other(words) if words else None
    assert COMMANDS[words[0]] in {"sweep", "tracking.command"} or words[0].removeprefix("srlab-") in COMMANDS[words[0]]
    if words[0] in {"srlab-sweep", "srlab-wandb"} or (
        re.search(r"<\w+>", line.text.replace("<date>", "")) and line.inline
    ):
        return None
    bare = [word if word.startswith(("-", "~")) or "=" in word else f"runs={word}" for word in words[1:]]
    composed(words[0].removeprefix("srlab-"), first_of_sweep(bare))
    return None


class World:
    """A page's folder, in which its lines run one after the other."""

    def __init__(self, folder: Path, command: Command) -> None:
        self.folder, self.command, self.done = folder, command, 0
        build_world(folder)
        command.folder = folder
        self.run(f"{TRAINING} hydra.run.dir=runs/train/one")

    def run(self, text: str) -> None:
        words = shlex.split(text, comments=True)
        prepare(self.folder, words)
        self.done += 1
        if words[0] not in {"srlab-train", "srlab-sweep"} and "hydra.run.dir" not in text:  # folders bear the second
            words = [*words, f"hydra.run.dir=runs/others/{self.done}"]
        outcome = self.command(COMMANDS[words[0]], *words[1:], *tiny(words))
        assert outcome.status == 0, f"{' '.join([*words, *tiny(words)])}\n{outcome.out[-500:]}\n{outcome.err[-3000:]}"

    def follow(self, line: Line) -> None:
        """Run a line of a page, and first what another page ran before it."""
        if line.kind == "python":
            text = line.text.replace("<date>", "one")
            exec(compile(text, str(line), "exec"), {"__name__": "snippet"})
            return
        words = line.words
        if line.reason or not words or words[0] not in COMMANDS:
            return
        for run, before in BEFORE.items():
            name = run.partition("=")[2] or run
            makes = f"hydra.run.dir={name}" in words
            if run in line.text and not makes and not (self.folder / name).exists():
                self.run(before)
        self.run(shlex.join(words))


def followed(page: str, folder: Path, command: Command, first: int = 1000) -> None:
    world = World(folder / "world", command)
    os.chdir(world.folder)
    for line in [line for line in lines_of(page) if not line.inline][:first]:
        world.follow(line)


def test_the_start_of_the_readme_runs(tmp_path: Path, command: Command) -> None:
    """What a newcomer types first: train, test, enlarge, export, report, kernel."""
    start = [line for line in lines_of("README.md") if not line.inline]
    last = next(place for place, line in enumerate(start) if line.text.startswith("srlab-kernel"))
    followed("README.md", tmp_path, command, last + 1)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(not line.inline for line in lines_of(page))])
def test_a_page_runs(page: str, tmp_path: Path, command: Command) -> None:
    followed(page, tmp_path, command)


def test_a_mistake_is_found(tmp_path: Path) -> None:
    page = "docs/x.md"
    text = "Say `srlab-train netwrk=edsr`.\n\n```sh\nsrlab-train network=edsr \\\n    scale=2,3 -m   # a sweep\n```\n"
    (tmp_path / "docs").mkdir()
    (tmp_path / page).write_text(text)
    block, sentence = lines_of(str(tmp_path / page))
    assert (block.number, block.words) == (4, ["srlab-train", "network=edsr", "scale=2,3", "-m"])
    assert first_of_sweep(block.words[1:]) == ["network=edsr", "scale=2"]
    assert (sentence.number, sentence.inline) == (1, True)
    with pytest.raises(Exception, match="netwrk"):
        composed("train", first_of_sweep(sentence.words[1:]))
