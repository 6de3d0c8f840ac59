"""Do the first steps of a training in a process of its own, and write what they took: `python -m srlab.planning.measure`."""

import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import hydra
import lightning.pytorch as pl
import torch
from omegaconf import DictConfig

from srlab import build, run
from srlab.config import register
from srlab.errors import InputError

GB = 10**9


@dataclass(frozen=True)
class Measured:
    """What one process took.

    Attributes:
        start_seconds: until the first iteration: imports, data, networks.
        step_seconds: of an iteration, the median.
        validation_seconds: of a validation with what is saved and drawn after it.
        memory_gb: the most that was held: on the GPU where there is one, else by the process.
        on_gpu: which of the two.
        device: its name.
    """

    start_seconds: float
    step_seconds: float
    validation_seconds: float
    memory_gb: float
    on_gpu: bool
    device: str


class Stopwatch(pl.Callback):
    """Notes when each iteration ends, and ends the training in order after some of them.

    Args:
        warmup: iterations that are not counted: caches fill, kernels are chosen, a network is compiled.
        steps: iterations that are.
    """

    def __init__(self, warmup: int, steps: int) -> None:
        self.warmup, self.steps = warmup, steps
        self.begun = 0.0
        self.ends: list[float] = []

    def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        self.begun = self.begun or time.perf_counter()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.append(time.perf_counter())
        trainer.should_stop = len(self.ends) == self.warmup + self.steps  # and a validation follows

    @property
    def step_seconds(self) -> float:
        """Of an iteration: the median, since others may use the machine."""
        counted = self.ends[max(self.warmup, 1) - 1 :]
        return statistics.median(later - sooner for sooner, later in pairwise(counted))


def measure(cfg: DictConfig, warmup: int, steps: int, begun: float) -> Measured:
    """The first iterations of a training, one validation, and what they took, on one device.

    Args:
        cfg: as it was composed.
        warmup: iterations that are not counted.
        steps: iterations that are, where the run has so many.
        begun: `time.perf_counter()` when the process was.
    """
    cfg = on_one_device(cfg)
    training = build.training(cfg)
    watch = Stopwatch(warmup, min(steps, cfg.iterations - warmup))
    training.trainer.callbacks.insert(0, watch)  # type: ignore[attr-defined]
    training.trainer.fit(training.paradigm, training.data)
    validation = time.perf_counter() - watch.ends[-1]
    device = training.trainer.strategy.root_device
    if on_gpu := device.type == "cuda":
        memory, name = torch.cuda.max_memory_allocated(device), torch.cuda.get_device_name(device)
    else:
        memory, name = peak_bytes(), f"{device.type}, {torch.get_num_threads()} threads"
    return Measured(watch.begun - begun, watch.step_seconds, validation, memory / GB, on_gpu, name)


def on_one_device(cfg: DictConfig) -> DictConfig:
    """The same training on one device, which keeps no records but on its disk."""
    cfg.trainer.devices, cfg.trainer.num_nodes, cfg.trainer.strategy = 1, 1, "auto"
    cfg.trainer.precision = cfg.trainer.precision  # resolved
    cfg.trainer.val_check_interval = cfg.iterations
    cfg.logger = {name: node for name, node in cfg.logger.items() if name == "csv"}
    cfg.resume = None
    return cfg


def peak_bytes() -> int:
    """The most memory that this process held (VmHWM, which unlike ru_maxrss is not its parent's)."""
    try:
        status = Path("/proc/self/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) * 1024
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Measure what standard input asks for; write the answer into the file that it names."""
    begun = time.perf_counter()
    asked = json.load(sys.stdin)
    register()
    with tempfile.TemporaryDirectory() as folder:
        try:
            with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
                cfg = hydra.compose("train", [*asked["overrides"], f"run_dir={folder}", "resume=null"])
            cfg.network_name = cfg.network_name or run.network_name(asked["overrides"])
            answer = asdict(measure(cfg, asked["warmup"], asked["steps"], begun))
        except InputError as error:
            answer = {"refused": str(error)}
    Path(asked["answer"]).write_text(json.dumps(answer))
    os._exit(0)  # a loader's workers need not be waited for


if __name__ == "__main__":
    main()
