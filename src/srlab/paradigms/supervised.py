"""Supervised learning: LR -> HR from aligned pairs."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.losses.gan import GAN
from srlab.losses.weighted import Step, Terms, WeightedSum
from srlab.networks.network import Network
from srlab.networks.pixel_recursive import PixelRecursive
from srlab.paradigms.base import SuperResolution, Training
from srlab.types import Batch


class Supervised(SuperResolution):
    """Minimise a weighted sum of losses between the network's prediction and the HR image.

    Args:
        network: LR -> HR.
        training: what every paradigm has.
        loss: the objective.
        optimizer: parameters -> optimizer.

    Raises:
        ValueError: the network draws its output, which then has no gradient; or a loss needs a discriminator.
    """

    shardable = True

    def __init__(
        self,
        network: Network,
        training: Training,
        loss: WeightedSum,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
    ) -> None:
        super().__init__(network, training)
        if isinstance(network, PixelRecursive):
            raise ValueError(
                "A drawn image has no gradient: train network=pixel_recursive with paradigm=pixel_recursive."
            )
        if loss.of_kind(GAN):
            raise ValueError("An adversarial loss needs a discriminator: choose paradigm=adversarial, or another loss.")
        self.loss, self.make_optimizer = loss, optimizer

    def configure_optimizers(self) -> Optimizer:
        groups: list[Any] = self.network.parameter_groups()
        return self.prepared(self.make_optimizer(groups))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        terms: Terms = self.loss(Step(self.network.of(batch), batch, self.iteration))
        self.log_terms(terms)
        return terms.total
