"""Scores, the file they are kept in, and what may be compared with what."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean
from typing import IO, Any, NamedTuple

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from srlab.errors import InputError
from srlab.evaluation.metrics import best_first, higher_is_better
from srlab.evaluation.protocol import Protocol
from srlab.files import write_atomically

MEAN = "mean"


class Score(NamedTuple):
    """One metric of one image, or the mean of a set.

    Attributes:
        dataset: the set's name.
        image: the image's name; `mean` for the mean of the set's images, and for what is said of them together.
        metric: its name ("psnr_y").
        value: in `unit`.
        unit: "dB", or "" for a pure number.
        seconds: that the network took for the image; for a mean, the mean.
    """

    dataset: str
    image: str
    metric: str
    value: float
    unit: str
    seconds: float


@dataclass(frozen=True)
class Result:
    """A row of `results.csv`: its fields are the columns, in this order."""

    dataset: str
    image: str
    metric: str
    value: float
    unit: str
    protocol: str
    protocol_hash: str
    network: str
    scale: int
    weights: str
    seconds: float


COLUMNS = tuple(field.name for field in fields(Result))


class Difference(NamedTuple):
    """Our mean minus theirs, and whether that is to our favour."""

    dataset: str
    metric: str
    scale: int
    value: float
    better: bool


def mean_scores(scores: Iterable[Score]) -> list[Score]:
    """The mean of each dataset and metric over its images, in the order in which they first come."""
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for score in scores:
        if score.image != MEAN:
            groups.setdefault((score.dataset, score.metric, score.unit), []).append(score)
    return [
        Score(dataset, MEAN, metric, fmean(s.value for s in group), unit, fmean(s.seconds for s in group))
        for (dataset, metric, unit), group in groups.items()
    ]


def all_scores(protocol: Protocol, judged: Sequence[tuple[list[Score], Any]]) -> list[Score]:
    """Every image's scores, then what can be said of each set only as a whole, as further means of it.

    Args:
        protocol: that judged the images.
        judged: each image's scores and traits.
    """
    sets: dict[str, list[tuple[float, Any]]] = {}
    for scores, traits in judged:
        if traits is not None:
            sets.setdefault(scores[0].dataset, []).append((scores[0].seconds, traits))
    return [score for scores, _ in judged for score in scores] + [
        Score(dataset, MEAN, name, value, protocol.facts(name).unit, fmean(seconds for seconds, _ in members))
        for dataset, members in sets.items()
        for name, value in protocol.of_set([traits for _, traits in members]).items()
    ]


def results_of(
    scores: Sequence[Score], protocol: Protocol, network: str | None, scale: int, weights: str | None = None
) -> list[Result]:
    """The rows of one network: every image's scores, then the means, then what is said of the sets."""

    def whose(score: Score) -> int:
        return 0 if score.image != MEAN else 2 if score in of_sets else 1

    of_sets = {score for score in scores if score.image == MEAN}
    return [
        Result(
            dataset=score.dataset,
            image=score.image,
            metric=score.metric,
            value=score.value,
            unit=score.unit,
            protocol=protocol.name,
            protocol_hash=protocol.hash,
            network=network or "",
            scale=scale,
            weights=weights or "",
            seconds=score.seconds,
        )
        for score in sorted([*scores, *mean_scores(scores)], key=whose)
    ]


def write_results(path: str | Path, results: Sequence[Result]) -> None:
    """Write rows as `results.csv`: the file is there whole, or not at all."""
    write_atomically(Path(path), lambda file: _write_rows(file, results))


def read_results(path: str | Path) -> list[Result]:
    """Read what `write_results` wrote.

    Raises:
        InputError: the file is missing, or its columns or values are others.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such results file. A test writes it into its run folder.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InputError(f"{path}: expected the columns {','.join(COLUMNS)}, got {reader.fieldnames}. Test again.")
        return [_parse(path, reader.line_num, row) for row in reader]


def rank(results: Iterable[Result], metric: str, dataset: str, scale: int) -> list[Result]:
    """The means of a dataset, metric and scale, best first, and those that are no number last.

    Raises:
        InputError: there are none, or they were scored under two protocols.
    """
    means = [r for r in results if (r.image, r.metric, r.dataset, r.scale) == (MEAN, metric, dataset, scale)]
    if not means:
        raise InputError(f"There is no mean of {metric} on {dataset} at x{scale} among the results: test on it first.")
    one_protocol(means)
    return sorted(means, key=lambda result: best_first(result.value, higher_is_better(metric)))


def compare(ours: Iterable[Result], theirs: Iterable[Result]) -> list[Difference]:
    """Ours minus theirs, for every mean that both have.

    Raises:
        InputError: they have none in common, or were scored under two protocols.
    """
    ours_by = {(r.dataset, r.metric, r.scale): r for r in ours if r.image == MEAN}
    theirs_by = {(r.dataset, r.metric, r.scale): r for r in theirs if r.image == MEAN}
    both = [key for key in ours_by if key in theirs_by]
    if not both:
        raise InputError("The two results have no dataset, metric and scale in common: test both on the same sets.")
    one_protocol([table[key] for key in both for table in (ours_by, theirs_by)])
    differences = []
    for key in both:
        value = ours_by[key].value - theirs_by[key].value
        differences.append(Difference(*key, value, value > 0 if higher_is_better(key[1]) else value < 0))
    return differences


def one_protocol(results: Iterable[Result]) -> None:
    """Refuse results of two protocols (InputError): their numbers do not mean the same."""
    protocols = sorted({(result.protocol, result.protocol_hash) for result in results})
    if len(protocols) > 1:
        names = ", ".join(f"{name} ({digest})" for name, digest in protocols)
        raise InputError(f"Scores of different protocols cannot be compared: {names}. Test again under one of them.")


def print_means(results: Sequence[Result], console: Console | None = None) -> None:
    """Print the means, a line for each network, scale and dataset, a column for each metric; what is too wide goes down.

    Raises:
        InputError: the results are of two protocols.
    """
    means = [result for result in results if result.image == MEAN]
    if not means:
        return
    one_protocol(means)
    metrics = list(dict.fromkeys((result.metric, result.unit) for result in means))
    found: dict[tuple[str, int, str], dict[str, Result]] = {}
    for result in means:
        found.setdefault((result.network, result.scale, result.dataset), {})[result.metric] = result
    headings = ["network", "scale", "dataset", *(_with_unit(*metric) for metric in metrics), "seconds"]
    lines = [
        [
            *(network, f"x{scale}", dataset),
            *(f"{line[m].value:.{3 if unit == 'dB' else 4}f}" if m in line else "" for m, unit in metrics),
            f"{fmean(result.seconds for result in line.values()):.3g}",
        ]
        for (network, scale, dataset), line in found.items()
    ]
    title = f"protocol {means[0].protocol} ({means[0].protocol_hash})"
    console = console or Console()
    across, down = _table(title, [headings, *lines], 3), _table(title, list(zip(headings, *lines, strict=True)), 1)
    room = console.options.update(width=10**4)
    widths = [Measurement.get(console, room, table).maximum for table in (across, down)]
    console.print(down if widths[0] > max(console.width, widths[1]) else across)


def _table(title: str, rows: Sequence[Sequence[str]], names: int) -> Table:
    """A table whose first row is its heading, and whose first columns are names, the others numbers."""
    table = Table(title=title)
    for place, heading in enumerate(rows[0]):
        table.add_column(heading, justify="left" if place < names else "right")
    for row in rows[1:]:
        table.add_row(*row)
    return table


def _with_unit(metric: str, unit: str) -> str:
    return rf"{metric} \[{unit}]" if unit else metric


def _write_rows(file: IO[bytes], results: Sequence[Result]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(result, column) for column in COLUMNS] for result in results)
    text.detach()  # flushes, and leaves the file open for its owner


def _parse(path: Path, line: int, row: dict[str, str]) -> Result:
    try:
        numbers = {"value": float(row["value"]), "scale": int(row["scale"]), "seconds": float(row["seconds"])}
        return Result(**{**row, **numbers})  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}, line {line}: {error}. The file was changed or cut: test again.") from None
