"""A kernel as files: for srlab, for MATLAB and the field's published codes, and to look at."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import io
from torch import Tensor

from srlab.estimation.measures import on_one_grid
from srlab.evaluation.strips import Panel, strip
from srlab.files import write_atomically

Floats = NDArray[np.float64]

SIDE = 156
"""Pixels of a kernel's picture."""


def write_kernel(folder: Path, kernel: Floats, name: str = "kernel") -> list[Path]:
    """Write `kernel.npy`, `kernel.mat` (key `Kernel`, as the published codes read it) and `kernel.png`."""
    array, matlab, shown = (folder / f"{name}.{suffix}" for suffix in ("npy", "mat", "png"))
    write_atomically(array, lambda file: np.save(file, kernel))
    write_atomically(matlab, lambda file: io.savemat(file, {"Kernel": kernel}))  # type: ignore[arg-type]  # a file will do
    write_atomically(shown, lambda file: Image.fromarray(np.uint8(255 * picture(kernel)[0].numpy())).save(file, "PNG"))
    return [array, matlab, shown]


def picture(kernel: Floats) -> Tensor:
    """A kernel enlarged pixel by pixel: (K, K) -> (1, H, W) in [0, 1], its largest value white."""
    times = max(1, SIDE // len(kernel))
    shown = np.kron(np.clip(kernel, 0, None) / kernel.max(), np.ones((times, times)))
    return torch.from_numpy(shown)[None].float()


def side_by_side(kernels: Mapping[str, Floats]) -> Image.Image:
    """Several kernels on one grid, each with its caption, and each as bright as it can be."""
    grid = on_one_grid(list(kernels.values()))
    return strip([Panel(caption, picture(kernel)) for caption, kernel in zip(kernels, grid, strict=True)])
