"""Cycle-in-cycle: clean the LR image, then enlarge it, each judged by a cycle (CinCGAN; Yuan et al., CVPRW 2018).

X are real LR images, Z are HR images of other scenes, Y clean LR images: Z, reduced. The inner cycle is x -> G1 -> y ->
G2 -> x, judged by D1 among Y; the outer is x -> G1 -> SR -> z -> G3 -> x, judged by D2 among Z.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.errors import InputError
from srlab.evaluation.strips import Panel
from srlab.losses.adversarial import Objective
from srlab.losses.weighted import Terms
from srlab.networks.discriminators import Discriminator
from srlab.networks.network import Network
from srlab.networks.translators import Chained, Translator
from srlab.paradigms.base import Training
from srlab.paradigms.players import MakeOptimizer, Player
from srlab.paradigms.stages import TwoStages
from srlab.types import Batch

Measures = dict[str, Callable[[], Tensor]]


@dataclass(frozen=True)
class CycleWeights:
    """Of the terms of a cycle (section 3): what a generator makes of x is judged, led back, and smooth.

    Attributes:
        adversarial: whether the discriminator takes it for real.
        cycle: the squared error of x when it comes back.
        identity: the error of what is made of an image that is as it should be already.
        variation: the mean squared difference of its neighbours.
    """

    adversarial: float = 1.0
    cycle: float = 10.0
    identity: float = 5.0
    variation: float = 0.5

    def __post_init__(self) -> None:
        if min(vars(self).values()) < 0 or not any(vars(self).values()):
            raise ValueError(f"{self}: give 0 or more, and not 0 for all.")

    def total(self, measures: Measures, prefix: str) -> Terms:
        """The weighted sum; a term without weight is not computed. A name's first word says its weight."""
        weights = {name: getattr(self, name.partition("_")[0]) for name in measures}
        values = {name: measure() for name, measure in measures.items() if weights[name]}
        total = torch.stack([weights[name] * value for name, value in values.items()]).sum()
        return Terms(total, {f"{prefix}_{name}": value.detach() for name, value in values.items()})


class CycleInCycle(TwoStages):
    """The inner cycle alone for `inner_iterations`, then in each iteration the inner cycle and the outer one.

    Begin with a network trained on bicubic pairs: `weights=` fills the SR network. G1 and SR together are what is
    averaged, validated and exported.

    Args:
        network: SR after G1.
        training: what every paradigm has.
        translator: makes G2 and G3, when called with `channels` and `scale`.
        discriminator_lr: D1.
        discriminator: D2.
        objective: of both (paper: least squares).
        optimizer, optimizer_g, optimizer_d: of the outer cycle's nets, of the inner cycle's, of each discriminator.
        inner, outer: the weights of the cycles.
        identity: of G1: (G1(y), y) -> () (paper: the absolute error, as of SR). Its slope at 0 is as steep as anywhere: G1
            that begins as the identity then leaves it late or never, where a squared error lets it go.
        inner_iterations: of the inner cycle alone; a fraction of the training where below 1.
        iterations: of the training, for fractions.
        outer_rate: factor of all learning rates once the outer cycle is there (paper: 1e-4 after 2e-4).
        reverse: close the inner cycle the other way too, y -> G2 -> x -> G1 -> y, judged by one more discriminator of
            `discriminator_lr`'s design among X; the paper has none.

    Raises:
        ValueError: the network is no `Chained` one.
    """

    def __init__(
        self,
        network: Chained,
        training: Training,
        translator: Callable[..., Translator],
        discriminator_lr: Discriminator,
        discriminator: Discriminator,
        objective: Objective,
        optimizer: MakeOptimizer,
        optimizer_g: MakeOptimizer,
        optimizer_d: MakeOptimizer,
        inner: CycleWeights,
        outer: CycleWeights,
        identity: nn.Module,
        inner_iterations: float,
        iterations: int,
        outer_rate: float = 0.5,
        reverse: bool = False,
    ) -> None:
        if not isinstance(network, Chained):
            raise ValueError(f"{type(network).__name__} has no G1: leave paradigm.network as the choice has it.")
        super().__init__(network, training, inner_iterations, iterations, outer_rate)
        self.back = translator(channels=network.channels).to(memory_format=self.memory_format)
        self.reduce = translator(channels=network.channels, scale=network.scale).to(memory_format=self.memory_format)
        self.discriminator_lr, self.discriminator = discriminator_lr, discriminator
        self.discriminator_real = copy.deepcopy(discriminator_lr) if reverse else None
        self.objective, self.inner, self.outer, self.identity = objective, inner, outer, identity
        self.players = {
            "discriminator_lr": Player((discriminator_lr,), optimizer_d, "optimizer_d"),
            "inner": Player((network.translator, self.back), optimizer_g, "optimizer_g"),
            "discriminator": Player((discriminator,), optimizer_d, "optimizer_d"),
            "outer": Player((network, self.reduce), optimizer),
        }
        if self.discriminator_real is not None:
            self.players["discriminator_real"] = Player((self.discriminator_real,), optimizer_d, "optimizer_d")

    @property
    def chain(self) -> Chained:
        """G1, then SR."""
        assert isinstance(self.network, Chained)
        return self.network

    @property
    def beginner(self) -> Network:
        return self.chain.enlarger

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        if batch.real_lr is None:
            raise InputError("There are no real LR images to learn from: choose data=unpaired, with its two folders.")
        self._inner_turns(batch.real_lr, batch.lr)
        if not self.in_first_stage:
            self._outer_turns(batch.real_lr, batch.lr, batch.hr)

    def _inner_turns(self, x: Tensor, y: Tensor) -> None:
        made = self.chain.translator(x)
        self._judge("discriminator_lr", self.discriminator_lr, y, made)
        measures = self.inner_measures(x, y, made)
        if self.discriminator_real is not None:
            worsened = self.back(y)
            self._judge("discriminator_real", self.discriminator_real, x, worsened)
            measures |= self.reverse_measures(y, worsened, self.discriminator_real)
        with self.turn("inner") as descend:
            terms = self.inner.total(measures, "inner")
            descend(terms.total)
        self.log_terms(terms)

    def _outer_turns(self, x: Tensor, y: Tensor, z: Tensor) -> None:
        made = self.chain(x).sr
        self._judge("discriminator", self.discriminator, z, made)
        with self.turn("outer") as descend:
            terms = self.outer.total(self.outer_measures(x, y, z, made), "outer")
            descend(terms.total)
        self.log_terms(terms)

    def inner_measures(self, x: Tensor, y: Tensor, made: Tensor) -> Measures:
        """The terms of the inner cycle, given G1(x): they train G1 and G2."""
        return {
            "adversarial": lambda: self.objective.generator(self.discriminator_lr(made).float()),
            "cycle": lambda: F.mse_loss(self.back(made), x),
            "identity": lambda: self.identity(self.chain.translator(y), y),
            "variation": lambda: variation(made),
        }

    def reverse_measures(self, y: Tensor, made: Tensor, judge: nn.Module) -> Measures:
        """What the reverse cycle adds, given G2(y)."""
        return {
            "adversarial_reverse": lambda: self.objective.generator(judge(made).float()),
            "cycle_reverse": lambda: F.mse_loss(self.chain.translator(made), y),
        }

    def outer_measures(self, x: Tensor, y: Tensor, z: Tensor, made: Tensor) -> Measures:
        """The terms of the outer cycle, given SR(G1(x)): they train G1, SR and G3, but the identity SR alone."""
        return {
            "adversarial": lambda: self.objective.generator(self.discriminator(made).float()),
            "cycle": lambda: F.mse_loss(self.reduce(made), x),
            "identity": lambda: F.l1_loss(self.chain.enlarger(y).sr, z),
            "variation": lambda: variation(made),
        }

    def _judge(self, name: str, judge: nn.Module, real: Tensor, fake: Tensor) -> None:
        with self.turn(name) as descend:
            loss = self.objective.discriminator(judge(real).float(), judge(fake.detach()).float())
            descend(loss)
        self.log_scalars("train", {f"loss_{name}": loss.detach()})

    def moved(self, name: str) -> None:
        if self.ema is not None and name == ("inner" if self.in_first_stage else "outer"):
            self.ema.update(self.network, self.iteration)

    def panels(self, batch: Batch) -> list[Panel]:
        """Of a batch's first images: bicubic LR, real LR, what G1 makes of that, and what SR makes of that."""
        assert batch.real_lr is not None
        real, network = batch.real_lr[:1], self.evaluated
        assert isinstance(network, Chained)
        with torch.no_grad():
            cleaned = network.translator(real).clamp(0, 1)
        images = {"bicubic LR": batch.lr[:1], "real LR": real, "G1": cleaned, "SR": self.super_resolve(real)}
        return [Panel(name, image[0].float()) for name, image in images.items()]


def variation(image: Tensor) -> Tensor:
    """The mean squared difference of neighbours, down plus across: (B, C, H, W) -> ()."""
    down: Tensor = image.diff(dim=2).square().mean() + image.diff(dim=3).square().mean()
    return down
