"""Dashboards as code: what W&B would be sent for a run and for a sweep, with no account."""

import json
from pathlib import Path
from typing import Any

import pytest

from srlab.errors import InputError
from srlab.sweeps.jobs import DONE, FAILED, Job, Objective, write_job
from srlab.tracking import command
from srlab.tracking.dashboards import as_json, report_of, save, workspace_of
from srlab.tracking.offline import AXIS, Image, OfflineRun


def a_run() -> OfflineRun:
    row = {"val/psnr_y": 30.0, "val/set5/psnr_y": 30.0, "train/loss": 0.1, "train/loss_l1": 0.1, "train/stage": 1.0}
    config = {"paradigm": {"_target_": "srlab.paradigms.supervised.Supervised"}, "units": {"val/psnr_y": "dB"}}
    picture = Image("val/set5/baby", 1, Path("baby.png"), "LR, SR")
    return OfflineRun(project="srlab", config=config, history={1: row, 2: row}, images=[picture])


def a_sweep(folder: Path) -> Path:
    for number, (backbone, value) in enumerate((("edsr", 30.0), ("vdsr", 29.0), ("edsr", 31.0), ("rcan", None))):
        overrides = (f"backbone={backbone}", f"seed={number // 2}")
        job = (
            Job(overrides, FAILED, error="out of memory")
            if value is None
            else Job(overrides, DONE, objective=Objective("val/psnr_y", value, True))
        )
        (folder / f"grid/{number}").mkdir(parents=True)
        write_job(folder / f"grid/{number}", job)
    return folder / "grid"


def test_a_workspace_has_a_panel_for_all_that_a_run_logged() -> None:
    sent = json.loads(as_json(workspace_of(a_run(), "team")))
    assert (sent["entity"], sent["project"], sent["displayName"]) == ("team", "srlab", "srlab: Supervised")
    sections = {section["name"]: section for section in sent["spec"]["section"]["panelBankConfig"]["sections"]}
    shown = {name: [panel["viewType"] for panel in section["panels"]] for name, section in sections.items()}
    assert shown == {
        "Scores": ["Run History Line Plot"],
        "Losses": ["Run History Line Plot"] * 2,
        "Pictures": ["Media Browser"],
        "Scores by data set": ["Run History Line Plot"],
        "Course of the training": ["Run History Line Plot"],
    }
    plot: dict[str, Any] = sections["Scores"]["panels"][0]["config"]
    assert (plot["metrics"], plot["xAxis"], plot["yAxisTitle"]) == (["val/psnr_y"], AXIS, "dB")
    with pytest.raises(InputError, match="logged no metric yet"):
        workspace_of(OfflineRun(), "team")


def test_a_report_has_the_sweep_s_table_and_its_own_runs(tmp_path: Path) -> None:
    report: Any = report_of(a_sweep(tmp_path), "", "srlab")
    said, table, grid = report.blocks
    assert report.title == "Sweep grid"
    assert "3 jobs are done, 1 failed" in str(said)
    lines = table.text.splitlines()
    assert lines[0].startswith("| val/psnr_y | spread")
    assert lines[2].startswith("| 30.5 | 0.707 | 2 | backbone=edsr |")  # the mean of two seeds, best first
    assert any("out of memory" in line for line in lines)
    assert "grid" in str(grid.runsets[0].filters)
    sent = as_json(report)
    assert "val/psnr_y" in sent
    assert "backbone" in sent
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no job is done yet"):
        report_of(tmp_path / "empty", "", "srlab")


def test_the_command_prints_what_would_be_sent_and_refuses_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    sweep = a_sweep(tmp_path)
    monkeypatch.setattr("sys.argv", ["srlab-wandb", "report", str(sweep), "--json"])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == 0
    assert "Sweep grid" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"W&B did not take it \(No API key configured.*--json shows it"):
        save(workspace_of(a_run(), "team"))
