"""Keeps a training at the stage that its iteration names, and says so in the logs."""

import logging
from typing import Any

import lightning.pytorch as pl

from srlab.curriculum.curriculum import Curriculum
from srlab.curriculum.scales import Scales
from srlab.networks.progressive import Progressive
from srlab.paradigms.base import SuperResolution
from srlab.types import Batch

log = logging.getLogger(__name__)


class FollowCurriculum(pl.Callback):
    """Before each batch: blend the levels of a pyramid, move the ramps' settings, log both.

    Logged are `train/stage`, `train/active_scales` (how many), `train/scale` (of the batch), `train/blend` (of the newest
    level), `train/difficulty` (mean of the batch), `train/difficulty_share`, and `train/ramp/<path>`. Nothing is remembered:
    all of it follows from the iteration, so that a resumed run goes on exactly.

    Args:
        curriculum: of the run.
    """

    def __init__(self, curriculum: Curriculum) -> None:
        self.curriculum = curriculum
        self._stage: int | None = None

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.curriculum.check_strategy(trainer)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, SuperResolution)
        done = pl_module.iteration - 1
        scalars: dict[str, Any] = {}
        if self.curriculum.scales:
            scalars |= self._blend(self.curriculum.scales, pl_module, done)
        if self.curriculum.difficulty:
            scalars["difficulty"] = batch.parameters["difficulty"].mean()
            scalars["difficulty_share"] = self.curriculum.difficulty.share(done)
        if self.curriculum.ramps:
            self.curriculum.ramps.move_training(pl_module, trainer.optimizers, done)
            scalars |= {f"ramp/{path}": value for path, value in self.curriculum.ramps.values(done).items()}
        pl_module.log_scalars("train", scalars)

    def _blend(self, scales: Scales, module: SuperResolution, done: int) -> dict[str, float]:
        blends, active, stage = scales.blends(done), scales.active(done), scales.stage(done)
        for network in module.networks:
            if isinstance(network, Progressive):
                network.blends = blends
        if stage != self._stage:
            self._stage = stage
            log.info("iteration %d: stage %d, scales %s", done + 1, stage, ", ".join(f"x{scale}" for scale in active))
        return {
            "stage": stage,
            "active_scales": len(active),
            "scale": scales.scale(done),
            "blend": blends.get(active[-1], 1.0),
        }
