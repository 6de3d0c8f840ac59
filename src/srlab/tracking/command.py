"""`srlab-wandb`: what W&B would show of a run, without a server; and its dashboards, made by code."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from srlab.errors import InputError
from srlab.tracking.dashboards import as_json, report_of, save, workspace_of
from srlab.tracking.offline import OfflineRun, read_run


def main() -> None:
    """Run the console command."""
    parser = argparse.ArgumentParser(prog="srlab-wandb", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    read = commands.add_parser("read", help="read a run back from its folder, with no server and no account")
    read.add_argument("folder", type=Path, help="a run folder (runs/train/<date>, or a job's)")
    read.add_argument("--json", action="store_true", help="all of it, as one JSON object")
    read.add_argument("--images", type=Path, metavar="FOLDER", help="copy the pictures there, named by what they show")
    read.set_defaults(run=_read)
    workspace = commands.add_parser("workspace", help="a workspace for the runs of a run's paradigm, sent to W&B")
    workspace.add_argument("folder", type=Path, help="a run folder")
    workspace.set_defaults(run=_workspace)
    report = commands.add_parser("report", help="a report of a sweep, sent to W&B")
    report.add_argument("folder", type=Path, help="the sweep's folder")
    report.add_argument("--project", default="srlab", help="where its runs are")
    report.set_defaults(run=_report)
    for dashboard in (workspace, report):
        dashboard.add_argument("--entity", default="", help="the user or the team")
        dashboard.add_argument("--json", action="store_true", help="print it instead, with no account")
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except InputError as error:
        parser.exit(2, f"srlab-wandb: {error}\n")
    sys.exit(0)


def _read(arguments: argparse.Namespace) -> None:
    run = read_run(arguments.folder)
    if arguments.images:
        copy_images(run, arguments.images)
    if arguments.json:
        print(json.dumps(vars(run), default=_plain))  # noqa: T201
    else:
        show(run, Console(width=None if Console().is_terminal else 160))


def _workspace(arguments: argparse.Namespace) -> None:
    _send(workspace_of(read_run(arguments.folder), arguments.entity), arguments.json)


def _report(arguments: argparse.Namespace) -> None:
    entity = "" if arguments.json else arguments.entity  # which would be looked up
    _send(report_of(arguments.folder, entity, arguments.project), arguments.json)


def _send(dashboard: object, only_shown: bool) -> None:
    print(as_json(dashboard) if only_shown else save(dashboard))  # noqa: T201


def copy_images(run: OfflineRun, folder: Path) -> None:
    """Copy a run's pictures, named by what they show and by their iteration."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in run.images:
        name = f"{image.name.replace('/', '_')}_{image.iteration:09d}{image.path.suffix}"
        shutil.copyfile(image.path, folder / name)


def show(run: OfflineRun, console: Console) -> None:
    """Print where a run stands, its metrics with units, and what else it holds."""
    group = f" of {run.group}" if run.group else ""
    end = "no end is known" if run.exit_code is None else f"exit {run.exit_code}"
    console.print(f"run {run.id}, {run.name}{group}, project {run.project}: {run.starts} start(s), {end}", markup=False)
    units = run.config.get("units", {})
    table = Table("metric", "unit", "best", "last", "iterations")
    for name in sorted(run.summary):
        value = run.summary[name]
        last = value["last"] if isinstance(value, dict) else value
        best = (
            next((f"{way} {value[way]:.6g}" for way in ("max", "min") if way in value), "") if last is not value else ""
        )
        table.add_row(name, units.get(name, ""), best, f"{last:.6g}", str(len(run.curve(name)) or ""))
    console.print(table)
    for image in run.images:
        console.print(f"image {image.name}: {image.caption}\n      {image.path}", markup=False)
    for name, rows in run.tables.items():
        console.print(f"table {name}: {len(rows)} rows of {', '.join(rows[0]) if rows else 'nothing'}", markup=False)
    for name, artifact in run.artifacts.items():
        console.print(f"artifact {name} ({artifact['type']}): {', '.join(artifact['files'])}", markup=False)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else vars(value)


if __name__ == "__main__":
    main()
