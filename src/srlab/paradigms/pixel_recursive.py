"""Maximum likelihood of HR sub-pixels (Pixel Recursive Super Resolution; Dahl et al., ICCV 2017, arXiv 1702.00783)."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.evaluation.evaluate import Scored
from srlab.evaluation.results import Score
from srlab.inference.enlarge import evaluating
from srlab.networks.network import Network
from srlab.networks.pixel_recursive import PixelRecursive, negative_log_likelihood
from srlab.paradigms.base import SuperResolution, Training
from srlab.types import Batch, LabelledImage


class PixelRecursiveTraining(SuperResolution):
    """Minimise the negative log-likelihood of the HR image with the prior, and that without it.

    The second term keeps the conditioning network from being ignored, since the sub-pixels before tell so much (equation
    7); its value is what the network is worth without the prior. Validation reports both, as `val/nll` and
    `val/nll_without_prior`, in nats a sub-pixel.

    Args:
        network: a `PixelRecursive`.
        training: what every paradigm has.
        optimizer: parameters -> optimizer.

    Raises:
        ValueError: the network gives no distribution.
    """

    def __init__(
        self,
        network: Network,
        training: Training,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
    ) -> None:
        super().__init__(network, training)
        if not isinstance(network, PixelRecursive):
            raise ValueError(f"{type(network).__name__} gives no distribution: choose network=pixel_recursive.")
        self.make_optimizer = optimizer

    def configure_optimizers(self) -> Optimizer:
        return self.prepared(self.make_optimizer(self.network.parameters()))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        both, conditioning = likelihoods(self.network, batch.lr, batch.hr)
        self.log_scalars("train", {"loss": both + conditioning, "nll": both, "nll_without_prior": conditioning})
        return both + conditioning

    def validation_step(self, image: LabelledImage, batch_idx: int) -> dict[str, Scored]:
        outputs = super().validation_step(image, batch_idx)
        size = (-1, self.network.channels, -1, -1)  # a grey image is shown to a colour network three times
        lr, hr = (part.float().to(self.device).expand(size) for part in (outputs["scored"].lr, outputs["scored"].hr))
        with evaluating(self.evaluated), torch.autocast(self.device.type, enabled=False):
            values = likelihoods(self.evaluated, lr, hr)
        for name, value in zip(("nll", "nll_without_prior"), values, strict=True):
            self.scores.append(Score(image.dataset, image.name, name, float(value), "nat", 0.0))
        return outputs


def likelihoods(network: Network, lr: Tensor, hr: Tensor) -> tuple[Tensor, Tensor]:
    """Negative log-likelihoods of HR images with and without the prior."""
    assert isinstance(network, PixelRecursive)
    logits = network.logits(lr, hr)
    return negative_log_likelihood(logits.both, hr), negative_log_likelihood(logits.conditioning, hr)
