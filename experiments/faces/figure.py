"""Draw test faces as methods make them, with the landmarks that dlib finds in each, in HR's box.

python experiments/faces/figure.py figure.png <folder of fsrnet and weights> <run of srlab-test save_images=true>...
"""

import sys
from pathlib import Path

import torch
from torch import Tensor

from srlab.data.images import read_image, to_tensor
from srlab.degradation.downscale import downscale
from srlab.evaluation.faces import landmark_error
from srlab.evaluation.strips import Panel, stack, strip
from srlab.faces.priors.dlib import Dlib

SET, NAMES, SCALE, ZOOM = "celeba_val_1000", ("201602", "201610", "201623"), 8, 2
GREEN = torch.tensor([0.1, 1.0, 0.2])[:, None]


def main(path: str, root: str, *runs: str) -> None:
    """A row for each face: LR, the methods, the truth."""
    judge, rows = Dlib(), []
    for name in NAMES:
        hr = read(Path(root) / f"fsrnet/data/{SET}_HR" / f"{name}.jpg")
        box = judge.find(hr)
        assert box is not None, f"{name}: no face is found in HR: choose another"
        marks = judge.mark(hr, box)
        panels = [Panel("LR", downscale(hr.double(), SCALE, 255, rounding="result")[0].float())]
        for run in runs:
            sr = read(Path(run) / "images" / SET / f"{name}.png")
            found = judge.mark(sr, box)
            error = landmark_error(found, marks, marks)
            panels.append(Panel(f"{Path(run).name.removeprefix('test_')}, NME {error:.1f} %", dotted(sr, found)))
        rows.append(strip([*panels, Panel("HR", dotted(hr, marks))]))
    stack(rows).save(path)


def read(path: Path) -> Tensor:
    return to_tensor(read_image(path))[None]


def dotted(image: Tensor, marks: Tensor) -> Tensor:
    """Each pixel twice as large, and a green one on each landmark: (1, 3, H, W), (68, 2) -> (3, 2H, 2W)."""
    large = image[0].repeat_interleave(ZOOM, 1).repeat_interleave(ZOOM, 2)
    x, y = (ZOOM * marks).long().clamp(0, large.shape[-1] - 1).T
    for right in range(ZOOM):
        for down in range(ZOOM):
            large[:, (y + down).clamp(max=large.shape[1] - 1), (x + right).clamp(max=large.shape[2] - 1)] = GREEN
    return large


if __name__ == "__main__":
    main(*sys.argv[1:])
