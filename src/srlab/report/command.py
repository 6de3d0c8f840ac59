"""`srlab-report <run, sweep or experiments folder>`: one page to look at, which needs no network and no other file."""

import logging
import sys
from pathlib import Path

from omegaconf import DictConfig

from srlab.cli import command

log = logging.getLogger(__name__)


def report(cfg: DictConfig) -> None:
    """Read all runs below a folder, and write the page."""
    from srlab import run
    from srlab.files import write_atomically
    from srlab.report.gather import find_runs, leaderboard
    from srlab.report.page import page
    from srlab.report.viewer import pictures

    cfg = run.prepare(cfg)
    root = Path(cfg.runs).expanduser()
    runs = find_runs(root)
    table = leaderboard(runs)
    text = page(f"{root.resolve().name}: {len(runs)} runs", runs, table, pictures(runs, table, cfg.images, cfg.methods))
    target = Path(cfg.output).expanduser() if cfg.output else Path(cfg.run_dir) / "report.html"
    write_atomically(target, lambda file: file.write(text.encode()))
    log.info("%s: %d runs, %.1f MB", target, len(runs), len(text) / 1e6)


def main() -> None:
    """Run the console command; a bare folder is short for `runs=<folder>`."""
    sys.argv[1:] = [f"runs={one}" if not one.startswith("-") and "=" not in one else one for one in sys.argv[1:]]
    command("report", report)


if __name__ == "__main__":
    main()
