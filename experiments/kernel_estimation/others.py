"""Kernels without a known truth: ZSSR's own example, whose kernel Michaeli and Irani's code estimated; and a photograph.

SRLAB_DATA=<folder> python experiments/kernel_estimation/others.py
"""

import os
from pathlib import Path

from srlab.data.images import read_image, to_tensor
from srlab.degradation.blur import kernel_shift
from srlab.degradation.kernels import load_kernels
from srlab.degradation.reduction import stretched
from srlab.estimation.measures import correlation, distance, repeatability
from srlab.estimation.recurrence import PatchRecurrence
from srlab.estimation.writing import side_by_side
from srlab.evaluation.strips import stack

HERE = Path(__file__).parent
SEEDS = (0, 1, 2)


def main() -> None:
    """Print how the estimates compare, and draw them."""
    data = Path(os.environ["SRLAB_DATA"]) / "unsupervised"
    estimator, bicubic = PatchRecurrence(), stretched("bicubic", 2).numpy()
    example = data / "kernel_example/BSD100_100_lr_rand_ker_c_X2.png"
    theirs = kernel_shift(load_kernels(str(example.with_name(f"{example.stem}_0.mat")), "Kernel")[0], 2)
    strips = []
    for name, path in (("ZSSR's example", example), ("comic1", data / "real_photos/comic1.png")):
        lr = to_tensor(read_image(path, keep_alpha=False))
        ours = [estimator(lr, 2, seed) for seed in SEEDS]
        same = repeatability(ours)
        print(f"{name}: between seeds L1 {same.distance:.3f}, correlation {same.correlation:.3f}")
        shown = {"bicubic": bicubic, f"{name}: ours": ours[0]}
        if path == example:
            shown["theirs"] = theirs
            for other, kernel in (("ours", ours[0]), ("bicubic", bicubic)):
                print(f"{other} to theirs: L1 {distance(kernel, theirs):.3f}, {correlation(kernel, theirs):.3f}")
        strips.append(side_by_side(shown))
    stack(strips).save(HERE / "others.png")


if __name__ == "__main__":
    main()
