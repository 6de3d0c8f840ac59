"""CPU seconds of importing srlab and of `srlab-train --help`, beside `import torch` alone.

    python benchmarks/imports.py [--runs 5]

Each command is run in turn, several times, as a process of its own; the medians of user + system seconds are printed.
"""

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

COMMANDS = {
    "import torch": [sys.executable, "-c", "import torch"],
    "import srlab": [sys.executable, "-c", "import srlab"],
    "srlab-train --help": [str(Path(sys.executable).with_name("srlab-train")), "--help"],
    "srlab-train --cfg job": [str(Path(sys.executable).with_name("srlab-train")), "--cfg", "job"],
}


def cpu_seconds(command: list[str]) -> float:
    """User and system seconds of one run of a command."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, command in COMMANDS.items():
            seconds[name].append(cpu_seconds(command))
    torch = statistics.median(seconds["import torch"])
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"{name:22s} {median:5.2f} CPU-s, {median / torch:4.2f} of import torch")


if __name__ == "__main__":
    main()
