"""The data of a run: of what sources it is, what they must be, and what makes their LR."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from srlab.curriculum.curriculum import Curriculum
from srlab.curriculum.difficulty import GradedCrops
from srlab.data.audit import SKIP, STOP, Needs
from srlab.data.cache import GB, CacheLimits, prepare, ram_bytes
from srlab.data.crops import Augment, Crops
from srlab.data.evaluation import LabelledClips, LabelledImages
from srlab.data.mixed import MixedCrops
from srlab.data.shared import SharedData
from srlab.data.source import Source
from srlab.degradation.base import Degradation
from srlab.errors import InputError
from srlab.types import Batch

FIELDS = ("guide", "mask", "real_lr", "landmarks")
"""What a batch has beside its pairs, in the order of `Batch`."""

Sources = Source | Sequence[Source] | None


class NetworkFacts(Protocol):
    """What data must know of a network."""

    scale: int
    channels: int
    multiple_of: int
    guide_channels: int | None


@dataclass(kw_only=True, eq=False, repr=False)
class SuperResolutionData(SharedData):
    """Training, validation and test data.

    Which image, crop, flip and degradation a training sample is depends on (seed, position) alone. The degradation runs on
    the device that trains.

    Args:
        degradation: HR -> LR, for training; paired sources do without.
        train: training images; None where nothing is trained.
        val, test: sets of whole images.
        scale: HR pixels per LR pixel.
        channels: of the network: 1 (RGB images become their luma Y), 3 (grey images are replicated), or any band count.
        batch_size: samples of one rank in one batch.
        patch: height and width of the LR crops; those of HR are `scale` times as large.
        iterations: batches in the run.
        seed: of the stream.
        workers: processes that cut crops; with decoded images in RAM, none is fastest.
        cache_gb: decoded images that may be kept in this machine's memory, in 10^9 bytes, all local ranks together.
        disk_cache_gb: the same for memory-mapped files, all data sets in `cache_dir` together.
        cache_dir: the folder for these files.
        augment: turn and flip training crops; `mirror`: only left for right.
        on_bad_file: `stop` at files that cannot be used, or `skip` them; both list them all.
    """

    degradation: Degradation
    train: Source | None = None
    val: Sources = None
    test: Sources = None
    scale: int
    channels: int
    batch_size: int
    patch: int
    iterations: int
    seed: int
    workers: int = 0
    cache_gb: float = 4.0
    disk_cache_gb: float = 50.0
    cache_dir: str = "~/.cache/srlab"
    augment: Augment = True
    on_bad_file: str = STOP

    def __post_init__(self) -> None:
        super().__init__()
        if min(self.scale, self.channels, self.batch_size, self.patch) < 1:
            raise ValueError(
                f"expected positive integers, got scale={self.scale}, channels={self.channels}, "
                f"data.batch_size={self.batch_size}, data.patch={self.patch}."
            )
        if min(self.iterations, self.workers, self.cache_gb, self.disk_cache_gb) < 0:
            raise ValueError(
                f"expected nothing below 0, got iterations={self.iterations}, data.workers={self.workers}, "
                f"data.cache_gb={self.cache_gb}, data.disk_cache_gb={self.disk_cache_gb}."
            )
        if self.on_bad_file not in (STOP, SKIP):
            raise ValueError(f"data.on_bad_file={self.on_bad_file}: choose {STOP} or {SKIP}.")
        if self.augment not in (True, False, "mirror"):
            raise ValueError(f"data.augment={self.augment}: choose true, false or mirror.")
        if self.degradation.scale != self.scale:
            raise ValueError(
                f"the degradation makes scale {self.degradation.scale}, but scale={self.scale}: set them alike."
            )
        self.curriculum = Curriculum()
        self.degradations = {self.scale: self.degradation}
        self._prepared_sources: dict[tuple[int, bool], Source] = {}
        self._guide_channels: int | None = None

    @property
    def made_by(self) -> str:
        """What makes the LR of training: the degradation's tag, or `files`."""
        return "files" if self.train is not None and self.train.lr is not None else self.degradation.tag

    @property
    def patches(self) -> dict[int, int]:
        """LR height and width of the crops, by the scales of the batches."""
        return self.curriculum.scales.patches if self.curriculum.scales else {self.scale: self.patch}

    def follow(self, curriculum: Curriculum, degradations: Mapping[int, Degradation]) -> None:
        """Serve what a curriculum asks for, to be called before anything is read.

        Args:
            curriculum: of the run.
            degradations: HR -> LR for each of its scales.

        Raises:
            InputError: several scales, or a degradation that changes, but LR files.
        """
        self.curriculum, self.degradations = curriculum, dict(degradations)
        moving = curriculum.ramps.of_degradation if curriculum.ramps else []
        if moving and self.train and self.train.lr is not None:
            raise InputError(
                f"{self.train.name} has LR files, which no degradation makes, and {moving[0]} would change nothing: leave "
                f"it out of curriculum.ramps.settings, or take data=folder."
            )
        if len(self.patches) > 1 and self.train and self.train.lr is not None:
            raise InputError(
                f"{self.train.name} has LR files of one scale, the curriculum serves {list(self.patches)}: take data "
                f"whose LR is made by the degradation (data=folder, or data.track=null)."
            )

    def check_network(self, network: NetworkFacts) -> None:
        """Refuse a network that this data does not fit (`InputError`), before any file is read."""
        if network.scale != self.scale:
            raise InputError(
                f"the network enlarges {network.scale} times, the data is for scale={self.scale}: set them alike."
            )
        if network.channels != self.channels:
            raise InputError(
                f"the network takes {network.channels} channels, the data has channels={self.channels}: set them alike."
            )
        self._guide_channels = network.guide_channels
        for patch in self.patches.values():
            if self.train and patch % network.multiple_of:
                down = patch // network.multiple_of * network.multiple_of
                raise InputError(
                    f"data.patch={patch} is not a multiple of {network.multiple_of}, as the network needs: set "
                    f"data.patch={down or network.multiple_of}."
                )

    def prepare_data(self) -> None:
        """On one rank of each machine, before all others: fill the files that they will share."""
        if self.train:
            self._load("train")

    def setup(self, stage: str) -> None:
        """Audit and decode what a stage ("fit", "validate", "test") needs."""
        for purpose in {"fit": ("train", "val"), "validate": ("val",), "test": ("test",)}.get(stage, ()):
            self._load(purpose)

    def training_samples(self) -> Dataset[dict[str, Tensor]]:
        if not self.train:
            raise InputError("there is no training data: choose data=builtin, folder, paired or div2k.")
        return self._samples(self._load("train")[0])

    def evaluated(self, purpose: str) -> LabelledImages | LabelledClips:
        return self.labelled(self._load(purpose))

    def val_sources(self) -> list[Source]:
        """The sets that validate, as they were given."""
        return _listed(self.val)

    def test_sources(self) -> list[Source]:
        """The test sets, as they were given."""
        return _listed(self.test)

    @torch.no_grad()
    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Make LR of a training batch, where it has none, and trim the margins; validation images pass."""
        if not isinstance(batch, dict):
            return batch
        lr, hr, parameters = batch.get("lr"), batch["hr"], dict[str, Tensor]()
        if lr is None:
            degradation = self._degradation_at(int(batch["position"][0]) // self._together).to(hr.device)
            lr, hr, parameters = self.make_pair(degradation, hr, batch["seed"], batch["levels"])
        if "difficulty" in batch:
            parameters["difficulty"] = batch["difficulty"]
        return Batch(lr, hr, batch["position"], parameters, *map(batch.get, FIELDS))

    def make_pair(
        self, degradation: Degradation, hr: Tensor, seeds: Tensor, levels: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """LR and HR of windows, and what the degradation drew: see `Degradation.make_pair`."""
        return degradation.make_pair(hr, seeds, levels)

    def labelled(self, sources: Sequence[Source]) -> LabelledImages | LabelledClips:
        """What is validated or tested, of prepared sources."""
        return LabelledImages(sources)

    def _samples(self, source: Source) -> Dataset[dict[str, Tensor]]:
        """The sample at each position of the stream."""
        crops = {scale: self._crops(source, scale) for scale in self.patches}
        scales = self.curriculum.scales
        return MixedCrops(crops, scales.scale, self._together) if scales else crops[self.scale]

    def _crops(self, source: Source, scale: int) -> Dataset[dict[str, Tensor]]:
        """The samples of one scale."""
        margin, borders = self.degradations[scale].margin, self.degradations[scale].borders
        crops = Crops(source, self.seed, scale, self.channels, self.patches[scale], margin, borders, self.augment)
        difficulty = self.curriculum.difficulty
        return GradedCrops(crops, difficulty, self._together) if difficulty else crops

    def _degradation_at(self, batch: int) -> Degradation:
        """What makes the LR of a batch, counted from 0."""
        scales, ramps = self.curriculum.scales, self.curriculum.ramps
        degradation = self.degradations[scales.scale(batch) if scales else self.scale]
        if ramps:
            ramps.move_degradation(degradation, batch)
        return degradation

    def _load(self, purpose: str) -> list[Source]:
        sources = _listed({"train": self.train, "val": self.val, "test": self.test}[purpose])
        return [self._prepared(source, purpose) for source in sources]

    def _prepared(self, source: Source, purpose: str) -> Source:
        """The source, audited and decoded; a set that validates and tests is so once."""
        known = (id(source), purpose == "train")
        if known in self._prepared_sources:
            return self._prepared_sources[known]
        needs = self._needs(purpose)
        ranks = self.trainer.num_devices if self.trainer else 1
        used = sum(map(ram_bytes, self._prepared_sources.values())) / GB
        room = CacheLimits(
            max(0.0, self.cache_gb / ranks - used), self.disk_cache_gb, Path(self.cache_dir).expanduser()
        )
        self._prepared_sources[known] = prepare(source, needs, room, self.on_bad_file, purpose)
        return self._prepared_sources[known]

    def _needs(self, purpose: str) -> Needs:
        """What the images of a purpose must be."""
        if purpose == "train":
            scale, patch = max(self.patches.items(), key=lambda pair: pair[0] * pair[1])
            reason = f"(data.patch={patch}): set data.patch={{fits}} or lower"
            return Needs(scale, self.channels, patch, reason, self._guide_channels)
        # SSIM's window is 11 x 11, in an image whose borders, `scale` pixels wide, are cut
        return Needs(self.scale, self.channels, -(-11 // self.scale) + 2, "to be scored", self._guide_channels)


def _listed(sources: Sources) -> list[Source]:
    if sources is None:
        return []
    return [sources] if isinstance(sources, Source) else list(sources)
