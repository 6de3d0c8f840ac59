"""The survey's taxonomy as a page: each of its words, and the classes that stand for it, with links to their code."""

import ast
from collections.abc import Iterator

from docs.site import reference
from srlab import taxonomy

HEAD = """# Where each part stands in the survey

*Deep Learning for Image Super-resolution: A Survey* (Wang, Chen, Hoi; arXiv 1902.06068) orders the field by the parts
of a model. Each of its words below with the classes that stand for it, and what picks them: made from
`srlab.taxonomy` and `conf/`. `srlab-describe` says the same of any composition, [costs.md](costs.md) of all networks.
"""
TABLES = {
    "Frameworks (section 3.1)": taxonomy.FRAMEWORKS,
    "Upsampling (section 3.2)": taxonomy.UPSAMPLERS,
    "Network design (section 3.3)": taxonomy.DESIGNS,
}


def homes() -> dict[str, str]:
    """The module of each class of srlab's networks."""
    found: dict[str, str] = {}
    for path in sorted((reference.SOURCE / "networks").rglob("*.py")):
        module = ".".join(["srlab", *path.relative_to(reference.SOURCE).with_suffix("").parts])
        found |= {node.name: module for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)}
    return found


def choices(module: str, name: str) -> Iterator[str]:
    """What to type to have a class: the choices whose target it is, and the networks that pick such a backbone."""
    conf = reference.ROOT / "conf"
    for path in sorted(conf.rglob("*.yaml")):
        if f"_target_: {module}.{name}\n" not in path.read_text(encoding="utf-8"):
            continue
        yield f"`{path.parent.name}={path.stem}`"
        if path.parent.name == "backbone":
            picked = f"override /backbone: {path.stem}\n"
            yield from (
                f"`network={one.stem}`"
                for one in sorted((conf / "network").glob("*.yaml"))
                if picked in one.read_text()
            )


def table(words: dict[str, str], where: dict[str, str]) -> Iterator[str]:
    for word in dict.fromkeys(words.values()):
        names = [name for name, told in words.items() if told == word]
        links = [f"[{name}]({reference.place_of(where[name])}#{where[name]}.{name})" for name in names]
        typed = dict.fromkeys(choice for name in names for choice in choices(where[name], name))
        yield f"| {word} | {', '.join(links)} | {', '.join(typed)} |"


def pages() -> dict[str, str]:
    """The page, by its place."""
    where = homes()
    parts = [HEAD]
    for title, words in TABLES.items():
        parts += [f"\n## {title}\n", "| the survey's word | classes | choices |\n|---|---|---|", *table(words, where)]
    return {"taxonomy.md": "\n".join(parts) + "\n"}
