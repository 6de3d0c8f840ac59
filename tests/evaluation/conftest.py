"""Protocols as they ship, and small labelled images."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image
from torch import Tensor

from srlab.evaluation.photographs import PhotographProtocol
from srlab.types import LabelledImage

CONF = Path(__file__).parents[2] / "conf"


def shipped(name: str, **changes: object) -> PhotographProtocol:
    """A protocol from its YAML, with changes."""
    protocol = instantiate(OmegaConf.load(CONF / "protocol" / f"{name}.yaml"), _convert_="all", **changes)
    assert isinstance(protocol, PhotographProtocol)
    return protocol


@pytest.fixture
def protocol() -> Callable[..., PhotographProtocol]:
    return shipped


def read(path: Path) -> Tensor:
    pixels = np.asarray(Image.open(path))
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255


@pytest.fixture
def photographs(data_root: Path) -> Callable[[str], list[LabelledImage]]:
    """The HR images of Set5 or Set14."""

    def load(dataset: str) -> list[LabelledImage]:
        files = sorted((data_root / "photos" / dataset / "HR").glob("*.png"))
        return [LabelledImage(dataset, file.stem, read(file), None, 255) for file in files]

    return load


@pytest.fixture
def image() -> LabelledImage:
    """An 8-bit RGB image of 45 x 50."""
    codes = torch.randint(0, 256, (3, 45, 50), generator=torch.Generator().manual_seed(1))
    return LabelledImage("made", "one", codes.float() / 255, None, 255)
