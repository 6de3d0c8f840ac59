"""Every adversarial objective moves the generator's distribution to the real one, through the paradigm itself.

LR images are noise, HR images have colours from a Gaussian that is known, and no other loss ties one to the other: an
affine generator makes Gaussian colours too, so the distance of the two distributions (Wasserstein-2) has a closed form.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from srlab.build import build
from srlab.losses.adversarial import Hinge, LeastSquares, Objective, RelativisticAverage, Vanilla, WassersteinGP
from srlab.losses.gan import GAN
from srlab.losses.weighted import WeightedSum
from srlab.networks.discriminators import Discriminator
from srlab.networks.network import Network
from srlab.paradigms.adversarial import Adversarial
from srlab.paradigms.base import Training
from srlab.schedules import Cosine
from srlab.types import Batch, Prediction
from tests.conftest import composed

MEAN = torch.tensor([0.7, 0.5, 0.3])
FACTOR = torch.tensor([[0.20, 0.0, 0.0], [0.12, 0.10, 0.0], [-0.05, 0.05, 0.08]])  # of the covariance
ITERATIONS = 350


class Noise(IterableDataset[Batch]):
    """LR of noise, HR of colours around MEAN."""

    def __iter__(self) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(1)
        for _ in range(ITERATIONS):
            lr, colours = torch.randn(2, 4, 3, 8, 8, generator=generator)
            yield Batch(lr, MEAN.view(3, 1, 1) + torch.einsum("ij,bjhw->bihw", FACTOR, colours), torch.arange(4))


class Affine(Network):
    """Colours are an affine function of LR's."""

    def __init__(self) -> None:
        super().__init__(channels=3, scale=1, multiple_of=1, halo=0)
        self.layer = nn.Conv2d(3, 3, 1)

    def predict(self, lr: Tensor) -> Prediction:
        return Prediction(self.layer(lr), {})


class ColourCritic(Discriminator):
    """A logit for each pixel's colour."""

    def __init__(self) -> None:
        super().__init__(in_channels=3, smallest=1)
        layers: list[nn.Module] = [nn.Conv2d(3, 32, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 32, 1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(32, 1, 1))

    def judge(self, image: Tensor) -> Tensor:
        logits: Tensor = self.layers(image)
        return logits


def distance(network: Affine) -> float:
    """Wasserstein-2 between the generator's colours and the real ones, both Gaussian."""
    weight, bias = network.layer.weight[:, :, 0, 0].detach().double(), network.layer.bias.detach().double()  # type: ignore[union-attr]
    ours, real = (weight @ weight.T).numpy(), (FACTOR @ FACTOR.T).double().numpy()
    root = sqrtm(real)
    mixed = sqrtm(root @ ours @ root).real
    squared = float((bias - MEAN).square().sum()) + (ours + real - 2 * mixed).trace()
    return float(max(squared, 0) ** 0.5)


@pytest.mark.parametrize(
    ("objective", "period"),
    [(Vanilla(), 1), (LeastSquares(), 1), (Hinge(), 1), (WassersteinGP(), 2), (RelativisticAverage(), 1)],
    ids=["vanilla", "lsgan", "hinge", "wgan_gp", "ragan"],
)
def test_the_generators_distribution_becomes_the_real_one(objective: Objective, period: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    training = Training(0, Cosine(ITERATIONS), build(composed("train", []).protocol), ema_decay=0.95)
    adam = partial(torch.optim.Adam, lr=0.01, betas=(0.5, 0.9))
    network = Affine()
    paradigm = Adversarial(network, training, WeightedSum({"gan": GAN(objective)}), ColourCritic(), adam, adam, period)
    before = distance(network)
    trainer = pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
    )
    trainer.fit(paradigm, DataLoader(Noise(), batch_size=None))
    assert isinstance(paradigm.evaluated, Affine)
    after = distance(paradigm.evaluated)
    assert before > 0.5
    assert after < 0.15 * before
