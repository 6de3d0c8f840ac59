"""How near do estimated kernels come to the true ones, and how repeatable are they?

LR images are made from photographs by known kernels. Both methods estimate the kernel from the LR image; each estimate is
held against the truth, and used: bicubic enlargement, made to agree with LR through the kernel by back-projection.
Zero-shot networks trained with the same kernels are `zero_shot.sh`'s, which reads what this writes.

    SRLAB_DATA=<folder> python experiments/kernel_estimation/run.py [runs folder]
"""

import csv
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from srlab.data.images import read_image, to_pixels, to_tensor, write_image
from srlab.degradation.blur import blur, kernel_shift
from srlab.degradation.kernels import load_kernels
from srlab.degradation.reduction import Reduction, stretched
from srlab.degradation.resize import crop_to_multiple, resize
from srlab.estimation.estimator import Floats, KernelEstimator
from srlab.estimation.kernel_gan import KernelGAN
from srlab.estimation.measures import correlation, distance, moments, repeatability
from srlab.estimation.recurrence import PatchRecurrence
from srlab.estimation.writing import side_by_side, write_kernel
from srlab.evaluation.strips import stack
from srlab.inference.back_projection import back_project

HERE = Path(__file__).parent
IMAGES = ("Set5/HR/butterfly.png", "BSDS200/103041.jpg")
KERNELS = {"round, sigma 1.6": 2, "rising": 5, "falling": 6}
"""Of the twelve: what a reader sees, and its place."""
SEEDS = (0, 1, 2)
BACK_PROJECTIONS = 10
METHODS: dict[str, KernelEstimator] = {"recurrence": PatchRecurrence(), "kernel_gan": KernelGAN()}
HEADER = [
    "image",
    "kernel",
    "used",
    "seed",
    "l1_distance",
    "correlation",
    "down",
    "slant",
    "right",
    "psnr_y",
    "seconds",
]


def degraded(hr: Tensor, kernel: Floats) -> Tensor:
    """HR (3, H, W), reduced by 2, in 8 bit."""
    lr = blur(hr[None].double(), torch.from_numpy(kernel)[None], 2)[0]
    return (lr.clamp(0, 1) * 255).round().float() / 255


def back_projected_psnr(lr: Tensor, hr: Tensor, kernel: Floats) -> float:
    """PSNR-Y in dB of a bicubic enlargement, back-projected through a kernel; borders of 2 pixels cut."""
    reduction = Reduction(2, torch.from_numpy(kernel))
    sr = back_project(resize(lr[None], scale=2).clamp(0, 1), lr[None], reduction, BACK_PROJECTIONS)
    weights = torch.tensor([65.481, 128.553, 24.966])[:, None, None] / 255
    error = (weights * ((sr[0] * 255).round() / 255 - hr)).sum(0)[2:-2, 2:-2]
    return float(-10 * torch.log10(error.square().mean()))


def facts(kernel: Floats, truth: Floats) -> list[object]:
    (down, slant), (_, right) = moments(kernel).covariance.tolist()
    numbers = [distance(kernel, truth), correlation(kernel, truth), down, slant, right]
    return [round(number, 4) for number in numbers]


def main(runs: Path) -> None:
    """Write `results.csv` and the picture here; LR images and kernels, which zero-shot runs need, into `runs`."""
    data = Path(os.environ["SRLAB_DATA"])
    known = load_kernels(str(data / "unsupervised/kernels_12.mat"))
    bicubic = stretched("bicubic", 2).numpy()
    rows, strips = [], []
    for path in IMAGES:
        hr = crop_to_multiple(to_tensor(read_image(data / "photos" / path)), 2)
        for name, place in KERNELS.items():
            truth = kernel_shift(known[place], 2)
            lr, label = degraded(hr, truth), f"{Path(path).stem}_{place}"
            write_image(runs / f"{label}_lr.png", to_pixels(lr, 255))
            write_image(runs / f"{label}_hr.png", to_pixels(hr, 255))
            used: list[tuple[str, int | str, Floats, float]] = [
                ("truth", "", truth, 0.0),
                ("bicubic", "", bicubic, 0.0),
            ]
            for method, estimator in METHODS.items():
                for seed in SEEDS if method == "recurrence" or name == "rising" else SEEDS[:1]:
                    start = time.process_time()
                    used.append((method, seed, estimator(lr, 2, seed), time.process_time() - start))
            for method, number, kernel, seconds in used:
                psnr = back_projected_psnr(lr, hr, kernel)
                row = [Path(path).stem, name, method, number, *facts(kernel, truth), round(psnr, 3), round(seconds, 1)]
                rows.append(row)
                print(*row, sep=",", flush=True)
                if number in ("", 0):
                    write_kernel(runs, kernel, f"{label}_{method}")
            first = {method: kernel for method, seed, kernel, _ in used if seed in ("", 0)}
            strips.append(side_by_side({f"{Path(path).stem}: {method}"[:24]: one for method, one in first.items()}))
            for method in METHODS:
                several = [kernel for one, _, kernel, _ in used if one == method]
                if len(several) > 1:
                    same = repeatability(several)
                    print(
                        f"{label} {method}: pairs L1 {same.distance:.3f}, correlation {same.correlation:.3f}",
                        flush=True,
                    )
    with (HERE / "results.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    stack(strips).save(HERE / "kernels.png")


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/kernel_estimation"))
