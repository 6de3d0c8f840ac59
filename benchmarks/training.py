"""The Trainer loop with the real data pipeline against a bare PyTorch loop on ready tensors, in one process.

    python benchmarks/training.py [--rounds 5] [--iterations 8]

EDSR baseline x2, batch 16, LR patch 48. Both loops train the same network in the same precision, in turn, round by round;
the ratio of their throughputs is taken round by round, and its median printed. Beside it: seconds and peak memory of the
bare step for float32 and bfloat16, with and without channels_last, and compiled. Seconds are this process's CPU seconds
on one thread, which other processes on the machine disturb least; all work is done in it, cutting the crops too.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import hydra
import lightning.pytorch as pl
import torch
from torch import Tensor

from srlab import build
from srlab.config import register

OVERRIDES = [
    "network=edsr_baseline",
    "data.batch_size=16",
    "data.patch=48",
    "iterations=100000",
    "logger=[csv]",
    "callbacks=[checkpoints]",
    "trainer.val_check_interval=100000",
    "trainer.enable_progress_bar=false",
]


class RoundTimer(pl.Callback):
    """Hand over to the bare loop after every `iterations` training steps, and note the seconds of each loop."""

    def __init__(self, bare: Callable[[int], float], iterations: int, rounds: int) -> None:
        self.bare, self.iterations, self.rounds = bare, iterations, rounds
        self.trainer_seconds: list[float] = []
        self.bare_seconds: list[float] = []
        self.start = 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        done = trainer.fit_loop.epoch_loop.batch_progress.total.ready
        if done % self.iterations == 0:
            if self.start:
                self.trainer_seconds.append(time.process_time() - self.start)
            self.bare_seconds.append(self.bare(self.iterations))
            trainer.should_stop = len(self.trainer_seconds) >= self.rounds
            self.start = time.process_time()


def bare_step(network: torch.nn.Module, precision: str, channels_last: bool) -> Callable[[int], float]:
    """A plain loop on ready tensors: (iterations) -> seconds."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    network = network.to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-4)
    lr = torch.rand(16, 3, 48, 48).contiguous(memory_format=layout)
    hr = torch.rand(16, 3, 96, 96).contiguous(memory_format=layout)

    def step() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision.startswith("bf16")):
            loss = torch.nn.functional.l1_loss(network(lr).sr, hr)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss

    def loop(iterations: int) -> float:
        start = time.process_time()
        for _ in range(iterations):
            step()
        return time.process_time() - start

    return loop


def compose(folder: str) -> Any:
    """The configuration of the benchmark."""
    register()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        cfg = hydra.compose("train", [*OVERRIDES, f"run_dir={folder}"])
    cfg.network_name = "edsr_baseline"
    return cfg


def take_turns(training: build.Training, bare: Callable[[int], float], rounds: int, iterations: int) -> None:
    """Run the training and a bare loop in turn, and print the Trainer's throughput as a share of the bare one's."""
    bare(2)
    timer = RoundTimer(bare, iterations, rounds)
    training.trainer.callbacks.append(timer)  # type: ignore[attr-defined]
    training.trainer.fit(training.paradigm, training.data)
    pairs = list(zip(timer.bare_seconds[1:], timer.trainer_seconds, strict=False))
    shares = sorted(b / t for b, t in pairs)
    print(f"precision {training.trainer.precision}, {rounds} rounds of {iterations} steps")
    print(f"bare loop    {statistics.median(b for b, _ in pairs) / iterations:.4f} CPU-s a step")
    print(f"Trainer loop {statistics.median(t for _, t in pairs) / iterations:.4f} CPU-s a step")
    print(f"Trainer / bare throughput: median {statistics.median(shares):.3f} ({shares[0]:.3f} to {shares[-1]:.3f})")


def compare_loops(rounds: int, iterations: int) -> None:
    """Train EDSR by the Trainer and by a bare loop, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        cfg = compose(folder)
        training = build.training(cfg)
        bare = bare_step(build.build(cfg.framework), cfg.trainer.precision, channels_last=True)
        take_turns(training, bare, rounds, iterations)


VARIANTS = ["32 nchw", "32 channels_last", "bf16 nchw", "bf16 channels_last", "bf16 channels_last compiled"]


def one_variant(variant: str, iterations: int) -> None:
    """Print the seconds a step and the peak memory of one way to run the bare step, in this process."""
    precision, layout, *compiled = variant.split()
    with tempfile.TemporaryDirectory() as folder:
        network = build.build(compose(folder).framework)
    if compiled:
        network.compile()
    loop = bare_step(network, precision, layout == "channels_last")
    loop(2)
    seconds = min(loop(iterations) for _ in range(3)) / iterations
    gibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{variant:30s} {seconds:.3f} CPU-s a step, {gibibytes:.2f} GiB peak")


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--variant", choices=VARIANTS, help="only this way to run the bare step")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.variant:
        one_variant(arguments.variant, arguments.iterations)
        return
    compare_loops(arguments.rounds, arguments.iterations)
    for variant in VARIANTS:  # a process each: peak memory is the process's
        subprocess.run([sys.executable, __file__, "--variant", variant, "--iterations", "4"], check=True)


if __name__ == "__main__":
    main()
