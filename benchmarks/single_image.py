"""Zero-shot and prior training through the Trainer against bare PyTorch loops of the same nets, in one process.

    python benchmarks/single_image.py [--rounds 5] [--iterations 10]

Deep image prior x4 on a 128 x 128 result with 64 channels, and ZSSR x2 with its crops of 128. The Trainer draws jitter, or
fathers and sons, averages results and logs; the bare loop trains on ready tensors. Both in turn, round by round; the
median of the rounds' ratios is printed, and then the bare step in each precision and layout.
Seconds are this process's CPU seconds on one thread.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from training import take_turns  # type: ignore[import-not-found]  # the script beside this one

from srlab import build
from srlab.config import register
from srlab.degradation.reduction import Interpolating

COMMON = [
    "iterations=100000",
    "logger=[csv]",
    "callbacks=[checkpoints]",
    "trainer.val_check_interval=100000",
    "trainer.enable_progress_bar=false",
]
STUDIES = {
    "deep_image_prior": ["experiment=dip_x4", "backbone.width=64"],
    "zero_shot": ["experiment=zssr_x2"],
}
SIDE = {"deep_image_prior": 32, "zero_shot": 160}
"""Of the LR image, in pixels."""


def compose(study: str, folder: str) -> Any:
    """The configuration of a study on an image of noise."""
    side = SIDE[study]
    image = Path(folder) / "lr.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)).save(image)
    register()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        cfg = hydra.compose("train", [*STUDIES[study], *COMMON, f"data.image={image}", f"run_dir={folder}"])
    cfg.network_name = study
    return cfg


def bare_step(study: str, network: Any, precision: str, layout: torch.memory_format) -> Callable[[int], float]:
    """A plain loop on ready tensors: (iterations) -> seconds."""
    network = network.to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    lr = torch.rand(1, 3, SIDE[study], SIDE[study])
    enlarged, father = (torch.rand(1, 3, 128, 128).contiguous(memory_format=layout) for _ in range(2))
    reduction = Interpolating(4, "lanczos2", "replicate")

    def loss() -> Tensor:
        if study == "deep_image_prior":
            return F.mse_loss(reduction(network(lr.contiguous(memory_format=layout)).sr), lr)
        return F.l1_loss(network.refine(enlarged), father)

    def loop(iterations: int) -> float:
        start = time.process_time()
        for _ in range(iterations):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision.startswith("bf16")):
                value = loss()
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return time.process_time() - start

    return loop


def compare_loops(study: str, rounds: int, iterations: int) -> None:
    """Print the Trainer's throughput as a share of the bare loop's, and the bare step's seconds in each precision."""
    with tempfile.TemporaryDirectory() as folder:
        cfg = compose(study, folder)
        training = build.training(cfg)
        bare = bare_step(study, build.build(cfg.framework), cfg.trainer.precision, training.paradigm.memory_format)
        print(study)
        take_turns(training, bare, rounds, iterations)
        for precision in ("32", "bf16"):
            for layout in (torch.contiguous_format, torch.channels_last):
                loop = bare_step(study, build.build(cfg.framework), precision, layout)
                loop(1)
                seconds = min(loop(4) for _ in range(3)) / 4
                print(f"  {precision:5s} {str(layout).removeprefix('torch.'):18s} {seconds:.4f} CPU-s a step")


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=10)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for study in STUDIES:
        compare_loops(study, arguments.rounds, arguments.iterations)


if __name__ == "__main__":
    main()
