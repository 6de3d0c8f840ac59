"""`srlab-kernel`: the blur kernel through which an image came from its unknown HR image, estimated from it alone."""

import csv
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from srlab.cli import command
from srlab.errors import InputError

if TYPE_CHECKING:
    from srlab.estimation.estimator import Floats

PAIRS = "repeatability.csv"


def kernel(cfg: DictConfig) -> None:
    """Estimate with each seed; write the kernel as NumPy's, MATLAB's and a picture; print what it is like."""
    from srlab import build, run
    from srlab.data.images import read_image, to_tensor
    from srlab.estimation.measures import typical
    from srlab.estimation.writing import write_kernel

    if not cfg.seeds or len(set(cfg.seeds)) < len(cfg.seeds):
        raise InputError(f"seeds={list(cfg.seeds)}: give different whole numbers, one or more.")
    cfg = run.prepare(cfg)
    image = to_tensor(read_image(Path(cfg.input).expanduser(), keep_alpha=False))
    estimator = build.build(cfg.method)
    start = time.perf_counter()
    kernels = {seed: estimator(image, cfg.scale, seed) for seed in cfg.seeds}
    seconds = (time.perf_counter() - start) / len(kernels)
    folder = Path(cfg.run_dir)
    found = kernels[typical(kernels)]
    files = write_kernel(folder, found)
    tell(found, seconds)
    if len(kernels) > 1:
        files += compare(kernels, folder)
    for path in files:
        print(path)  # noqa: T201


def tell(kernel: "Floats", seconds: float) -> None:
    """Print a kernel's size and shape."""
    from srlab.estimation.measures import moments

    (down, slant), (_, right) = moments(kernel).covariance.tolist()
    print(  # noqa: T201
        f"kernel of {len(kernel)} x {len(kernel)} HR pixels, variance {right:.2f} to the right, {down:.2f} down, "
        f"covariance {slant:+.2f}; {seconds:.1f} s an estimate"
    )


def compare(kernels: "dict[int, Floats]", folder: Path) -> list[Path]:
    """Write and print how alike the estimates of several seeds are, and a picture of them side by side."""
    from srlab.estimation.measures import correlation, distance, repeatability
    from srlab.estimation.writing import side_by_side

    same = repeatability(list(kernels.values()))
    table, picture = folder / PAIRS, folder / "seeds.png"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["seed", "other_seed", "l1_distance", "correlation"])
        for (seed, one), (other_seed, other) in combinations(kernels.items(), 2):
            writer.writerow([seed, other_seed, distance(one, other), correlation(one, other)])
        writer.writerow(["mean", "", same.distance, same.correlation])
    side_by_side({f"seed {seed}": one for seed, one in kernels.items()}).save(picture)
    print(  # noqa: T201
        f"repeatability over {len(kernels)} seeds, mean of all pairs: L1 distance {same.distance:.3f} (0: equal, 2: "
        f"disjoint), correlation {same.correlation:.3f}; kernel.* is the estimate nearest to all others"
    )
    return [table, picture]


def main() -> None:
    """Run the console command."""
    command("kernel", kernel)


if __name__ == "__main__":
    main()
