"""What all tests share: where real data and weights lie, if they do."""

import os
from pathlib import Path

import pytest


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value or not Path(value).is_dir():
        pytest.skip(f"{variable} names no folder of real files: {value!r}")
    return Path(value)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real images ($SRLAB_DATA)."""
    return _folder("SRLAB_DATA")


@pytest.fixture(scope="session")
def weights_root() -> Path:
    """The folder of published weights ($SRLAB_WEIGHTS)."""
    return _folder("SRLAB_WEIGHTS")
