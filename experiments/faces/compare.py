"""Gather the tests of several runs into a results file, and print each beside the first of them, face by face.

python experiments/faces/compare.py <results.csv> <folder of a test>...

A run is called as its test's folder. The file keeps the rows of other runs.
"""

import sys
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

from srlab.evaluation.results import MEAN, Result, read_results, write_results

COMPARED = ("psnr_y", "nme", "descriptor", "identity", "mesh_nme", "detected")


def main(path: str, *tests: str) -> None:
    """Print means, and their differences from the first test's with the standard errors of paired faces."""
    rows = {Path(test).name: read_results(Path(test) / "results.csv") for test in tests}
    scores = {name: by_face(found) for name, found in rows.items()}
    reference = next(iter(scores.values()))
    for name, found in scores.items():
        print(name)
        for metric in COMPARED:
            values = found[metric]
            changes = [values[face] - first for face, first in reference[metric].items()]
            error = stdev(changes) / sqrt(len(changes))
            print(f"  {metric} {fmean(values.values()):.4f}, minus the first's: {fmean(changes):+.4f} +- {error:.4f}")
    means = [
        replace(row, network=name, weights="", value=round(row.value, 4), seconds=round(row.seconds, 3))
        for name, found in rows.items()
        for row in found
        if row.image == MEAN
    ]
    others = [row for row in read_results(path) if row.network not in rows] if Path(path).is_file() else []
    write_results(path, [*others, *means])


def by_face(rows: list[Result]) -> dict[str, dict[str, float]]:
    """The values of each metric by faces."""
    scores: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.image != MEAN:
            scores.setdefault(row.metric, {})[row.image] = row.value
    return scores


if __name__ == "__main__":
    main(*sys.argv[1:])
