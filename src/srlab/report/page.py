"""One HTML page that needs nothing else: data, script, style and plotting library are in it."""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from srlab.errors import InputError
from srlab.evaluation.metrics import higher_is_better
from srlab.report.gather import Row, Run
from srlab.report.names import short_names


def page(title: str, runs: Sequence[Run], table: Sequence[Row], images: Sequence[dict[str, Any]]) -> str:
    """The page's text.

    Raises:
        InputError: plotly is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise InputError("srlab-report draws with plotly: pip install 'srlab[report]'.") from error
    data = {
        "title": title,
        "names": named(table),
        "rows": [described(row) for row in table],
        "runs": [
            {
                "setting": run.setting,
                "seed": run.seed,
                "curves": {name: columns(run.curves[name]) for name in run.curves},
            }
            for run in runs
            if run.curves
        ],
        "images": list(images),
        "lower": sorted({metric for row in table for metric in row.values if not higher_is_better(metric)}),
    }
    parts = {
        "TITLE": title.replace("&", "&amp;").replace("<", "&lt;"),
        "STYLE": part("page.css"),
        "PLOTLY": get_plotlyjs().replace("</script", "<\\/script"),
        "DATA": json.dumps(data, allow_nan=False, default=str).replace("</", "<\\/"),
        "SCRIPT": part("page.js"),
    }
    text = part("page.html")
    for name, content in parts.items():
        before, after = text.split(f"@{name}@")  # not re: contents hold backslashes
        text = before + content + after
    return text


def part(name: str) -> str:
    return (files("srlab.report") / name).read_text(encoding="utf-8")


def named(table: Sequence[Row]) -> dict[str, str]:
    """The short name of each setting; what is not there is called by its full name."""
    own = list(dict.fromkeys(row.parts for row in table if row.own))
    return dict(zip((" ".join(parts) for parts in own), short_names(own), strict=True))


def columns(curve: Sequence[tuple[int, float]]) -> tuple[list[int], list[float | None]]:
    """Iterations and values, to the five digits that a plot can show."""
    return [x for x, _ in curve], [finite(float(f"{y:.5g}")) for _, y in curve]


def described(row: Row) -> dict[str, Any]:
    """A row as JSON can hold it: what is no number is null."""
    return {
        "setting": row.setting,
        "table": f"{row.dataset} x{row.scale}, {row.protocol} ({row.protocol_hash})",
        "values": {
            metric: {"mean": finite(mean), "sd": None if sd is None else finite(sd), "unit": unit}
            for metric, (mean, sd, unit) in row.values.items()
        },
        "seconds": finite(row.seconds),
        "seeds": row.seeds,
        "folders": row.folders,
        "parameters": row.parameters,
        "multiply_adds": row.multiply_adds,
    }


def finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
