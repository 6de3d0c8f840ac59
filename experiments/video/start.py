"""A network with a flow that was pre-trained by itself: what it and its twins start from.

python experiments/video/start.py FLOW_RUN START.pth channels=1 scale=4 network=basicvsr_small
"""

import sys
from pathlib import Path

import torch
from hydra import compose, initialize_config_module

import srlab
from srlab.build import build
from srlab.config import register


def main(flow_run: str, into: Path, overrides: list[str]) -> None:
    register()
    with initialize_config_module("srlab.conf", version_base="1.3"):
        cfg = compose("train", [*overrides, "hydra.run.dir=."])
    torch.manual_seed(0)
    network = build(cfg.framework)
    network.flow.load_state_dict(srlab.load(flow_run).flow.state_dict())  # type: ignore[union-attr]
    into.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), into)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
