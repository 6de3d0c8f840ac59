"""Draw a face that no training saw, scikit-image's astronaut (NASA), with the landmarks that dlib finds in HR's box.

python experiments/faces/figure.py figure.png <run of the network>
"""

import sys

import torch
from skimage.data import astronaut
from torch import Tensor

import srlab
from srlab.degradation.downscale import downscale
from srlab.degradation.resize import resize
from srlab.evaluation.faces import landmark_error
from srlab.evaluation.strips import Panel, strip
from srlab.faces.priors.dlib import Dlib
from srlab.inference.enlarge import enlarge

SCALE, SIDE, ZOOM = 8, 128, 2
TOP, LEFT, CROP = 42, 150, 144  # framed as the faces of the training are
GREEN = torch.tensor([0.1, 1.0, 0.2])[:, None]


def main(path: str, run: str) -> None:
    """A row: LR, bicubic, the network, the truth."""
    photograph = astronaut()  # type: ignore[no-untyped-call]
    pixels = torch.from_numpy(photograph[TOP : TOP + CROP, LEFT : LEFT + CROP].copy()).movedim(-1, 0)[None]
    hr = resize(pixels.double() / 255, size=(SIDE, SIDE)).clamp(0, 1).float()
    lr = downscale(hr.double(), SCALE, 255, rounding="result").float()
    judge = Dlib()
    box = judge.find(hr)
    assert box is not None, "no face is found: frame it otherwise"
    marks = judge.mark(hr, box)
    with torch.no_grad():
        results = {
            "bicubic": resize(lr.double(), scale=SCALE).clamp(0, 1).float(),
            "the network": enlarge(srlab.load(run).eval(), lr),
        }
    panels = [Panel("LR", lr[0])]
    for name, sr in results.items():
        found = judge.mark(sr, box)
        panels.append(Panel(f"{name}, NME {landmark_error(found, marks, marks):.1f} %", dotted(sr, found)))
    strip([*panels, Panel("HR", dotted(hr, marks))]).save(path)


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
