"""A page for each learning paradigm: what it is, its configuration, experiments, guides, and studies with pictures."""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from docs.site import reference

ROOT = reference.ROOT
NAMES = sorted(path.stem for path in (ROOT / "conf/paradigm").glob("*.yaml"))
DEMO = "![LR, bicubic, SR and HR](../demo.png)\n\n*What `make demo` trains.*\n"


def mentions(text: str, name: str) -> bool:
    """Whether a text is about a paradigm: names it, or one of its experiments."""
    typed = [f"paradigm={name}", *(f"experiment={path.stem}" for path in experiments(name))]
    return any(re.search(rf"{word}\b", text) for word in typed)


def experiments(name: str) -> list[Path]:
    """The experiments that train by a paradigm, those that start from one of them included."""
    found: list[Path] = []
    everything = sorted((ROOT / "conf/experiment").glob("*.yaml"))
    for _ in range(3):
        words = [f"override /paradigm: {name}\n", *(f"  - {path.stem}\n" for path in found)]
        found = [path for path in everything if any(word in path.read_text(encoding="utf-8") for word in words)]
    return found


def studies(name: str) -> list[Path]:
    """The folders of studies that are about a paradigm."""
    found = []
    for readme in sorted((ROOT / "experiments").glob("*/README.md")):
        texts = [path.read_text(encoding="utf-8") for path in (readme, *sorted(readme.parent.glob("*.sh")))]
        if any(mentions(text, name) for text in texts):
            found.append(readme.parent)
    return found


def pictures() -> Iterator[Path]:
    """What the pages show."""
    for name in NAMES:
        for study in studies(name):
            yield from sorted(study.glob("*.png"))


def sections(name: str) -> Iterator[str]:
    """A paradigm's page."""
    config = (ROOT / f"conf/paradigm/{name}.yaml").read_text(encoding="utf-8")
    target = (re.search(r"_target_: (\S+)", config) or ["", ""])[1]
    module, _, class_name = target.rpartition(".")
    source = ROOT / "src" / (module.replace(".", "/") + ".py")
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    yield f"# `paradigm={name}`\n\n{docstring}\n"
    guides = [
        path.name for path in sorted((ROOT / "docs").glob("*.md")) if mentions(path.read_text(encoding="utf-8"), name)
    ]
    if guides:
        yield "How to use it: " + ", ".join(f"[{guide.removesuffix('.md')}](../{guide})" for guide in guides) + ".\n"
    if name == "supervised":
        yield DEMO
    for study in studies(name):
        text = (study / "README.md").read_text(encoding="utf-8")
        short = re.search(r"\*\*In short\.\*\* (.+?)\n\n", text, re.DOTALL)
        link = os.path.relpath(study, ROOT)
        yield f"## {text.partition(chr(10))[0][2:]}\n\n{short[1] if short else ''} [The study](../{link}/README.md)\n"
        yield from (
            f"![{picture.stem.replace('_', ' ')}](../{link}/{picture.name})\n"
            for picture in sorted(study.glob("*.png"))
        )
    if experiments(name):
        yield "## Experiments\n"
        for path in experiments(name):
            told = [
                line[2:]
                for line in path.read_text(encoding="utf-8").splitlines()
                if line.startswith("# ") and "@package" not in line
            ]
            yield f"- `experiment={path.stem}`: {' '.join(told)}"
    yield f"\n## Configuration\n\n~~~~yaml\n{config}~~~~\n"
    yield f"## The class\n\n[{class_name}](../{reference.place_of(module)}#{target})\n"


def pages() -> dict[str, str]:
    """The pages by their places."""
    lines = []
    made = {}
    for name in NAMES:
        made[f"paradigms/{name}.md"] = "\n".join(sections(name))
        lines.append(f"| [`{name}`]({name}.md) | {made[f'paradigms/{name}.md'].splitlines()[2]} |")
    head = "# Paradigms\n\nWhat a network learns from: `paradigm=<name>`.\n\n| paradigm | |\n|---|---|\n"
    return {"paradigms/index.md": head + "\n".join(lines) + "\n"} | made
