"""What every learning paradigm shares: one clock, of which learning rates, averages and random states are functions."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed
from torch import Tensor
from torch.optim import Optimizer

from srlab.data.stream import key
from srlab.errors import InputError
from srlab.evaluation.strips import Panel
from srlab.losses.weighted import Terms
from srlab.networks.network import Network
from srlab.networks.weights import load_weights
from srlab.paradigms.evaluated import Evaluated, laid_out
from srlab.paradigms.settings import Training
from srlab.sharding import FullySharded, whole_weights
from srlab.types import Batch

__all__ = ["SuperResolution", "Training"]


class SuperResolution(Evaluated):
    """A paradigm's base. A paradigm adds its losses, its optimizers and its `training_step`.

    The only clock is the iteration: one training batch. The global random state of each iteration is seeded by (seed,
    iteration, rank), and learning rates and averages are functions of the iteration, so a resumed run goes on exactly.

    Args:
        network: LR -> HR.
        training: what every paradigm has.

    Attributes:
        unexportable: why there is no network that other images could be given; None: there is one.
        shardable: whether all that it trains is its network, whose weights several processes may share.
    """

    unexportable: str | None = None
    shardable = False

    def __init__(self, network: Network, training: Training) -> None:
        super().__init__(network, training)
        self.facts: dict[str, str] = {}
        """What a user of the network should know of its training, to be kept in its checkpoints and its export."""
        self.config: dict[str, Any] = {}
        """The run's resolved configuration in plain containers, to be kept in its checkpoints."""

    @property
    def accumulating(self) -> bool:
        """Whether this iteration's gradients wait for the next one's: a checkpoint of now would lose them."""
        return bool(self.trainer.fit_loop._should_accumulate())

    @property
    def optimizer_names(self) -> list[str]:
        """What the configuration calls each of the optimizers, in their order; several may be of one node."""
        return ["optimizer"]

    @property
    def networks(self) -> list[Network]:
        """The network and, where there is one, its average."""
        return [self.network] if self.ema is None else [self.network, self.ema.network]

    def configure_model(self) -> None:
        """Share the weights among the processes, where the run is to (trainer=sharded)."""
        strategy = self.trainer.strategy
        if isinstance(strategy, FullySharded):
            if not self.shardable:
                raise InputError(
                    "trainer=sharded is for one network that learns by itself (paradigm=supervised): leave it out, and take "
                    "trainer.strategy=ddp."
                )
            for network in self.networks:
                strategy.shard(network)

    def reassemble(self, make: Callable[[], Network]) -> None:
        """Hold shared weights whole again, on the first process, in networks like that of the training."""
        if not isinstance(self.trainer.strategy, FullySharded):
            return
        weights = [whole_weights(network) for network in self.networks]
        if self.trainer.is_global_zero:
            whole = [make().to(self.device).to(memory_format=self.memory_format) for _ in weights]
            for network, state in zip(whole, weights, strict=True):
                network.load_state_dict(state)
            self.network = whole[0]
            if self.ema is not None:
                self.ema.network = whole[1].eval()

    def start_from(self, path: Path) -> None:
        """Begin with the weights of a file, the average too."""
        load_weights(self.beginner, path)
        if self.ema is not None:
            self.ema.network.load_state_dict(self.network.state_dict())

    @property
    def beginner(self) -> Network:
        """The network that the weights of a file are for."""
        return self.network

    def takes_over(self, trainer: Mapping[str, Any]) -> dict[str, Any]:
        """The Trainer's options that this paradigm sees to itself, as the Trainer is to have them instead: none."""
        return {}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        logged = self.trainer.fit_loop.epoch_loop._results
        for name in [name for name in logged if name.startswith("training_step.")]:
            del logged[name]  # or what this iteration does not compute would be logged as it was in an earlier one
        if isinstance(batch, Batch):  # HR too: losses and discriminators look at it as they do at SR
            batch.lr, batch.hr = (laid_out(image, self.memory_format) for image in (batch.lr, batch.hr))
            batch.guide = None if batch.guide is None else laid_out(batch.guide, self.memory_format)
        seed = key(self.settings.seed, "step", self.iteration, self.global_rank)
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 - third-party parts may draw from it
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                learns = self.iteration > group.get("waits", 0)
                group["lr"] = group["initial_lr"] * self.rate_factor() * (group.get("rate", 1.0) if learns else 0.0)

    def rate_factor(self) -> float:
        """Of each optimizer's learning rate, in this iteration."""
        return self.settings.scheduler(self.iteration - 1)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        loss, every = self.trainer.callback_metrics.get("train/loss"), self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if loss is not None and self.iteration % every == 0 and not bool(loss.isfinite()):
            raise InputError(
                f"At iteration {self.iteration} the loss is no number any more ({float(loss)}), and what follows would be "
                f"none either: lower optimizer.lr, set trainer.gradient_clip_val=1, or try trainer.precision=32-true."
            )

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        if self.ema is not None:
            self.ema.update(self.network, self.iteration)

    def prepared(self, optimizer: Optimizer) -> Optimizer:
        """The optimizer, with the rate that the schedule multiplies noted in each group."""
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        return optimizer

    def log_terms(self, terms: Terms, **others: Tensor | float) -> None:
        """Log what a step minimised, `train/loss`, each of its terms, `train/loss_<name>`, and what else is given."""
        losses = {f"loss_{name}": value for name, value in terms.values.items()}
        self.log_scalars("train", losses | {"loss": terms.total.detach()} | others)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["config"], checkpoint["facts"] = self.config, self.facts

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        # The end of that run, where it was saved, is not the end of this one, which may be longer: Lightning would stop.
        checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"] = False

    def panels(self, batch: Any) -> list[Panel]:
        """What a paradigm shows of its own, at a validation, of the last training batch: nothing."""
        return []

    def leave(self, folder: Path) -> dict[str, Path]:
        """Write what this paradigm leaves in the run folder beside checkpoints and scores: where each thing lies."""
        return {}
