"""The reference: a page for each module of srlab, from its docstrings, and one that lists them all."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/srlab"


def modules() -> dict[str, str]:
    """Every public module and the first line of its docstring, packages before what they hold."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py"), key=lambda path: (path.parent, path.name != "__init__.py", path.name)):
        parts = ["srlab", *path.relative_to(SOURCE).with_suffix("").parts]
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        found[name] = (docstring or "").partition("\n")[0]
    return found


def place_of(module: str) -> str:
    """The page of a module."""
    return f"reference/{module}.md"


def pages() -> dict[str, str]:
    """The pages by their places."""
    bar = r"\|"
    lines = [f"| [{name}]({name}.md) | {told.replace('|', bar)} |" for name, told in modules().items()]
    made = {place_of(name): f"# {name}\n\n::: {name}\n" for name in modules()}
    return {"reference/index.md": "# Reference\n\n| module | |\n|---|---|\n" + "\n".join(lines) + "\n"} | made
