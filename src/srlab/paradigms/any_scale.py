"""Supervised learning at many real factors at once (Meta-SR; Hu et al., CVPR 2019, arXiv 1903.00875, section 4.1)."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.degradation.resize import resize
from srlab.losses.weighted import Step, Terms, WeightedSum
from srlab.networks.any_scale import AnyScale
from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.supervised import Supervised
from srlab.types import Batch


class AnyScaleTraining(Supervised):
    """Draw a factor in each iteration, reduce the HR batch by it, and learn to undo that.

    Args:
        network: an `AnyScale`; its own scale is the largest factor.
        training: what every paradigm has.
        loss: the objective.
        optimizer: parameters -> optimizer.
        smallest: the smallest factor.
        step: between factors.

    Raises:
        ValueError: the network is made for one scale, or there is no factor to draw.
    """

    shardable = False

    def __init__(
        self,
        network: Network,
        training: Training,
        loss: WeightedSum,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
        smallest: float = 1.1,
        step: float = 0.1,
    ) -> None:
        super().__init__(network, training, loss, optimizer)
        if not isinstance(network, AnyScale):
            raise ValueError(f"{type(network).__name__} is made for one scale: choose network=meta_edsr.")
        if step <= 0 or not 1 <= smallest <= network.scale:
            raise ValueError(
                f"smallest={smallest} and step={step}: expected a step above 0, and 1 to scale={network.scale}."
            )
        self.smallest, self.step = smallest, step

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        steps = math.floor((self.network.scale - self.smallest) / self.step + 1e-6)
        factor = round(self.smallest + self.step * int(torch.randint(steps + 1, ())), 6)
        lr, hr = reduced(batch.hr, factor)
        pair = Batch(lr, hr, batch.positions)
        terms: Terms = self.loss(Step(self.network(lr, factor), pair, self.iteration))
        self.log_terms(terms, factor=factor)
        return terms.total


def reduced(hr: Tensor, factor: float) -> tuple[Tensor, Tensor]:
    """An aligned pair: LR of as many whole pixels as fit, and HR cropped to what the network makes of them."""
    low = [math.floor(size / factor) for size in hr.shape[-2:]]
    high = [math.floor(size * factor) for size in low]
    hr = hr[..., : high[0], : high[1]]
    return resize(hr, size=(low[0], low[1])).clamp(0, 1), hr
