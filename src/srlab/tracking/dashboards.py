"""W&B's dashboards as code: a workspace for the runs of a paradigm, and the report of a sweep.

They are built of what runs logged, offline; only saving them asks a server.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srlab.errors import InputError
from srlab.sweeps.jobs import DONE
from srlab.sweeps.table import MEAN, Line, lines_of
from srlab.tracking.offline import AXIS, OfflineRun

if TYPE_CHECKING:
    from wandb_workspaces.reports.v2.interface import Report
    from wandb_workspaces.workspaces import Section, Workspace

SHOWN = 30
"""Lines of a sweep's table that a report shows."""


def workspace_of(run: OfflineRun, entity: str) -> "Workspace":
    """A workspace for all runs of a run's paradigm: its scores, losses, other curves, and pictures, each with its unit.

    Args:
        run: any of them.
        entity: of W&B: a user or a team.

    Raises:
        InputError: wandb-workspaces is missing, or the run logged nothing.
    """
    _, workspaces = _libraries()
    names = sorted({name for row in run.history.values() for name in row})
    if not names:
        raise InputError("The run logged no metric yet: let it validate once.")
    scores = [name for name in names if name.startswith("val/") and name.count("/") == 1]
    by_set = [name for name in names if name.startswith("val/") and name.count("/") > 1]
    losses = [name for name in names if name.startswith("train/loss")]
    others = [name for name in names if name not in {*scores, *by_set, *losses} and not name.startswith("test/")]
    pictures = sorted({image.name for image in run.images})
    sections = [
        section
        for title, found in (("Scores", scores), ("Losses", losses), ("Pictures", pictures))
        if (section := _section(title, found, run, is_open=True))
    ]
    sections += [
        section
        for title, found in (("Scores by data set", by_set), ("Course of the training", others))
        if (section := _section(title, found, run, is_open=False))
    ]
    return workspaces.Workspace(entity, run.project, f"srlab: {paradigm_of(run)}", sections)  # type: ignore[no-any-return]


def paradigm_of(run: OfflineRun) -> str:
    """The paradigm's class, by its configuration ("CycleInCycle")."""
    target: str = run.config.get("paradigm", {}).get("_target_", "unknown")
    return target.rpartition(".")[2]


def report_of(sweep: Path, entity: str, project: str) -> "Report":
    """A report of a sweep: its table, best first, and W&B's own curves, coordinates and pictures of its group.

    Args:
        sweep: its folder.
        entity: of W&B; it is asked for at the server, "" is not.
        project: where the runs are.

    Raises:
        InputError: wandb-workspaces is missing, or no job of the sweep is done.
    """
    reports, _ = _libraries()
    lines = lines_of(sweep)
    done = [line for line in lines if line.status == DONE and line.job != MEAN and line.value is not None]
    if not done:
        raise InputError(f"{sweep}: no job is done yet: see srlab-sweep {sweep}.")
    group = sweep.resolve().name
    runs = reports.Runset(entity=entity, project=project, name=group, filters=f"Group == '{group}'")
    varied = sorted({name for line in done for name in line.settings})
    panels = [
        reports.LinePlot(title=done[0].metric, x=AXIS, y=[done[0].metric]),
        reports.ParallelCoordinatesPlot(
            columns=[
                *(reports.ParallelCoordinatesPlotColumn(metric=reports.Config(name)) for name in varied),
                reports.ParallelCoordinatesPlotColumn(metric=reports.SummaryMetric(done[0].metric)),
            ]
        ),
        reports.RunComparer(diff_only=True),
    ]
    failed = sum(line.status not in (DONE, "pruned") for line in lines if line.job != MEAN)
    said = f"{len(done)} jobs are done, {failed} failed or are not. Best first; a mean is over the seeds."
    return reports.Report(  # type: ignore[no-any-return]
        project=project,
        entity=entity,
        title=f"Sweep {group}",
        description=said,
        blocks=[
            reports.P(said),
            reports.MarkdownBlock("\n".join(_markdown(lines[:SHOWN]))),
            reports.PanelGrid(runsets=[runs], panels=panels),
        ],
    )


def as_json(dashboard: Any) -> str:
    """What W&B would be sent."""
    return str(dashboard._to_model().model_dump_json(indent=2, by_alias=True))


def save(dashboard: Any) -> str:
    """Send a workspace or a report to W&B, and return its address.

    Raises:
        InputError: there is no key, or no server answers.
    """
    import wandb

    try:
        dashboard.save()
    except (wandb.errors.Error, ValueError, OSError) as error:
        raise InputError(f"W&B did not take it ({error}): --json shows it without an account.") from error
    return str(dashboard.url)


def _libraries() -> tuple[Any, Any]:
    try:
        from wandb_workspaces import workspaces
        from wandb_workspaces.reports import v2 as reports
    except ImportError:
        raise InputError("Dashboards need wandb-workspaces: pip install 'srlab[dashboards]'.") from None
    return reports, workspaces


def _section(title: str, names: Sequence[str], run: OfflineRun, is_open: bool) -> "Section | None":
    if not names:
        return None
    reports, workspaces = _libraries()
    if title == "Pictures":
        panels = [reports.MediaBrowser(title=name, media_keys=[name]) for name in names]
    else:
        units = run.config.get("units", {})
        panels = [reports.LinePlot(title=name, x=AXIS, y=[name], title_y=units.get(name) or None) for name in names]
    return workspaces.Section(title, panels, is_open=is_open)  # type: ignore[no-any-return]


def _markdown(lines: Sequence[Line]) -> Iterator[str]:
    """A sweep's table."""
    yield f"| {lines[0].metric or 'value'} | spread | runs | settings | status |"
    yield "|---|---|---|---|---|"
    for line in lines:
        settings = ", ".join(f"{name}={value}" for name, value in line.settings.items())
        value = "" if line.value is None else f"{line.value:.6g}"
        spread = "" if line.spread is None else f"{line.spread:.3g}"
        yield f"| {value} | {spread} | {line.runs} | {settings} | {line.status} {line.note} |".replace("\n", " ")
