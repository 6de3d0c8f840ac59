"""Resample the Nikon D700's response (400 to 700 nm, by 10) to Jasper Ridge's bands: (3, 198), in .npy.

python experiments/hyperspectral/response.py <nikon_d700_src.mat, or gaussians> <jasperRidge2_R198.mat> <response.npy>
"""

import sys

import numpy as np
from scipy.io import loadmat

FIRST, LAST, CHANNELS = 380.0, 2500.0, 224
"""Of AVIRIS in nm, evenly spaced, of which the file keeps 198."""
GAUSSIANS, DEVIATION = (650, 550, 460), 40
"""In nm: another implementation's RGB."""


def main(camera: str, scene: str, output: str) -> None:
    """Write the rows of R, G and B; of the camera's, bands beyond 400 to 700 nm have none."""
    kept = loadmat(scene)["SlectBands"].ravel() - 1
    wavelengths = np.linspace(FIRST, LAST, CHANNELS)[kept]
    if camera == "gaussians":
        np.save(output, np.exp(-0.5 * ((wavelengths - np.array(GAUSSIANS)[:, None]) / DEVIATION) ** 2))
        return
    response = loadmat(camera)["R"]
    known = np.linspace(400, 700, len(response))
    np.save(output, np.stack([np.interp(wavelengths, known, row, left=0, right=0) for row in response.T]))


if __name__ == "__main__":
    main(*sys.argv[1:])
