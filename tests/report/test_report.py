"""`srlab-report`: what is gathered, and what a browser makes of the page."""

import csv
import json
import math
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from srlab.evaluation.results import Result, write_results
from srlab.report.gather import cost_of, curves_of, find_runs, leaderboard, thinned
from srlab.report.names import parts_of, short_names
from srlab.report.page import named, page
from tests.conftest import TINY, Command

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)


def result(network: str, value: float, digest: str = "aa", metric: str = "psnr_y", image: str = "mean") -> Result:
    unit = "dB" if metric.startswith("psnr") else ""
    return Result("set5", image, metric, value, unit, "classical_y", digest, network, 2, "", 0.5)


def write_run(folder: Path, network: str, overrides: list[str], seed: int, results: list[Result]) -> None:
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra/overrides.yaml").write_text(yaml.safe_dump(overrides))
    (folder / "config.yaml").write_text(yaml.safe_dump({"network_name": network, "seed": seed}))
    write_results(folder / "results.csv", results)
    with (folder / "metrics.csv").open("w", newline="") as file:
        rows = [(step, "val/psnr_y", 20 + step / 100 + seed) for step in range(1, 1000)]
        csv.writer(file).writerows(
            [("iteration", "metric", "value"), *rows, (5, "val/set5/psnr_y", 1.0), (5, "lr", 1.0)]
        )


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Two settings of two and one seeds, each beside bicubic; one run under another protocol, one damaged."""
    folder = tmp_path / "sweep"
    bicubic = result("bicubic", 30.0)
    for seed, value in ((1, 33.0), (2, 35.0)):
        write_run(folder / f"a{seed}", "edsr", ["network=edsr", "optimizer.lr=1e-4", f"seed={seed}"], seed, [
            result("edsr", value), result("edsr", 0.9, metric="lpips"), result("edsr", 1.0, image="baby"), bicubic
        ])  # fmt: skip
    write_run(folder / "b", "edsr", ["network=edsr", "optimizer.lr=1e-3", "seed=1"], 1, [result("edsr", 34.5), bicubic])
    write_run(folder / "c", "edsr", ["network=edsr", "protocol=rgb"], 1, [result("edsr", 40.0, digest="bb")])
    (folder / "d").mkdir()
    (folder / "d/results.csv").write_text("torn")
    return folder


def test_what_is_no_number_comes_last_on_the_leaderboard(tmp_path: Path) -> None:
    for name, value in (("a", math.nan), ("b", 30.0), ("c", math.nan), ("d", 31.0)):
        write_run(tmp_path / name, name, [f"network={name}"], 1, [result(name, value)])
    write_run(tmp_path / "a2", "a", ["network=a", "seed=2"], 2, [result("a", 32.0)])  # does not make up for the first
    table = leaderboard(find_runs(tmp_path))
    assert [(row.setting, row.seeds) for row in table] == [("d", 1), ("b", 1), ("a", 2), ("c", 1)]
    assert page("sweep", [], table, [])


def test_settings_are_means_over_seeds_and_hashes_are_never_of_one_table(sweep: Path) -> None:
    runs = find_runs(sweep)
    assert [run.folder.name for run in runs] == ["a1", "a2", "b", "c"]
    table = leaderboard(runs)
    assert [(row.protocol_hash, row.setting, row.seeds) for row in table] == [
        ("aa", "edsr optimizer.lr=1e-3", 1),
        ("aa", "edsr optimizer.lr=1e-4", 2),
        ("aa", "bicubic", 3),
        ("bb", "edsr protocol=rgb", 1),
    ]
    assert named(table) == {
        "edsr optimizer.lr=1e-3": "lr=1e-3",
        "edsr optimizer.lr=1e-4": "lr=1e-4",
        "edsr protocol=rgb": "protocol=rgb",
    }
    mean, sd, unit = table[1].values["psnr_y"]
    assert (mean, unit) == (34.0, "dB")
    assert sd == pytest.approx(2**0.5)
    assert table[0].values["psnr_y"][1] is None
    curves = curves_of(sweep / "a1/metrics.csv")
    assert list(curves) == ["val/psnr_y"]
    assert len(curves["val/psnr_y"]) <= 201
    assert curves["val/psnr_y"][-1] == (999, 20 + 999 / 100 + 1)
    assert thinned([(1, 1.0), (2, 2.0)]) == [(1, 1.0), (2, 2.0)]


def test_a_page_of_five_hundred_runs_is_one_file_without_an_address(sweep: Path, tmp_path: Path) -> None:
    run = find_runs(sweep)[0]
    text = page("</script><b>odd", [run] * 500, leaderboard([run]), [])
    assert len(text) < 12e6
    own = text.replace(text[text.index("<script>") : text.index('<script id="data"')], "")
    assert not re.findall(r"""(?:src|href)=["']?https?:""", own)
    data = json.loads(own[own.index('type="application/json">') + 24 : own.index("</script>")].replace("<\\/", "</"))
    assert data["title"] == "</script><b>odd"
    assert len(data["runs"]) == 500


def test_a_setting_is_called_by_what_tells_it_from_the_others() -> None:
    common = ["network=edsr", "data=folder", "data.root=[/a/b/T91,/a/b/BSDS]", "seed=3", "hydra.run.dir=x"]
    settings = [
        parts_of("edsr", [*common, "optimizer.lr=1e-3", "loss=l1"]),
        parts_of("edsr", [*common, "optimizer.lr=1e-4", "loss=[l1,fft]"]),
        parts_of("edsr", [*common, "loss=l1"]),
    ]
    assert settings[2] == ("edsr", "data.root=[/a/b/T91,/a/b/BSDS]", "data=folder", "loss=l1")
    assert short_names(settings) == ["loss=l1 lr=1e-3", "loss=[l1,fft] lr=1e-4", "loss=l1"]
    assert short_names([*settings, ("vdsr",)])[0] == "edsr root=[T91,BSDS] data=folder loss=l1 lr=1e-3"
    assert short_names(settings[:1]) == ["edsr"]
    assert short_names([]) == []
    assert parts_of("post-rcan-subpixel backbone.blocks=2", ["backbone=rcan", "backbone.blocks=2", "+a.b=1"]) == (
        "post-rcan-subpixel",
        "+a.b=1",
        "backbone.blocks=2",
    )


@pytest.mark.parametrize(
    ("one", "other", "called"),
    [
        ("a.lr=1", "b.lr=1", ["a.lr=1", "b.lr=1"]),  # one last word for two keys
        ("data.root=/x/photos", "data.root=/y/photos", ["root=/x/photos", "root=/y/photos"]),  # one folder name for two
        ("k=" + 40 * "1" + "2", "k=" + 40 * "1" + "3", ["k=" + 40 * "1" + "2", "k=" + 40 * "1" + "3"]),
        ("k=" + 40 * "1", "k=2", ["k=" + 31 * "1" + "…", "k=2"]),
        ("~loss.fft", "seed.x=1", ["~fft", "x=1"]),
    ],
)
def test_no_two_settings_have_one_name(one: str, other: str, called: list[str]) -> None:
    assert short_names([("net", one), ("net", other)]) == called


PROBE = Path(__file__).with_name("probe.js")


def in_a_browser(path: Path) -> tuple[dict[str, Any], str]:
    """What the probe found in the page, and what the console said."""
    assert CHROMIUM is not None
    probed = path.with_name("probed.html")
    probed.write_text(path.read_text().replace("</body>", f"<script>{PROBE.read_text()}</script></body>"))
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--virtual-time-budget=20000",
    ]
    environment = {**os.environ, "HOME": str(path.parent)}
    run = subprocess.run(
        [*command, "--window-size=1400,2200", "--dump-dom", probed.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        check=True,
    )
    found = re.search(r"FOUND(\{.*\})DNUOF</pre>", run.stdout, re.DOTALL)
    assert found, run.stderr[-2000:]
    assert "data-fault" not in run.stdout.split("<main")[0]
    return json.loads(found[1].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")), run.stderr


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")
def test_a_browser_sorts_filters_and_draws(sweep: Path, tmp_path: Path) -> None:
    runs = find_runs(sweep)
    (tmp_path / "report.html").write_text(page("sweep", runs, leaderboard(runs), []))
    found, console = in_a_browser(tmp_path / "report.html")
    assert found["headings"][:3] == ["setting", "psnr_y [dB]", "lpips"]
    assert [value.split()[0] for value in found["down"]] == ["34.500", "34.000", "30.000"]
    assert [value.split()[0] for value in found["up"]] == ["30.000", "34.000", "34.500"]
    assert sorted(found["filtered"]) == ["lr=1e-3", "lr=1e-4"], (
        "the filter knows the full name, the table shows the short one"
    )
    assert found["count"] == "2 of 3 settings"
    assert "edsr optimizer.lr=1e-3" in found["tooltip"]
    assert found["plots"] >= 2
    assert found["traces"] == 4
    assert found["legend"] == ["lr=1e-3", "lr=1e-4", "protocol=rgb"], "the seeds of a setting share a line"
    assert "CONSOLE" not in console or "error" not in console.lower().split("console", 1)[1], console


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")
def test_a_browser_shows_a_sweep_of_five_hundred(tmp_path: Path) -> None:
    for index in range(500):
        lr, seed = f"optimizer.lr={1 + index // 5}e-5", index % 5
        own = result("edsr", 30 + index / 100)
        write_run(tmp_path / f"sweep/{index}", "edsr", ["network=edsr", lr, f"seed={seed}"], seed, [own])
    runs = find_runs(tmp_path / "sweep")
    (tmp_path / "report.html").write_text(page("sweep", runs, leaderboard(runs), []))
    assert (tmp_path / "report.html").stat().st_size < 10e6
    found, _ = in_a_browser(tmp_path / "report.html")
    assert (len(found["down"]), found["traces"], len(found["legend"])) == (100, 50, 10)
    assert found["legend"][0] == "lr=100e-5"
    assert found["all_traces"] == 500


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_a_run_becomes_a_page_with_its_images(command: Command, tmp_path: Path) -> None:
    for seed in (1, 2):
        learning = [*TINY, "network=edsr_baseline", f"seed={seed}", f"hydra.run.dir=runs/{seed}"]
        outcome = command("train", *learning, "data.patch=8")
        assert outcome.status == 0, outcome.err
    outcome = command("report.command", "runs=runs", "output=report.html", "images=2")
    assert outcome.status == 0, outcome.err
    text = (tmp_path / "report.html").read_text()
    assert text.count('"png": "data:image/png') == 2 * 4  # LR, bicubic, one setting, HR
    if CHROMIUM is None:
        return
    found, _ = in_a_browser(tmp_path / "report.html")
    assert found["zoomed"] == [True] * 4, "all pictures follow one"
    assert (found["reset"], found["truth_is_black"], found["wiped"]) == (True, True, True)
    assert found["pareto"] == 2


def test_nothing_to_report_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = command("report.command", "empty")
    assert (outcome.status, "no run with a results.csv" in outcome.err) == (2, True)


def test_the_cost_of_a_guided_network_with_back_projections_is_counted() -> None:
    part = {"_target_": "srlab.networks.guided.fdkn.FDKN", "scale": 4, "widths": [4, 4], "back_projections": 5}
    found = cost_of(json.dumps(part))
    assert found is not None
    assert found.multiply_adds > 0
