"""How the processes of a run share its data: one endless stream to train on, whole images to validate and test on."""

import logging
import signal
from abc import ABC, abstractmethod
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from srlab.data.evaluation import LabelledClips, LabelledImages
from srlab.data.stream import Positions
from srlab.errors import InputError
from srlab.sharding import FullySharded
from srlab.together import Together
from srlab.types import LabelledClip, LabelledImage

log = logging.getLogger(__name__)


class SharedData(pl.LightningDataModule, ABC):
    """Data by position: one epoch of the Trainer is the whole run of `iterations` batches.

    A resumed run goes on at the batch that the Trainer's progress names, also with another number of processes.

    Attributes:
        batch_size: samples of one rank in one batch.
        iterations: batches in the run.
        workers: processes that make samples.
    """

    batch_size: int
    iterations: int
    workers: int
    start_iteration: int | None = None
    """First batch of the stream; None: as many as the Trainer's progress says are done."""

    @abstractmethod
    def training_samples(self) -> Dataset[dict[str, Tensor]]:
        """The sample at each position of the stream."""

    @abstractmethod
    def evaluated(self, purpose: str) -> LabelledImages | LabelledClips:
        """What is validated (`val`) or tested (`test`)."""

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Batches from `start_iteration` to the end of the run."""
        samples = self.training_samples()
        rank, world = self._rank()
        positions = Positions(self.iterations, self.batch_size, self._start(), rank, world)
        return DataLoader(
            samples,
            batch_sampler=positions,
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=quiet_worker,
        )

    def val_dataloader(self) -> DataLoader[Any]:
        """This rank's share of the validation images, one at a time; all of them, where the network is shared itself."""
        together = isinstance(getattr(self.trainer, "strategy", None), FullySharded)
        rank, world = (0, 1) if together else self._rank()
        return self._images("val", rank, world)

    def test_dataloader(self, processes: Together | None = None) -> DataLoader[Any]:
        """The test images, one at a time: all of them, or the share of one of several processes."""
        return self._images("test", *((processes.rank, processes.world) if processes else (0, 1)))

    def state_dict(self) -> dict[str, Any]:
        """The samples of all ranks in one batch, by which a checkpoint's iteration is a position of the stream."""
        return {"together": self._together}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Share a resumed run's batches among as many ranks as there are now: the samples stay the same."""
        together, world = state_dict["together"], self._rank()[1]
        if together % world:
            raise InputError(
                f"this run takes {together} samples in a batch, which {world} processes cannot share: go on with a number "
                f"of processes that divides {together}."
            )
        if self.batch_size != together // world:
            log.warning("%d processes share the run's batches of %d samples now.", world, together)
            self.batch_size = together // world

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Move a training batch; a whole image stays, since it is scored on the CPU and only its LR goes to the device."""
        if isinstance(batch, LabelledImage | LabelledClip):
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    @property
    def _together(self) -> int:
        """Samples of all ranks in one batch."""
        return self.batch_size * self._rank()[1]

    def _images(self, purpose: str, rank: int, world: int) -> DataLoader[Any]:
        images = self.evaluated(purpose)
        if 0 < len(images) < world:
            raise InputError(f"{len(images)} {purpose} images cannot be shared among {world} ranks: use fewer devices.")
        share = range(rank, len(images), world)
        return DataLoader(images, batch_size=None, sampler=share)

    def _rank(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def _start(self) -> int:
        if self.start_iteration is not None:
            return self.start_iteration
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.processed if self.trainer else 0  # type: ignore[attr-defined]


def quiet_worker(worker: int) -> None:
    """Leave signals to the parent, and the cores to the training.

    Slurm signals every process of a step, and a forked worker inherits handlers that would requeue the job; Ctrl-C
    reaches all processes of a terminal.
    """
    for name in ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCONT", "SIGINT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    torch.set_num_threads(1)
