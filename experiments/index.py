"""Write experiments/README.md, the index of all studies: `python experiments/index.py [--check]` (only tell if it is stale).

A study is a folder with a README.md, whose title is its question and which has a paragraph that begins with each of
`**In short.**`, `**Question.**`, `**Command.**`, `**Setting.**` and `**Verdict.**`, and a results.csv. The table of networks
takes each row of a results.csv that says its network, scale and protocol_hash: one row a score (dataset, metric, value; an
image, if named, that is `mean`), or one row a network with columns like `set5_psnr_y`. Seeds are averaged.
"""

import csv
import re
import sys
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

HERE = Path(__file__).parent
PARTS = ("In short", "Question", "Command", "Setting", "Verdict")
SETS = ("set5", "set14", "b100", "urban100", "manga109", "photos")
"""Whose scores have a column, in this order; a table is sorted by the first that it has."""
HEAD = """# Studies

What was learned with srlab. Each study has its question, its one command, its table and its verdict; each number stands
with its protocol. This page is written by `python experiments/index.py` from the studies' READMEs and results files.

"""


class Study(NamedTuple):
    """A study's folder, its question and its verdict in a line."""

    name: str
    question: str
    verdict: str


class Score(NamedTuple):
    """A mean over a dataset. `table` is (scale, protocol, its hash): what may be compared."""

    table: tuple[int, str, str]
    network: str
    study: str
    dataset: str
    metric: str
    value: float


def studies(root: Path) -> list[Study]:
    """All studies by name.

    Raises:
        ValueError: one lacks its results or a paragraph of its README.
    """
    return [study_of(path.parent) for path in sorted(root.glob("*/README.md"))]


def study_of(folder: Path) -> Study:
    text = (folder / "README.md").read_text(encoding="utf-8")
    title = text.partition("\n")[0]
    found = {name: re.search(rf"^\*\*{name}\.\*\* +(.+?)(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL) for name in PARTS}
    missing = [f"a paragraph that begins with **{name}.**" for name, paragraph in found.items() if paragraph is None]
    missing += [] if re.fullmatch(r"# .+\?", title) else ["a title that is its question (# ...?)"]
    missing += [] if (folder / "results.csv").is_file() else ["results.csv"]
    verdict = found["In short"]
    if missing or verdict is None:
        raise ValueError(f"{folder.name}: a study has {', '.join(missing)}: see CONTRIBUTING.md, Studies.")
    return Study(folder.name, title[2:], " ".join(verdict[1].split()))


def scores_of(folder: Path) -> Iterator[Score]:
    """The mean scores of a study's networks that were made under a protocol."""
    with (folder / "results.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not all(row.get(name) for name in ("network", "scale", "protocol_hash")):
                continue
            table = int(row["scale"]), row["protocol"], row["protocol_hash"]
            network = re.sub(r", seed \d+$", "", row["network"])
            if "value" not in row:
                for column in [name for name in row if name.partition("_")[0] in SETS and row[name]]:
                    dataset, _, metric = column.partition("_")
                    yield Score(table, network, folder.name, dataset, metric, float(row[column]))
            elif row.get("image", "mean") == "mean":
                yield Score(table, network, folder.name, row["dataset"], row["metric"], float(row["value"]))


def cell(psnr: list[float], ssim: list[float]) -> str:
    """PSNR / SSIM: means over seeds, with PSNR's standard deviation where there are several."""
    varied = len(psnr) > 1 and isfinite(fmean(psnr))
    spread = f" ± {stdev(psnr):.2f}" if varied and stdev(psnr) >= 0.005 else ""
    return f"{fmean(psnr):.2f}{spread}" + (f" / {fmean(ssim):.4f}" if ssim else "") if psnr else ""


def networks(scores: list[Score]) -> Iterator[str]:
    """A ranked table of lines for each scale and protocol hash."""
    for table in sorted({score.table for score in scores if score.dataset in SETS}):
        groups: dict[tuple[str, str], dict[tuple[str, str], list[float]]] = {}
        for score in scores:
            if score.table == table and score.dataset in SETS:
                values = groups.setdefault((score.network, score.study), {})
                values.setdefault((score.dataset, score.metric.partition("_")[0]), []).append(score.value)
        sets = [name for name in SETS if any((name, "psnr") in values for values in groups.values())]
        lines: dict[tuple[str, ...], list[str]] = {}  # what several studies measured alike is one line
        for (network, study), values in sorted(groups.items(), key=lambda one: best_first(one[1], sets)):
            cells = [cell(values.get((name, "psnr"), []), values.get((name, "ssim"), [])) for name in sets]
            lines.setdefault((network, *cells), []).append(f"[{study}]({study})")
        scale, protocol, digest = table
        yield f"\n### x{scale}, {protocol} ({digest})\n"
        yield f"| network | {' | '.join(sets)} | study |\n{'|---' * (len(sets) + 2)}|"
        for cells_of, where in lines.items():
            yield f"| {' | '.join(cells_of)} | {', '.join(where)} |"


def best_first(values: dict[tuple[str, str], list[float]], sets: list[str]) -> tuple[tuple[bool, float], ...]:
    """By mean PSNR on the first set, then on the next: the highest first, what was not measured last."""
    means = [fmean(values.get((name, "psnr"), [float("-inf")])) for name in sets]
    return tuple((not mean > float("-inf"), -mean if mean > float("-inf") else 0.0) for mean in means)


def index(root: Path = HERE) -> str:
    """The text of README.md for the studies in a folder."""
    found = studies(root)
    lines = [f"| [{one.name}]({one.name}) | {one.question} | {one.verdict} |" for one in found]
    table = networks([score for one in found for score in scores_of(root / one.name)])
    told = (
        "PSNR in dB / SSIM, means over a dataset and over seeds. Studies differ in data, size and length of training:\n"
    )
    told += "a table says what was reached, a study's page under what conditions."
    parts = ["| study | question | verdict |\n|---|---|---|", *lines, "\n## All networks\n", told, *table]
    return HEAD + "\n".join(parts) + "\n"


def main(*arguments: str) -> int:
    """Write the index, or with `--check` leave it and return 1 where it is stale."""
    path, text = HERE / "README.md", index()
    if "--check" not in arguments:
        path.write_text(text, encoding="utf-8")
    return int(path.read_text(encoding="utf-8") != text)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
