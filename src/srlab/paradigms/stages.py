"""A paradigm of two stages, one after the other in one run; which of them an iteration belongs to is its number's say."""

from typing import Any

from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.players import Players


class TwoStages(Players):
    """A base for paradigms whose players change once. Each stage goes through the whole schedule of learning rates.

    Args:
        network: LR -> HR: what is averaged, validated and exported.
        training: what every paradigm has.
        first_stage: its iterations; a fraction of the training where below 1.
        iterations: of the training, for fractions.
        second_rate: factor of all learning rates in the second stage.

    Attributes:
        boundary: the last iteration of the first stage.
    """

    def __init__(
        self, network: Network, training: Training, first_stage: float, iterations: int, second_rate: float = 1.0
    ) -> None:
        super().__init__(network, training)
        if first_stage < 0 or second_rate <= 0:
            raise ValueError(f"a first stage of {first_stage}, and rates times {second_rate} after it: give more.")
        self.boundary = round(first_stage * iterations) if first_stage < 1 else int(first_stage)
        self.second_rate = second_rate

    @property
    def in_first_stage(self) -> bool:
        """Whether this iteration belongs to the first stage."""
        return self.iteration <= self.boundary

    def rate_factor(self) -> float:
        length = int(self.trainer.num_training_batches)
        if self.in_first_stage:
            start, end, factor = 0, min(self.boundary, length), 1.0
        else:
            start, end, factor = self.boundary, length, self.second_rate
        return factor * self.settings.scheduler((self.iteration - 1 - start) * length // (end - start))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["boundary"] = self.boundary

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self.boundary = checkpoint["boundary"]  # a fraction of a run that was made longer would move it
