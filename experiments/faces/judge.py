"""Judge networks of faces by dlib alone, face by face, and each beside the first of them.

python experiments/faces/judge.py <folder of fsrnet> <run>...

What is slow is done once: the truth is found, marked and described for all. Landmarks and descriptors are those of each
picture's own landmarks in HR's box (protocol=faces aligns the descriptor by HR's, and also looks for SR's face).
"""

import sys
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

import torch

import srlab
from srlab.data.faces import Faces
from srlab.data.pixels import to_tensor
from srlab.degradation.downscale import downscale
from srlab.evaluation.faces import landmark_error
from srlab.faces.priors.dlib import SAME_PERSON, Dlib

TESTED, SCALE = 200, 8


@torch.no_grad()
def main(root: str, *runs: str) -> None:
    """Print each run's means, and its differences from the first with their standard errors."""
    judge, faces = Dlib(), Faces(f"{root}/fsrnet/data/celeba_val_1000_HR")
    truths = []
    for index in range(TESTED):
        hr = to_tensor(faces.image(index))[None]
        if box := judge.find(hr):
            truths.append((hr, box, judge.mark(hr, box), judge.describe(hr, box)))
    measured = {}
    for run in runs:
        network, errors, distances = srlab.load(run), [], []
        for hr, box, marks, person in truths:
            lr = downscale(hr.double(), SCALE, 255, rounding="result").float()
            sr = (network(lr).sr.clamp(0, 1) * 255).round() / 255
            errors.append(landmark_error(judge.mark(sr, box), marks, marks))
            distances.append(float((judge.describe(sr, box) - person).norm()))
        same = 100 * fmean(distance < SAME_PERSON for distance in distances)
        print(f"{Path(run).name}: NME {fmean(errors):.3f} %, descriptor {fmean(distances):.4f}, {same:.1f} % below 0.6")
        measured[run] = {"NME": errors, "descriptor": distances}
        for name, values in measured[run].items():
            changes = [value - first for value, first in zip(values, measured[runs[0]][name], strict=True)]
            print(f"  {name} minus the first's: {fmean(changes):+.4f} +- {stdev(changes) / sqrt(len(changes)):.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
