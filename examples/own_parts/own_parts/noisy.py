"""A paradigm that enlarges and cleans at once: an example of a paradigm that lives outside srlab."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.losses.weighted import WeightedSum
from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.supervised import Supervised
from srlab.types import Batch


class NoisyInputs(Supervised):
    """Learn from LR images with Gaussian noise, drawn anew in each iteration, to clean HR images.

    The draw needs no generator of its own: srlab seeds the global one by (seed, iteration, rank) before each step, so that
    a run that was killed goes on with the same noise.

    Args:
        network, training, loss, optimizer: see `Supervised`.
        sigma: of the noise, with white at 1.
    """

    def __init__(
        self,
        network: Network,
        training: Training,
        loss: WeightedSum,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
        sigma: float,
    ) -> None:
        super().__init__(network, training, loss, optimizer)
        self.sigma = sigma

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        noisy = batch.lr + self.sigma * torch.randn_like(batch.lr)
        return super().training_step(replace(batch, lr=noisy), batch_idx)
