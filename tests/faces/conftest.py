"""Real faces, where SRLAB_DATA has them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from srlab.data.images import read_image, to_tensor


@pytest.fixture(scope="session")
def celeba(faces_root: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """The first 24 faces of CelebA's part whose landmarks are known: (24, 3, 128, 128) and (24, 68, 2)."""
    with np.load(faces_root / "celeba_val_1000_dlib68.npz") as file:
        landmarks, names = file["landmarks"], file["names"]
    known = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))[:24]
    images = [to_tensor(read_image(faces_root / "fsrnet/data/celeba_val_1000_HR" / str(names[i]))) for i in known]
    return torch.stack(images), torch.from_numpy(landmarks[known]).float()
