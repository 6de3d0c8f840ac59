"""Networks composed as the commands compose them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from srlab.build import build
from srlab.networks.network import Network

Compose = Callable[..., Network]


@pytest.fixture(scope="session")
def composed() -> Compose:
    """Build the network of a list of overrides: composed("network=vdsr", "scale=3")."""

    def composed(*overrides: str) -> Network:
        with initialize_config_dir(str(Path(__file__).parent / "conf"), version_base="1.3"):
            cfg = compose("network_only", overrides=list(overrides))
        network = build(cfg.framework)
        assert isinstance(network, Network)
        return network

    return composed
