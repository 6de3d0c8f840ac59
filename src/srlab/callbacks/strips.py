"""Pictures of what the network does, at every validation."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.loggers import WandbLogger
from PIL import Image

from srlab.evaluation.evaluate import Scored
from srlab.evaluation.strips import comparison, strip, without_truth
from srlab.paradigms.base import SuperResolution
from srlab.types import BareImage, LabelledImage


class ImageStrips(pl.Callback):
    """Write LR, bicubic, SR and HR of the first validation images side by side, each with its PSNR.

    A paradigm that has more to show (a learned LR image, say) does so of the last training batch.

    Args:
        folder: one PNG an image and validation: `<dataset>_<image>_<iteration>.png`, `training_<iteration>.png`.
        images: how many images of the first validation set.
    """

    def __init__(self, folder: str, images: int = 2) -> None:
        self.folder, self.images = Path(folder), images
        self.last_batch: Any = None

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.last_batch = batch

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: LabelledImage | BareImage,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if batch_idx >= self.images or dataloader_idx or not trainer.is_global_zero:
            return
        names = f"{batch.dataset}_{batch.name}", f"val/{batch.dataset}/{batch.name}"
        scored: Scored | None = outputs.get("scored")
        picture = comparison(scored) if scored else without_truth(outputs["lr"], outputs["sr"])
        self._show(trainer, picture, *names, _caption(scored) if scored else "LR, bicubic, SR")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.last_batch is None or not trainer.is_global_zero:
            return
        assert isinstance(pl_module, SuperResolution)
        if panels := pl_module.panels(self.last_batch):
            caption = ", ".join(panel.caption for panel in panels)
            self._show(trainer, strip(panels, zoom=2), "training", "train/images", caption)

    def _show(self, trainer: pl.Trainer, picture: Image.Image, file: str, name: str, caption: str) -> None:
        iteration = trainer.fit_loop.epoch_loop.batch_progress.total.ready
        self.folder.mkdir(parents=True, exist_ok=True)
        picture.save(self.folder / f"{file}_{iteration:09d}.png")
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image(name, [picture], step=iteration, caption=[f"iteration {iteration}: {caption}"])


def _caption(scored: Scored) -> str:
    """What the strip of a scored image shows, in words."""
    score = scored.scores[0]
    values = (
        f"bicubic {scored.baseline_headline:.2f} {score.unit}".rstrip(),
        f"SR {score.value:.2f} {score.unit}".rstrip(),
    )
    return ", ".join(["LR", *values, f"HR ({score.metric}, x{scored.case.scale})"])
