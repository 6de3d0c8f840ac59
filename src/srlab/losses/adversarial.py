"""Adversarial objectives on a discriminator's logits, of any shape: real and fake (...) -> ().

Each has `discriminator`, what the discriminator minimises, and `generator`, what the generator minimises.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


class Objective(ABC):
    """Base of the adversarial objectives.

    Attributes:
        penalty: the weight of `gradient_penalty` that belongs to the discriminator's objective.
        compares: whether the generator's objective looks at the real logits too.
    """

    penalty: float = 0.0
    compares: bool = False

    @abstractmethod
    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the discriminator minimises."""

    @abstractmethod
    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """What the generator minimises; one that compares needs `real_logits`."""


class Vanilla(Objective):
    """Cross entropy, with the generator's objective that does not saturate (Goodfellow et al., NIPS 2014; SRGAN)."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return F.softplus(-fake_logits).mean()


class LeastSquares(Objective):
    """Half the squared distance to the labels 1 and 0 (LSGAN; Mao et al., ICCV 2017, arXiv 1611.04076, equation 9)."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return 0.5 * (real_logits - 1).square().mean() + 0.5 * fake_logits.square().mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return 0.5 * (fake_logits - 1).square().mean()


class Hinge(Objective):
    """The hinge (Lim and Ye 2017, arXiv 1705.02894; SN-GAN): what is beyond the margins counts no more."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return -fake_logits.mean()


class WassersteinGP(Objective):
    """The critic's difference, with a gradient penalty (WGAN-GP; Gulrajani et al., NIPS 2017, arXiv 1704.00028).

    Args:
        penalty: the weight of `gradient_penalty` (paper: 10).
    """

    def __init__(self, penalty: float = 10.0) -> None:
        if penalty <= 0:
            raise ValueError(f"penalty={penalty} must be above 0, or the critic has no bound: the paper takes 10.")
        self.penalty = penalty

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return fake_logits.mean() - real_logits.mean()

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        return -fake_logits.mean()


class RelativisticAverage(Objective):
    """Whether real is more real than fake is on average, and the reverse (RaGAN; arXiv 1807.00734; ESRGAN, section 3.2).

    Half the sum of both cross entropies, as in ESRGAN's code, to which its weight of 5e-3 belongs.
    """

    compares = True

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        more_real, less_real = real_logits - fake_logits.mean(), fake_logits - real_logits.mean()
        return 0.5 * (F.softplus(-more_real).mean() + F.softplus(less_real).mean())

    def generator(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        if real_logits is None:
            raise ValueError("The relativistic objective compares: hand it the logits of real images too.")
        return self.discriminator(real_logits=fake_logits, fake_logits=real_logits)


def gradient_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """How far the critic's slope is from 1 between real and fake (WGAN-GP, equation 3): (B, ...), (B, ...) -> ().

    The mean of (|gradient of the sample's mean logit| - 1)^2 at a random point between each real and its fake; drawn
    from the global random state, computed in float32.
    """
    with torch.autocast(real.device.type, enabled=False):
        share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
        between = torch.lerp(real.detach().float(), fake.detach().float(), share).requires_grad_(True)
        logits = discriminator(between).reshape(len(real), -1).mean(dim=1)
        (slopes,) = torch.autograd.grad(logits.sum(), between, create_graph=True)
    excess: Tensor = slopes.flatten(1).norm(dim=1) - 1
    return excess.square().mean()
