"""The same samples, bit for bit: with or without workers, on one rank or two, straight or restarted."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn

from srlab.data.choices import BenchmarkData, DIV2KData, FolderData, PairedData
from srlab.data.module import SuperResolutionData
from srlab.data.shared import quiet_worker
from srlab.data.sources import DeadLeaves, SkimagePhotos
from srlab.degradation.base import Chain
from srlab.degradation.downscale import Downscale
from srlab.degradation.noise import GaussianNoise
from srlab.errors import InputError
from srlab.types import Batch, LabelledImage

Draw = Callable[..., Path]
ITERATIONS = 6


def data(tmp_path: Path, **changes: Any) -> SuperResolutionData:
    numbers = {"scale": 2, "channels": 3, "batch_size": 4, "patch": 6, "iterations": ITERATIONS, "seed": 0}
    noisy = Chain([Downscale(2), GaussianNoise(sigma=[0.0, 0.1])])
    train = DeadLeaves(0, 5, 32)
    made = {"degradation": noisy, "train": train, "cache_dir": str(tmp_path / "cache"), **numbers, **changes}
    return SuperResolutionData(**made)


def batches(module: SuperResolutionData) -> list[Batch]:
    return [module.on_after_batch_transfer(raw, 0) for raw in module.train_dataloader()]


def same(one: list[Batch], other: list[Batch]) -> bool:
    def tensors(batch: Batch) -> list[Tensor]:
        return [batch.lr, batch.hr, batch.positions, *batch.parameters.values()]

    pairs = [(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(tensors(x), tensors(y), strict=True)]
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_workers_and_caches_change_nothing(tmp_path: Path) -> None:
    straight = batches(data(tmp_path))
    assert len(straight) == ITERATIONS
    assert straight[0].lr.shape == (4, 3, 6, 6)
    assert straight[0].hr.shape == (4, 3, 12, 12)
    assert torch.cat([batch.positions for batch in straight]).tolist() == list(range(4 * ITERATIONS))
    assert same(straight, batches(data(tmp_path, workers=3)))
    assert same(straight, batches(data(tmp_path, cache_gb=0.0)))
    assert same(straight, batches(data(tmp_path, cache_gb=0.0, disk_cache_gb=0.0)))
    assert not same(straight, batches(data(tmp_path, seed=1)))


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")
def test_a_restart_goes_on(tmp_path: Path) -> None:
    straight = batches(data(tmp_path))
    for workers in (0, 3):
        resumed = data(tmp_path, workers=workers)
        resumed.start_iteration = 4
        assert same(straight[4:], batches(resumed))


class Rank:
    """What the data asks of a Trainer."""

    def __init__(self, global_rank: int, world_size: int) -> None:
        self.global_rank, self.world_size, self.num_devices, self.testing = global_rank, world_size, world_size, False
        self.fit_loop = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu").fit_loop


def test_two_ranks_see_what_one_sees(tmp_path: Path) -> None:
    one = batches(data(tmp_path, batch_size=8))
    halves = []
    for rank in range(2):
        module = data(tmp_path)
        module.trainer = Rank(rank, 2)  # type: ignore[assignment]
        halves.append(batches(module))
    joined = [
        Batch(
            torch.cat([a.lr, b.lr]),
            torch.cat([a.hr, b.hr]),
            torch.cat([a.positions, b.positions]),
            {name: torch.cat([a.parameters[name], b.parameters[name]]) for name in a.parameters},
        )
        for a, b in zip(*halves, strict=True)
    ]
    assert same(one, joined)


class Recorder(pl.LightningModule):
    """Remembers its batches; ends the training after so many, as a preemption does."""

    def __init__(self, checkpoint: Path, stop_after: int | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.checkpoint = checkpoint
        self.stop_after = stop_after
        self.batches: list[Batch] = []
        self.images: list[LabelledImage] = []

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.batches.append(batch)
        return self.weight * batch.lr.mean()

    def on_train_batch_end(self, outputs: object, batch: Batch, batch_idx: int) -> None:
        if len(self.batches) == self.stop_after:
            self.trainer.save_checkpoint(self.checkpoint)
            raise KeyboardInterrupt

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        return batch

    def validation_step(self, image: LabelledImage, batch_idx: int) -> None:
        self.images.append(image)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def fit(recorder: Recorder, module: SuperResolutionData, checkpoint: Path | None = None) -> list[Batch]:
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        num_sanity_val_steps=0,
        val_check_interval=2,
    )
    with suppress(KeyboardInterrupt, SystemExit):
        trainer.fit(recorder, module, ckpt_path=checkpoint)
    return recorder.batches


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_trainer_resumes_in_the_stream(tmp_path: Path) -> None:
    checkpoint = tmp_path / "last.ckpt"
    straight = fit(Recorder(checkpoint), data(tmp_path))
    assert same(straight, batches(data(tmp_path)))
    first = fit(Recorder(checkpoint, stop_after=3), data(tmp_path))
    second = fit(Recorder(checkpoint), data(tmp_path), checkpoint)
    assert same(straight, first + second)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_validation_images_come_whole_and_one_at_a_time(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "last.ckpt")
    fit(recorder, data(tmp_path, val=[SkimagePhotos(), DeadLeaves(1, 2, 40)], iterations=2))
    assert [image.name for image in recorder.images[-3:]] == ["rocket", "00000", "00001"]
    assert recorder.images[0].dataset == "photos"
    assert recorder.images[0].hr.shape == (3, 512, 512)
    assert recorder.images[1].hr.shape == (1, 512, 512)  # grey stays grey: the protocol says what becomes of it
    assert recorder.images[0].lr is None
    assert recorder.images[0].levels == 255


def test_ranks_share_the_validation_images(tmp_path: Path) -> None:
    names = []
    for rank in range(2):
        module = data(tmp_path, val=SkimagePhotos(), test=SkimagePhotos())
        module.trainer = Rank(rank, 2)  # type: ignore[assignment]
        names.append([image.name for image in module.val_dataloader()])
        assert len(list(module.test_dataloader())) == 6  # scored by one process, after the training
    assert [len(part) for part in names] == [3, 3]
    assert len({*names[0], *names[1]}) == 6
    module.trainer = Rank(0, 7)  # type: ignore[assignment]
    with pytest.raises(InputError, match="6 val images cannot be shared among 7 ranks"):
        module.val_dataloader()


def test_grey_and_y_networks(tmp_path: Path) -> None:
    batch = batches(data(tmp_path, channels=1, degradation=Downscale(2)))[0]
    assert batch.hr.shape == (4, 1, 12, 12)
    assert 16 / 255 <= float(batch.hr.min()) <= float(batch.hr.max()) <= 235 / 255


def test_paired_batches_skip_the_degradation(tmp_path: Path, draw: Draw) -> None:
    for i in range(2):
        draw(tmp_path / "HR" / f"{i}.png", 24, 24)
        draw(tmp_path / "LR" / f"{i}x2.png", 12, 12)
    numbers = {"scale": 2, "channels": 3, "batch_size": 4, "patch": 6, "iterations": 2, "seed": 0}
    roots = {"hr_root": str(tmp_path / "HR"), "lr_root": str(tmp_path / "LR")}
    module = PairedData(degradation=Downscale(2), **roots, **numbers)  # type: ignore[arg-type]
    batch = batches(module)[0]
    assert batch.lr.shape == (4, 3, 6, 6)
    assert not batch.parameters


def test_choices_find_their_files(tmp_path: Path, draw: Draw) -> None:
    for folder in ("DIV2K_train_HR", "DIV2K_valid_HR"):
        for i in range(3):
            draw(tmp_path / folder / f"{i:04d}.png", 40, 40)
    numbers = {"scale": 2, "channels": 3, "batch_size": 4, "patch": 6, "iterations": 2, "seed": 0}
    div2k = DIV2KData(degradation=Downscale(2), root=str(tmp_path), val_images=2, **numbers)  # type: ignore[arg-type]
    assert [len(list(loader)) for loader in (div2k.val_dataloader(), div2k.test_dataloader())] == [2, 3]
    plain = FolderData(degradation=Downscale(2), root=[str(tmp_path)], **numbers)  # type: ignore[arg-type]
    assert len(batches(plain)) == 2
    assert len(list(plain.val_dataloader())) == 6
    benchmark = BenchmarkData(degradation=Downscale(2), root=str(tmp_path), **numbers)  # type: ignore[arg-type]
    benchmark.setup("test")
    assert {image.dataset for image in benchmark.test_dataloader()} == {"div2k_train_hr", "div2k_valid_hr"}
    with pytest.raises(InputError, match="no training data"):
        benchmark.train_dataloader()


class Facts:
    """A network's."""

    def __init__(self, scale: int = 2, channels: int = 3, multiple_of: int = 1) -> None:
        self.scale, self.channels, self.multiple_of = scale, channels, multiple_of
        self.guide_channels: int | None = None


def test_what_cannot_work_is_refused_with_the_remedy(tmp_path: Path) -> None:
    module = data(tmp_path)
    module.check_network(Facts(multiple_of=3))
    with pytest.raises(InputError, match="enlarges 4 times"):
        module.check_network(Facts(scale=4))
    with pytest.raises(InputError, match="1 channels"):
        module.check_network(Facts(channels=1))
    with pytest.raises(InputError, match=r"data\.patch=4"):
        module.check_network(Facts(multiple_of=4))
    with pytest.raises(InputError, match=r"expected at least 40 x 40 \(data.patch=20\): set data.patch=16 or lower"):
        data(tmp_path, patch=20).setup("fit")
    with pytest.raises(ValueError, match="makes scale 3"):
        data(tmp_path, degradation=Downscale(3))
    with pytest.raises(ValueError, match="batch_size=0"):
        data(tmp_path, batch_size=0)
    with pytest.raises(ValueError, match="on_bad_file=ignore"):
        data(tmp_path, on_bad_file="ignore")


def test_workers_leave_signals_to_the_parent() -> None:
    names = ("SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCONT", "SIGINT")
    child = os.fork()
    if child == 0:
        quiet_worker(0)
        ignored = all(signal.getsignal(getattr(signal, name)) is signal.SIG_IGN for name in names)
        os._exit(0 if ignored and torch.get_num_threads() == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
