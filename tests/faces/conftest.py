"""Real faces and priors with their published weights; tests that want them skip where they are not."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from srlab.data.images import read_image, to_tensor


@pytest.fixture(scope="session")
def folder() -> Path:
    """Of the faces: `fsrnet/data`, `weights` and the landmarks of CelebA's."""
    root = Path(os.environ.get("SRLAB_DATA", "")) / "domain/face"
    if "SRLAB_DATA" not in os.environ or not root.is_dir():
        pytest.skip("needs the faces: set SRLAB_DATA to the folder that holds domain/face")
    return root


@pytest.fixture(scope="session")
def celeba(folder: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """The first 24 faces of CelebA's part whose landmarks are known: (24, 3, 128, 128) and (24, 68, 2)."""
    with np.load(folder / "celeba_val_1000_dlib68.npz") as file:
        landmarks, names = file["landmarks"], file["names"]
    known = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))[:24]
    images = [to_tensor(read_image(folder / "fsrnet/data/celeba_val_1000_HR" / str(names[i]))) for i in known]
    return torch.stack(images), torch.from_numpy(landmarks[known]).float()
