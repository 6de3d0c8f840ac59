"""A callback that tells what each process of a training was served."""

import json
from pathlib import Path
from typing import Any

import lightning.pytorch as pl


class NotePositions(pl.Callback):
    """Append iteration, rank and positions of each batch to `served_<rank>.jsonl` in the run folder."""

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, *_: Any) -> None:
        note = [trainer.fit_loop.epoch_loop.batch_progress.total.ready, batch.positions.tolist()]
        with (Path(trainer.default_root_dir) / f"served_{trainer.global_rank}.jsonl").open("a") as file:
            file.write(json.dumps(note) + "\n")
