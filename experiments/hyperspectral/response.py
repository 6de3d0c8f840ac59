"""Resample the Nikon D700's response (400 to 700 nm, by 10) to Jasper Ridge's bands: (3, 198), in .npy.

python experiments/hyperspectral/response.py <nikon_d700_src.mat> <jasperRidge2_R198.mat> <response.npy>
"""

import sys

import numpy as np
from scipy.io import loadmat

FIRST, LAST, CHANNELS = 380.0, 2500.0, 224
"""Of AVIRIS in nm, evenly spaced, of which the file keeps 198."""


def main(camera: str, scene: str, output: str) -> None:
    """Write the rows of R, G and B; bands beyond 400 to 700 nm have none."""
    response = loadmat(camera)["R"]
    kept = loadmat(scene)["SlectBands"].ravel() - 1
    wavelengths = np.linspace(FIRST, LAST, CHANNELS)[kept]
    known = np.linspace(400, 700, len(response))
    np.save(output, np.stack([np.interp(wavelengths, known, row, left=0, right=0) for row in response.T]))


if __name__ == "__main__":
    main(*sys.argv[1:])
