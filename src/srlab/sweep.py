"""`srlab-sweep`: the table of a sweep's jobs, from their folders alone: while it runs, or long after."""

import argparse
import sys
from pathlib import Path

from srlab.sweeps.scores import join_scores
from srlab.sweeps.table import OVER, SWEEP, print_table, write_table


def main() -> None:
    """Run the console command."""
    parser = argparse.ArgumentParser(
        prog="srlab-sweep",
        description=f"Print the jobs of a sweep, best first, and write them into its {SWEEP}.",
    )
    parser.add_argument("folder", type=Path, help="the sweep's folder: runs/sweep/<date>, or the hydra.sweep.dir given")
    parser.add_argument(
        "--over",
        nargs="+",
        default=list(OVER),
        metavar="OPTION",
        help="options over which jobs are averaged (default: seed); for a job an image, what names the image",
    )
    arguments = parser.parse_args()
    lines = write_table(arguments.folder, arguments.over) if arguments.folder.is_dir() else []
    if not lines:
        parser.exit(2, f"srlab-sweep: {arguments.folder} holds no jobs of a sweep: give the folder of one.\n")
    print_table(arguments.folder, lines)
    join_scores(arguments.folder)
    sys.exit(0)


if __name__ == "__main__":
    main()
