"""A paradigm whose networks are trained in turns, each player by an optimizer of its own (a GAN's generator and critic).

Lightning calls this manual optimization, and leaves to us what it does by itself elsewhere: clipping, accumulation, the
count of steps. However many turns an iteration has, it is one iteration: schedules, averages, checkpoints and
`trainer.global_step` count it once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.errors import InputError
from srlab.networks.network import Network
from srlab.paradigms.base import SuperResolution, Training

MakeOptimizer = Callable[[Iterable[Parameter]], Optimizer]


@dataclass(frozen=True)
class Player:
    """Networks that take a turn together.

    Attributes:
        networks: trained in this player's turn, and only they; a network may play in several turns (CinCGAN's).
        optimizer: parameters -> optimizer.
        node: what the configuration calls that optimizer.
    """

    networks: tuple[nn.Module, ...]
    optimizer: MakeOptimizer
    node: str = "optimizer"

    @property
    def parameters(self) -> list[Parameter]:
        """Of all its networks."""
        return [parameter for network in self.networks for parameter in network.parameters()]


class Players(SuperResolution):
    """A base for paradigms with several optimizers. A paradigm sets `players`, and takes turns in its `training_step`.

    Args:
        network: LR -> HR: what is averaged, validated and exported.
        training: what every paradigm has.
    """

    def __init__(self, network: Network, training: Training) -> None:
        super().__init__(network, training)
        self.automatic_optimization = False
        self.players: Mapping[str, Player] = {}
        self.gradient_clip: float | None = None
        self.accumulate = 1
        self._counted = 0

    def takes_over(self, trainer: Mapping[str, Any]) -> dict[str, Any]:
        """Clip and accumulate here, as the trainer's options say, since Lightning's Trainer refuses to."""
        self.gradient_clip = trainer.get("gradient_clip_val")
        self.accumulate = trainer.get("accumulate_grad_batches", 1)
        return {"gradient_clip_val": None, "accumulate_grad_batches": 1}

    def setup(self, stage: str) -> None:
        """Let processes exchange a player's gradients alone: in its turn the others' weights have none."""
        if isinstance(self.trainer.strategy, DDPStrategy):
            self.trainer.strategy._ddp_kwargs["find_unused_parameters"] = True

    @property
    def round(self) -> int:
        """Rounds of accumulated batches that are done, from 0: without accumulation, iterations."""
        return (self.iteration - 1) // self.accumulate

    def configure_optimizers(self) -> list[Optimizer]:
        weights = [id(weight) for player in self.players.values() for weight in player.parameters]
        if self.accumulate > 1 and len(set(weights)) < len(weights):
            raise InputError(
                f"trainer.accumulate_grad_batches={self.accumulate}, but a network is trained in two turns of each "
                f"iteration, whose gradients would mix: set it to 1, and data.batch_size higher."
            )
        return [self.prepared(player.optimizer(player.parameters)) for player in self.players.values()]

    @property
    def optimizer_names(self) -> list[str]:
        return [player.node for player in self.players.values()]

    @contextmanager
    def turn(self, name: str) -> Iterator[Callable[[Tensor], None]]:
        """A player's turn: within it, no other player's weights get a gradient.

        Yields:
            what takes the loss (), and moves the player's weights down its gradient; at once, or, where gradients are
            accumulated, when enough batches have gone by.
        """
        mine = {id(parameter) for parameter in self.players[name].parameters}
        everyone = chain.from_iterable(player.parameters for player in self.players.values())
        resting = [parameter for parameter in everyone if id(parameter) not in mine and parameter.requires_grad]
        for parameter in resting:
            parameter.requires_grad_(False)
        try:
            with self._casting_once():
                yield lambda loss: self._descend(name, loss)
        finally:
            for parameter in resting:
                parameter.requires_grad_(True)

    @contextmanager
    def _casting_once(self) -> Iterator[None]:
        """Under autocast, cast a weight once until it moves, not at each use as Lightning has it."""
        device = self.device.type
        enabled, dtype = torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)
        try:
            with torch.autocast(device, dtype=dtype, enabled=enabled, cache_enabled=True):
                yield
        finally:
            torch.clear_autocast_cache()

    def _descend(self, name: str, loss: Tensor) -> None:
        self.manual_backward(loss / self.accumulate)
        torch.clear_autocast_cache()  # whose graph is spent, and whose weights may move now
        if self.accumulating:
            return
        optimizer = self._optimizer(name)
        with self._uncounted(optimizer) if self._counted == self.iteration else self._counting():
            optimizer.step()
        optimizer.zero_grad()
        self.moved(name)

    def moved(self, name: str) -> None:
        """A player's weights have moved: the average follows the network."""
        if self.ema is not None and any(network is self.network for network in self.players[name].networks):
            self.ema.update(self.network, self.iteration)

    @property
    def accumulating(self) -> bool:
        """Whether this iteration's gradients wait for the next one's."""
        return self.iteration % self.accumulate > 0 and self.iteration < self.trainer.num_training_batches

    def on_validation_model_zero_grad(self) -> None:
        if not self.accumulating:
            super().on_validation_model_zero_grad()

    def _optimizer(self, name: str) -> LightningOptimizer:
        optimizers = self.optimizers()
        listed = optimizers if isinstance(optimizers, list) else [optimizers]
        optimizer = listed[list(self.players).index(name)]
        assert isinstance(optimizer, LightningOptimizer)
        return optimizer

    @contextmanager
    def _counting(self) -> Iterator[None]:
        self._counted = self.iteration
        yield

    @contextmanager
    def _uncounted(self, optimizer: LightningOptimizer) -> Iterator[None]:
        """Lightning counts every step of every optimizer as a `global_step`; after an iteration's first, hide them."""
        before, after = optimizer._on_before_step, optimizer._on_after_step
        optimizer._on_before_step = optimizer._on_after_step = lambda: None
        try:
            yield
        finally:
            optimizer._on_before_step, optimizer._on_after_step = before, after

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:  # gradients are unscaled by now
        if self.gradient_clip:
            self.clip_gradients(optimizer, gradient_clip_val=self.gradient_clip, gradient_clip_algorithm="norm")
