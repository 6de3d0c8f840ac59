"""Learn the degradation first, then SR on the pairs that it makes (Bulat, Yang and Tzimiropoulos, ECCV 2018).

Step 1 learns HR -> LR from two sets of images without pairs; step 2 freezes it, and learns LR -> HR on what it makes of
HR. No gradient of step 2 ever reaches the degradation, which could otherwise hide in LR what SR wants to know.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from srlab.degradation.learned import FOLDER, export_degrader
from srlab.errors import InputError
from srlab.evaluation.strips import Panel
from srlab.losses.degradation import DegradationLoss
from srlab.losses.gan import GAN
from srlab.losses.weighted import Step, WeightedSum
from srlab.networks.degraders import Degrader
from srlab.networks.discriminators import Discriminator
from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.ema import MovingAverage
from srlab.paradigms.players import MakeOptimizer, Player
from srlab.paradigms.stages import TwoStages
from srlab.types import Batch


class DegradationGAN(TwoStages):
    """Step 1, for `degradation_iterations`: degrader against discriminator_lr. Step 2: the network on the frozen degrader.

    Each step goes through the whole schedule of learning rates, and has averages of its own; the degrader of step 2 is
    the averaged one where averages are evaluated. At the end of step 1 it is exported to the run's folder `degrader`,
    from where `degradation=learned` takes it to any other paradigm.

    Args:
        network: LR -> HR.
        training: what every paradigm has.
        loss: of step 2.
        degrader: HR -> LR.
        degradation: the loss of step 1.
        discriminator_lr: of real LR and learned LR.
        optimizer, optimizer_g, optimizer_d: of the network, of the degrader, of the discriminators.
        degradation_iterations: of step 1; a fraction of the training where below 1.
        iterations: of the training, for fractions.
        generator_period: the degrader takes a turn in every so many iterations (SN-GAN: 5).
        discriminator: of HR and SR, for the adversarial term in `loss`; None: there is none.

    Raises:
        ValueError: the parts do not fit each other.
    """

    def __init__(
        self,
        network: Network,
        training: Training,
        loss: WeightedSum,
        degrader: Degrader,
        degradation: DegradationLoss,
        discriminator_lr: Discriminator,
        optimizer: MakeOptimizer,
        optimizer_g: MakeOptimizer,
        optimizer_d: MakeOptimizer,
        degradation_iterations: float,
        iterations: int,
        generator_period: int = 1,
        discriminator: Discriminator | None = None,
    ) -> None:
        super().__init__(network, training, degradation_iterations, iterations)
        if (degrader.scale, degrader.channels) != (network.scale, network.channels):
            raise ValueError(
                f"the degrader has scale {degrader.scale} and {degrader.channels} channels, the network {network.scale} "
                f"and {network.channels}: set them alike."
            )
        if generator_period < 1:
            raise ValueError(f"paradigm.generator_period={generator_period}: give 1 or more.")
        adversarial = list(loss.of_kind(GAN).values())
        if len(adversarial) != (discriminator is not None):
            raise ValueError(
                "an adversarial loss in step 2 takes a discriminator of HR, and the reverse: choose both, as in "
                "loss=[l2,hinge] discriminator=spectral_resnet, or none."
            )
        self.loss, self.degradation = loss, degradation
        self.gan = adversarial[0] if adversarial else None
        self.degrader = degrader.to(memory_format=self.memory_format)
        self.discriminator_lr, self.discriminator = discriminator_lr, discriminator
        self.degrader_ema = MovingAverage(degrader, training.ema_decay) if training.ema_decay is not None else None
        self.generator_period = generator_period
        self.players = {
            "discriminator_lr": Player((discriminator_lr,), optimizer_d, "optimizer_d"),
            "degrader": Player((self.degrader,), optimizer_g, "optimizer_g"),
            "network": Player((network,), optimizer),
        }
        if discriminator is not None:
            self.players["discriminator"] = Player((discriminator,), optimizer_d, "optimizer_d")

    @property
    def pair_maker(self) -> Degrader:
        """The degrader whose LR step 2 learns from."""
        if self.degrader_ema is not None and self.settings.evaluate == "ema":
            return self.degrader_ema.network
        return self.degrader

    # Step 1

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        if self.in_first_stage:
            self._learn_degradation(batch)
        else:
            self._learn_network(batch)

    def _learn_degradation(self, batch: Batch) -> None:
        fake = self.degrader(batch.hr, self.degrader.draw(batch.hr))
        with self.turn("discriminator_lr") as descend:
            loss_d = self.degradation.discriminator(_real_lr(batch), fake, self.discriminator_lr)
            descend(loss_d)
        self.log_scalars("train", {"loss_discriminator_lr": loss_d.detach()})
        if (self.round + 1) % self.generator_period:
            return
        with self.turn("degrader") as descend:
            second = self.degrader(batch.hr, self.degrader.draw(batch.hr)) if self.degradation.takes_two else None
            terms = self.degradation.generator(fake, batch.hr, self.discriminator_lr, second)
            descend(terms.total)
        self.log_terms(terms)

    # Step 2

    def _learn_network(self, batch: Batch) -> None:
        pair = replace(batch, lr=self.learned_lr(batch.hr))
        prediction = self.network.of(pair)
        if self.discriminator is not None and self.gan is not None and self.gan.weight_at(self.iteration):
            with self.turn("discriminator") as descend:
                real, fake = self.discriminator(batch.hr), self.discriminator(prediction.sr.detach())
                loss_d = self.gan.objective.discriminator(real, fake)
                descend(loss_d)
            self.log_scalars("train", {"loss_discriminator": loss_d.detach()})
        with self.turn("network") as descend:
            terms = self.loss(Step(prediction, pair, self.iteration, self.discriminator))
            descend(terms.total)
        self.log_terms(terms)

    @torch.no_grad()
    def learned_lr(self, hr: Tensor, generators: Sequence[torch.Generator] | None = None) -> Tensor:
        """What the frozen degrader makes of HR, in [0, 1]."""
        maker = self.pair_maker
        mode = maker.training
        lr: Tensor = maker.eval()(hr, maker.draw(hr, generators)).clamp(0, 1)
        maker.train(mode)
        return lr

    # The end of a turn, of step 1, of the training

    def moved(self, name: str) -> None:
        if name == "degrader" and self.degrader_ema is not None:
            self.degrader_ema.update(self.degrader, self.iteration)
        if name == "network" and self.ema is not None:
            self.ema.update(self.network, self.iteration - self.boundary)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_start(batch, batch_idx)
        if self.iteration == self.boundary + 1:
            self._export()

    def on_train_end(self) -> None:
        self._export()

    def _export(self) -> None:
        """Write the degrader where `degradation=learned` finds it."""
        if self.trainer.is_global_zero and self.config:
            export_degrader(self.pair_maker, self.config["degrader"], Path(self.config["run_dir"]) / FOLDER)

    # Pictures

    def panels(self, batch: Batch) -> list[Panel]:
        """Of a batch's first images: bicubic LR beside learned LR, real LR, and what the network makes of that."""
        learned = self.learned_lr(batch.hr[:1], [torch.Generator().manual_seed(0)])
        real = _real_lr(batch)[:1]
        images = {"bicubic LR": batch.lr[:1], "learned LR": learned, "real LR": real, "SR": self.super_resolve(real)}
        return [Panel(name, image[0].float()) for name, image in images.items()]


def _real_lr(batch: Batch) -> Tensor:
    """The batch's real LR images.

    Raises:
        InputError: it has none.
    """
    if batch.real_lr is None:
        raise InputError("There are no real LR images to learn from: choose data=unpaired, with its two folders.")
    return batch.real_lr
