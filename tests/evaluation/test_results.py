"""The results file: its columns, its means, and what is never compared."""

import csv
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from srlab.errors import InputError
from srlab.evaluation.photographs import PhotographProtocol
from srlab.evaluation.results import (
    Result,
    Score,
    compare,
    mean_scores,
    print_means,
    rank,
    read_results,
    results_of,
    write_results,
)

Protocols = Callable[..., PhotographProtocol]

SCORES = [
    Score("set5", "baby", "psnr_y", 37.0, "dB", 0.5),
    Score("set5", "baby", "lpips", 0.1, "", 0.5),
    Score("set5", "bird", "psnr_y", 36.5, "dB", 0.7),
    Score("set5", "bird", "lpips", 0.2, "", 0.7),
    Score("set14", "bridge, old", "psnr_y", 26.0, "dB", 0.3),
]


def written_results(
    tmp_path: Path, protocol: PhotographProtocol, network: str, shift: float, scale: int = 2, weights: str | None = None
) -> list[Result]:
    scores = [score._replace(value=score.value + shift) for score in SCORES]
    results = results_of(scores, protocol, network, scale, weights)
    write_results(tmp_path / f"{network}.csv", results)
    return results


def test_the_file_has_the_contracts_columns_and_rows(tmp_path: Path, protocol: Protocols) -> None:
    classical = protocol("classical_y")
    written = written_results(tmp_path / "new" / "folder", classical, "edsr", 0.0, weights="edsr.pt")
    path = tmp_path / "new" / "folder" / "edsr.csv"
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    assert ",".join(header) == ("dataset,image,metric,value,unit,protocol,protocol_hash,network,scale,weights,seconds")
    assert rows[0][:10] == [
        "set5", "baby", "psnr_y", "37.0", "dB", "classical_y", classical.hash, "edsr", "2", "edsr.pt",
    ]  # fmt: skip
    assert [row[:4] for row in rows if row[1] == "mean"] == [
        ["set5", "mean", "psnr_y", "36.75"],
        ["set5", "mean", "lpips", repr((0.1 + 0.2) / 2)],
        ["set14", "mean", "psnr_y", "26.0"],
    ]
    assert read_results(path) == written
    assert [file.name for file in path.parent.iterdir()] == ["edsr.csv"]


def test_means_are_of_images_and_of_time() -> None:
    means = mean_scores([*SCORES, *mean_scores(SCORES)])
    assert [(m.dataset, m.metric, m.value, m.seconds) for m in means[:1]] == [("set5", "psnr_y", 36.75, 0.6)]
    assert mean_scores([Score("a", "b", "psnr", math.inf, "dB", 0)])[0].value == math.inf


def test_ranking_knows_which_way_is_better(tmp_path: Path, protocol: Protocols) -> None:
    classical = protocol("classical_y")
    both = written_results(tmp_path, classical, "low", 0.0) + written_results(tmp_path, classical, "high", 0.5)
    assert [result.network for result in rank(both, "psnr_y", "set5", 2)] == ["high", "low"]
    assert [result.network for result in rank(both, "lpips", "set5", 2)] == ["low", "high"]
    with pytest.raises(InputError, match="x3"):
        rank(both, "psnr_y", "set5", 3)


def test_what_is_no_number_ranks_last(tmp_path: Path, protocol: Protocols) -> None:
    classical = protocol("classical_y")
    shifts = {"broken": math.nan, "low": 0.0, "broken too": math.nan, "high": 0.5}
    rows = [row for name, shift in shifts.items() for row in written_results(tmp_path, classical, name, shift)]
    for metric, order in (("psnr_y", ["high", "low"]), ("lpips", ["low", "high"])):
        assert [row.network for row in rank(rows, metric, "set5", 2)] == [*order, "broken", "broken too"]


def test_comparison_says_what_is_better(tmp_path: Path, protocol: Protocols) -> None:
    classical = protocol("classical_y")
    ours, theirs = (
        written_results(tmp_path, classical, "ours", 0.25),
        written_results(tmp_path, classical, "theirs", 0.0),
    )
    differences = {(d.dataset, d.metric): (round(d.value, 6), d.better) for d in compare(ours, theirs)}
    assert differences == {
        ("set5", "psnr_y"): (0.25, True),
        ("set5", "lpips"): (0.25, False),
        ("set14", "psnr_y"): (0.25, True),
    }
    with pytest.raises(InputError, match="in common"):
        compare(ours, written_results(tmp_path, classical, "x3", 0.0, scale=3))


def test_two_protocols_are_never_compared(tmp_path: Path, protocol: Protocols) -> None:
    ours = written_results(tmp_path, protocol("classical_y"), "ours", 0.0)
    theirs = written_results(tmp_path, protocol("classical_y", round_y=True), "theirs", 0.0)
    for refused in (
        lambda: compare(ours, theirs),
        lambda: rank(ours + theirs, "psnr_y", "set5", 2),
        lambda: print_means(ours + theirs),
    ):
        with pytest.raises(InputError, match="different protocols"):
            refused()


def test_the_printed_table_shows_every_mean(tmp_path: Path, protocol: Protocols) -> None:
    console = Console(width=120, record=True, file=(tmp_path / "out").open("w"))
    print_means(written_results(tmp_path, protocol("classical_y"), "edsr", 0.0), console)
    text = console.export_text()
    for part in ("classical_y", protocol("classical_y").hash, "psnr_y [dB]", "36.750", "0.1500", "set14", "26.000"):
        assert part in text


@pytest.mark.parametrize("width", [60, 120])
def test_a_table_that_is_wider_than_the_terminal_goes_down(tmp_path: Path, protocol: Protocols, width: int) -> None:
    names = ["rmse", "mad", "edge_rmse", "bad"]
    scores = [Score("middlebury", "one", name, number, "levels", 0.1) for number, name in enumerate(names)]
    console = Console(width=width, record=True, file=(tmp_path / "out").open("w"))
    print_means(results_of(scores, protocol("classical_y"), "fdkn", 8, None), console)
    text = console.export_text()
    assert all(f"{name} [levels]" in text for name in names)
    assert max(map(len, text.splitlines())) <= width


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such"):
        read_results(tmp_path / "absent.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="expected the columns"):
        read_results(tmp_path / "other.csv")
    header = "dataset,image,metric,value,unit,protocol,protocol_hash,network,scale,weights,seconds\n"
    (tmp_path / "cut.csv").write_text(header + "set5,baby,psnr_y,3x,dB,p,h,n,2,,0.1\n")
    with pytest.raises(InputError, match="line 2"):
        read_results(tmp_path / "cut.csv")
