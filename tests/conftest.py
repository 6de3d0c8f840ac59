"""Where the tests find real images and published weights, and tiny images that they make."""

import os
from pathlib import Path

import pytest


def _folder(variable: str, what: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: it names the folder with {what}")
    path = Path(value)
    if not path.is_dir():
        pytest.fail(f"{variable}={value} is not a folder: set it to the folder with {what}, or unset it")
    return path


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real images; tests that need it skip where SRLAB_DATA is unset."""
    return _folder("SRLAB_DATA", "real images")


@pytest.fixture(scope="session")
def weights_root() -> Path:
    """The folder of published weights; tests that need it skip where SRLAB_WEIGHTS is unset."""
    return _folder("SRLAB_WEIGHTS", "published weights")
