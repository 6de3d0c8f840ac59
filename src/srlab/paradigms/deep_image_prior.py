"""Deep image prior (Ulyanov, Vedaldi, Lempitsky; CVPR 2018, arXiv 1711.10925; section 3.2).

An untrained network is fitted to one LR image: min over its weights of |reduce(f(z)) - lr|^2, with z fixed noise. What
photographs have in common comes out of the network sooner than the rest, so the number of iterations is the regulariser.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.degradation.reduction import Reduction
from srlab.losses.weighted import Step, Terms, WeightedSum
from srlab.networks.network import Network
from srlab.networks.prior import NoisePrior
from srlab.paradigms.base import Training
from srlab.paradigms.single_image import FittedNetwork
from srlab.paradigms.stopping import MovingVariance
from srlab.types import Batch, Prediction

log = logging.getLogger(__name__)


class DeepImagePrior(FittedNetwork):
    """Fit a network that turns noise into an image to one LR image.

    The network stays in training mode: its batch norm is a part of the prior, and has no statistics to fall back on.

    Args:
        network, training, reduction, loss, optimizer: see `FittedNetwork`; the loss is measured at the size of LR.
        output: `average`: of the iterations' images, exponential; `last`: the last iteration's, as published, whose
            quality swings by more than half a dB from one to the next.
        average_decay: of the average; 0.99 remembers 100 iterations.
        patience: end the run when the images' variance has not been less for so many iterations, and take the image that
            was the result where it was least (see `MovingVariance`); None: run all iterations, as published.

    Raises:
        ValueError: the network is no prior, or an option cannot be.
    """

    unexportable = "a deep image prior is fitted to one image, and knows no other: its result is that image"
    average: Tensor
    last: Tensor
    kept: Tensor

    def __init__(
        self,
        network: Network,
        training: Training,
        reduction: Reduction | None,
        loss: WeightedSum,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
        output: Literal["average", "last"] = "average",
        average_decay: float = 0.99,
        patience: int | None = None,
    ) -> None:
        super().__init__(network, training, reduction, loss, optimizer)
        if not isinstance(network, NoisePrior):
            raise ValueError(
                f"A deep image prior makes an image out of noise, and {type(network).__name__} out of an image: choose "
                f"network=deep_image_prior (or framework=prior with any backbone)."
            )
        if output not in ("average", "last") or not 0 <= average_decay < 1:
            raise ValueError(
                f"paradigm.output={output}, paradigm.average_decay={average_decay}: choose average or last, and a decay "
                f"from 0 to below 1."
            )
        self.output, self.average_decay = output, average_decay
        self.stopping = None if patience is None else MovingVariance(patience)

    def setup(self, stage: str) -> None:
        super().setup(stage)
        height, width = (side * self.network.scale for side in self.lr.shape[-2:])
        for name in ("average", "last", *(["kept"] if self.stopping else [])):
            self.register_buffer(name, self.lr.new_full((1, self.network.channels, height, width), 0.5))
        if self.stopping:
            self.stopping.prepare(self.last)

    def on_train_start(self) -> None:
        if self.stopping and self.stopping.over:
            self.trainer.should_stop = True

    def training_step(self, lr: Tensor, batch_idx: int) -> Tensor:
        sr: Tensor = self.network(self.lr).sr
        batch = Batch(self.lr, self.lr, torch.tensor([self.iteration]))
        terms: Terms = self.loss(Step(Prediction(self.reduction(sr), {}), batch, self.iteration))
        self._note(sr.detach())
        self.log_terms(terms, **({} if self.stopping is None else {"variance": self.stopping.variance.clone()}))
        return terms.total

    def _note(self, sr: Tensor) -> None:
        self.last.copy_(sr)
        self.average.lerp_(sr, 1 - self.average_decay if self.iteration > 1 else 1.0)
        if self.stopping is None:
            return
        if self.stopping.update(sr, self.iteration):
            self.kept.copy_(self._running())
        if self.stopping.over:
            log.info("iteration %d: %s", self.iteration, self.stopping)
            self.trainer.should_stop = True

    def _running(self) -> Tensor:
        running: Tensor = self.average if self.output == "average" else self.last
        return running

    def result(self) -> Tensor:
        return self.kept if self.stopping and self.stopping.over else self._running()

    def other_results(self) -> dict[str, Tensor]:
        return {"average": self.average, "last": self.last}
