"""A run's curriculum: its parts, and who is told of them."""

from dataclasses import dataclass

from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy

from srlab.curriculum.difficulty import Difficulty
from srlab.curriculum.ramps import Ramps
from srlab.curriculum.scales import Scales
from srlab.errors import InputError
from srlab.networks.network import Network, ScalableNetwork
from srlab.networks.progressive import Progressive


@dataclass(frozen=True)
class Curriculum:
    """What changes in the course of a training; a run may have any of these.

    Attributes:
        scales: of the batches.
        difficulty: of the crops.
        ramps: of settings.
    """

    scales: Scales | None = None
    difficulty: Difficulty | None = None
    ramps: Ramps | None = None

    def check(self, network: Network, scale: int) -> None:
        """Refuse a network that cannot follow.

        Args:
            network: to be trained.
            scale: the run's own, at which the network is used when no other is named.

        Raises:
            InputError: it is made for one scale, or others, or the run's own scale is not among those of the curriculum.
        """
        if self.scales is None:
            return
        wanted = self.scales.scales
        if scale not in wanted:
            raise InputError(f"scale={scale} is none of the curriculum's scales {wanted}: set scale={wanted[-1]}.")
        if not isinstance(network, ScalableNetwork) or not set(wanted) <= set(network.scales):
            known = network.scales if isinstance(network, ScalableNetwork) else (network.scale,)
            raise InputError(
                f"the curriculum serves the scales {wanted}, the network has {known}: take network=mdsr, carn, prosrs or "
                f"lapsrn, or with framework=pre set framework.scales={list(wanted)}."
            )
        if self.scales.blends(0) and not isinstance(network, Progressive):
            raise InputError(
                f"{type(network).__name__} has no levels that could grow: take framework=progressive (network=prosrs), or "
                f"curriculum=mixed_scales."
            )

    @property
    def serves(self) -> str:
        """What of it reaches the training images, for messages; empty where nothing does."""
        named = {
            "scales": self.scales,
            "difficulty": self.difficulty,
            "ramps of the degradation": self.ramps and self.ramps.of_degradation,
        }
        return ", ".join(name for name, part in named.items() if part)

    def check_strategy(self, trainer: Trainer) -> None:
        """Refuse a strategy that waits for gradients of parts that are not trained at a batch's scale (`InputError`)."""
        strategy = trainer.strategy
        waits = isinstance(strategy, DDPStrategy) and not strategy._ddp_kwargs.get("find_unused_parameters")
        if self.scales and waits:
            raise InputError(
                "A batch of one scale trains one part of the network: set "
                "trainer.strategy=ddp_find_unused_parameters_true."
            )
