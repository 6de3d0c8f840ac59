"""Networks composed as the commands compose them."""

import copy
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from srlab.build import build
from srlab.config import register
from srlab.networks.network import Network

Compose = Callable[..., Network]


@cache
def configuration(overrides: tuple[str, ...]) -> DictConfig:
    register()  # resolvers
    with initialize_config_dir(str(Path(__file__).parent / "conf"), version_base="1.3"):
        return compose("network_only", overrides=list(overrides))


@pytest.fixture(scope="session")
def composed() -> Compose:
    """Build the network of a list of overrides: composed("network=vdsr", "scale=3")."""

    def composed(*overrides: str) -> Network:
        numbers = [one for one in overrides if one.startswith(("scale=", "channels="))]
        # All parts read these two by interpolation, so that one composition, which is slow, serves all their values.
        cfg = copy.deepcopy(configuration(tuple(one for one in overrides if one not in numbers)))
        for one in numbers:
            key, value = one.split("=")
            cfg[key] = float(value) if "." in value else int(value)
        network = build(cfg.framework)
        assert isinstance(network, Network)
        return network

    return composed


@pytest.fixture
def seeded() -> None:
    torch.manual_seed(0)
