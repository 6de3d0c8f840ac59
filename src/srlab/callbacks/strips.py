"""Pictures of what the network does, at every validation."""

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.loggers import WandbLogger

from srlab.evaluation.strips import comparison, without_truth
from srlab.types import BareImage, LabelledImage


class ImageStrips(pl.Callback):
    """Write LR, bicubic, SR and HR of the first validation images side by side, each with its PSNR.

    Args:
        folder: one PNG an image and validation: `<dataset>_<image>_<iteration>.png`.
        images: how many images of the first validation set.
    """

    def __init__(self, folder: str, images: int = 2) -> None:
        self.folder, self.images = Path(folder), images

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
        iteration = trainer.fit_loop.epoch_loop.batch_progress.total.ready
        picture = comparison(outputs["scored"]) if "scored" in outputs else without_truth(outputs["lr"], outputs["sr"])
        self.folder.mkdir(parents=True, exist_ok=True)
        picture.save(self.folder / f"{batch.dataset}_{batch.name}_{iteration:09d}.png")
        for logger in trainer.loggers:
            if isinstance(logger, WandbLogger):
                logger.log_image(f"val/{batch.dataset}/{batch.name}", [picture], step=iteration)
