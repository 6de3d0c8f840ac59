"""What all tests share: where the real images and published weights are, if they are."""

import os
from pathlib import Path

import pytest


def _root(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value or not Path(value).is_dir():
        pytest.skip(f"{variable} is not set to a folder")
    return Path(value)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of real images; the test is skipped where $SRLAB_DATA is not set."""
    return _root("SRLAB_DATA")


@pytest.fixture(scope="session")
def weights_root() -> Path:
    """Folder of published weights; the test is skipped where $SRLAB_WEIGHTS is not set."""
    return _root("SRLAB_WEIGHTS")
