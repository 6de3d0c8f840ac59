"""Adversarial training: the network as a generator against a discriminator (SRGAN, ESRGAN, EnhanceNet)."""

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from srlab.losses.adversarial import Vanilla, gradient_penalty
from srlab.losses.gan import GAN
from srlab.losses.weighted import Step, WeightedSum
from srlab.networks.discriminators import Discriminator
from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.players import MakeOptimizer, Player, Players
from srlab.schedules import Schedule
from srlab.types import Batch


class Adversarial(Players):
    """In each iteration the network minimises its losses; then the discriminator learns to tell that SR from HR.

    Each sees the other as it was before the iteration (the order of ESRGAN's code), so that accumulated batches are one
    large batch to both.

    One of these is `GAN`, the other side of the discriminator's objective. While it has no weight (its warm-up, its
    ramp), the discriminator rests and the network is trained by the other losses alone. Start from a network trained on
    pixels by `weights=`.

    Args:
        network: LR -> HR, the generator.
        training: what every paradigm has.
        loss: the generator's objective.
        discriminator: image -> logits.
        optimizer, optimizer_d: parameters -> optimizer, of the network and of the discriminator.
        generator_period: the network takes a turn in every so many iterations: 5 for the 5:1 of WGAN-GP.
        instance_noise: iteration (from 0) -> standard deviation of noise on every image that the discriminator sees,
            falling to 0, so that it cannot win early (Sonderby et al., ICLR 2017); None for none.
        rest_above: the discriminator rests while it is ahead (EnhanceNet; Sajjadi et al., ICCV 2017): after a batch of
            which it was right about HR, and about SR too, with a mean probability above this; None: it never rests.

    Raises:
        ValueError: there is not one adversarial loss, or the discriminator does not fit.
    """

    certainty: Tensor

    def __init__(
        self,
        network: Network,
        training: Training,
        loss: WeightedSum,
        discriminator: Discriminator,
        optimizer: MakeOptimizer,
        optimizer_d: MakeOptimizer,
        generator_period: int = 1,
        instance_noise: Schedule | None = None,
        rest_above: float | None = None,
    ) -> None:
        super().__init__(network, training)
        adversarial = loss.of_kind(GAN)
        if len(adversarial) != 1:
            raise ValueError(
                f"paradigm=adversarial takes one adversarial loss, got {', '.join(adversarial) or 'none'}: add gan, lsgan, "
                f"hinge, wgan_gp or ragan, as in loss=[l1,gan]."
            )
        (self.gan,) = adversarial.values()
        if discriminator.in_channels != network.channels:
            raise ValueError(
                f"the discriminator sees {discriminator.in_channels} channels, the network makes {network.channels}: set "
                f"discriminator.in_channels={network.channels}."
            )
        if self.gan.objective.penalty and any(isinstance(layer, _BatchNorm) for layer in discriminator.modules()):
            raise ValueError(
                "The gradient penalty is each sample's own, which batch normalisation mixes: set discriminator.norm=none."
            )
        if generator_period < 1:
            raise ValueError(f"paradigm.generator_period={generator_period}: give 1 or more.")
        if rest_above is not None and not (0.5 <= rest_above < 1 and isinstance(self.gan.objective, Vanilla)):
            raise ValueError(
                f"paradigm.rest_above={rest_above}: give a probability from 0.5 to below 1, of the loss gan, whose logits "
                f"alone are those of a probability; or null."
            )
        self.loss, self.generator_period, self.instance_noise = loss, generator_period, instance_noise
        self.rest_above = rest_above
        if rest_above is not None:
            self.register_buffer("certainty", torch.zeros(2))  # about HR and about SR, in the round before
        self._certainties: list[Tensor] = []
        self.discriminator = discriminator.to(memory_format=self.memory_format)
        self.players = {
            "discriminator": Player((self.discriminator,), optimizer_d, "optimizer_d"),
            "generator": Player((self.network,), optimizer),
        }

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        contested = self.gan.weight_at(self.iteration) > 0
        generating = not contested or (self.round + 1) % self.generator_period == 0
        with torch.set_grad_enabled(generating):
            prediction = self.network.of(batch)
        if generating:
            with self.turn("generator") as descend:
                terms = self.loss(Step(prediction, batch, self.iteration, self.judge))
                descend(terms.total)
            self.log_terms(terms)
        if contested:
            self._teach_discriminator(prediction.sr.detach(), batch.hr)

    def judge(self, image: Tensor) -> Tensor:
        """The discriminator's logits of images (B, C, H, W), seen through the noise of the iteration."""
        sigma = self.instance_noise(self.iteration - 1) if self.instance_noise else 0.0
        logits: Tensor = self.discriminator(image + sigma * torch.randn_like(image) if sigma else image)
        return logits.float()

    def _teach_discriminator(self, fake: Tensor, real: Tensor) -> None:
        objective, resting = self.gan.objective, self.is_ahead
        with torch.set_grad_enabled(not resting), self.turn("discriminator") as descend:
            real_logits, fake_logits = self.judge(real), self.judge(fake)
            loss = objective.discriminator(real_logits, fake_logits)
            if objective.penalty:
                loss = loss + objective.penalty * gradient_penalty(self.judge, real, fake)
            if not resting:
                descend(loss)
        logits = {"logit_real": real_logits, "logit_fake": fake_logits}
        means = {name: value.detach().mean() for name, value in logits.items()}
        if self.rest_above is not None:
            means["discriminator_rests"] = torch.tensor(float(resting))
            self._note_certainty(real_logits.detach(), fake_logits.detach())
        self.log_scalars("train", {"loss_discriminator": loss.detach()} | means)

    @property
    def is_ahead(self) -> bool:
        """Whether the discriminator was right too often in the round before, and rests in this one."""
        return self.rest_above is not None and bool((self.certainty > self.rest_above).all())

    def _note_certainty(self, real_logits: Tensor, fake_logits: Tensor) -> None:
        """Keep how certain it was in this round, of all its batches and ranks, for the next."""
        self._certainties.append(torch.stack([real_logits.sigmoid().mean(), (-fake_logits).sigmoid().mean()]))
        if not self.accumulating:
            mean = torch.stack(self._certainties).mean(0)
            self.certainty.copy_(self.trainer.strategy.reduce(mean, reduce_op="mean"))
            self._certainties.clear()
