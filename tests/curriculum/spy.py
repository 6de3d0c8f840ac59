"""A callback that writes down what each iteration trained."""

import hashlib
import json
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from torch import Tensor

from srlab.networks.progressive import Progressive
from srlab.paradigms.base import SuperResolution
from srlab.types import Batch


class Spy(pl.Callback):
    """A line of JSON an iteration: what was served, what has a gradient, what the weights are after it.

    Args:
        path: of the file; a process of a rank appends its number.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.seen: dict[str, Any] = {}

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Batch, *_: Any) -> None:
        assert isinstance(module, SuperResolution)
        blends = [network.blends for network in module.networks if isinstance(network, Progressive)]
        assert all(one == blends[0] for one in blends)
        rates = [group["lr"] for group in trainer.optimizers[0].param_groups]
        self.seen = {
            "iteration": module.iteration,
            "scale": batch.scale,
            "patch": batch.lr.shape[-1],
            "blends": {str(scale): blend for scale, blend in (blends[0] if blends else {}).items()},
            "positions": batch.positions.tolist(),
            "lr": digest(batch.lr),
            "rates": rates,
        }

    def on_before_optimizer_step(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        parameters = module.network.named_parameters()  # type: ignore[union-attr]
        self.seen["trained"] = [name for name, parameter in parameters if parameter.grad is not None]

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        parameters = module.network.named_parameters()  # type: ignore[union-attr]
        self.seen["weights"] = {name: digest(parameter.detach()) for name, parameter in parameters}
        with self.path.with_name(f"{self.path.name}{trainer.global_rank or ''}").open("a") as file:
            file.write(json.dumps(self.seen) + "\n")


def digest(tensor: Tensor) -> str:
    return hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest()[:16]


def read(path: Path) -> list[dict[str, Any]]:
    """What a spy wrote; of an iteration that was done twice, the last."""
    lines = {line["iteration"]: line for line in map(json.loads, path.read_text().splitlines())}
    return [lines[iteration] for iteration in sorted(lines)]
