"""The settings of a training that are the same in every paradigm."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from srlab.evaluation.metrics import Metric
from srlab.evaluation.protocol import Protocol
from srlab.schedules import Schedule


@dataclass(frozen=True)
class Training:
    """What is the same in every paradigm.

    Attributes:
        seed: of the run.
        scheduler: iteration (from 0) -> factor of each optimizer's learning rate.
        protocol: how validation and tests make LR images and score results.
        metrics: further metrics by name, beside the protocol's.
        ema_decay: of the network's moving average; None for none.
        evaluate: `ema` or `raw`: which weights are validated, tested and exported.
        channels_last: keep images and weights with the channels innermost in memory: faster convolutions.
        compile: `torch.compile` the network; state-dict names stay.
    """

    seed: int
    scheduler: Schedule
    protocol: Protocol
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    ema_decay: float | None = 0.999
    evaluate: str = "ema"
    channels_last: bool = True
    compile: bool = False

    def __post_init__(self) -> None:
        if self.evaluate not in {"ema", "raw"}:
            raise ValueError(f"training.evaluate={self.evaluate}: choose ema or raw.")
        if self.evaluate == "ema" and self.ema_decay is None:
            raise ValueError(
                "training.evaluate=ema needs an average: set training.ema_decay, or training.evaluate=raw."
            )
