"""One LR image, and nothing else to learn from: zero-shot training, and fitting an untrained prior."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from srlab.curriculum.curriculum import Curriculum
from srlab.data.benchmarks import find_benchmarks, set_name
from srlab.data.found import FoundData
from srlab.data.pairs import bare_name
from srlab.data.pixels import levels_of, to_tensor
from srlab.data.source import Part, Source
from srlab.data.sources import Files
from srlab.data.stream import Positions, key
from srlab.data.tiles import Tiles
from srlab.degradation.base import Degradation
from srlab.degradation.resize import crop_to_multiple
from srlab.errors import InputError
from srlab.together import Together
from srlab.types import BareImage, LabelledImage


class Repeated(Dataset[Tensor]):
    """The same image at every position."""

    def __init__(self, image: Tensor) -> None:
        self.image = image

    def __getitem__(self, position: int) -> Tensor:
        return self.image


@dataclass(kw_only=True, eq=False, repr=False)
class SingleImageData(FoundData):
    """A base: a training batch is the LR image itself, (1, C, h, w); what is drawn from it is the paradigm's business.

    A subclass sets `lr_files`, or `hr_files` (whose LR is its companion, or made by the degradation), or both: sources of
    one image. HR is for evaluation alone: training never sees it, save through an LR that is made from it.
    """

    lr_files: Source | None = field(default=None, init=False)
    hr_files: Source | None = field(default=None, init=False)
    batch_size: int = field(default=1, init=False)
    patch: int = field(default=1, init=False)
    augment: bool = field(default=False, init=False)

    def follow(self, curriculum: Curriculum, degradations: Mapping[int, Degradation]) -> None:
        super().follow(curriculum, degradations)
        if curriculum.serves:
            raise InputError(
                f"One LR image is all that is trained on, and it stays as it is: a curriculum of {curriculum.serves} has "
                f"nothing to serve. curriculum=[ramps] can move the loss, the optimizer and the paradigm."
            )

    def setup(self, stage: str) -> None:
        if self.trainer and self.trainer.world_size > 1:
            raise InputError(
                "One image is trained on by one process: set trainer.devices=1, and sweep over images (-m) instead."
            )
        self.val = self.test = self.hr_files
        super().setup(stage)
        _ = self.given  # refused before training, if at all

    @cached_property
    def given(self) -> BareImage:
        """The LR image, as it is trained on and evaluated with."""
        if self.lr_files is not None:
            source, pixels = self.lr_files, self.lr_files.image(0)
            lr, levels = to_tensor(pixels), levels_of(pixels)
        else:
            assert self.hr_files is not None
            source, pixels = self.hr_files, self.hr_files.image(0)
            lr, levels = self._degraded(to_tensor(pixels), levels_of(pixels)), levels_of(pixels)
        if len(lr) != self.channels:
            raise InputError(
                f"{source.where(0)} has {len(lr)} channels, and the network {self.channels}: set them alike."
            )
        return BareImage(source.name, source.label(0), lr, levels)

    def train_dataloader(self) -> DataLoader[Any]:
        """The image, as often as there are iterations left."""
        return DataLoader(Repeated(self.given.lr), batch_sampler=Positions(self.iterations, 1, self._start()))

    def val_dataloader(self) -> DataLoader[Any]:
        """The image, with its HR image where there is one."""
        return DataLoader([self._evaluated()], batch_size=None)  # type: ignore[arg-type]

    def test_dataloader(self, processes: Together | None = None) -> DataLoader[Any]:
        return self.val_dataloader()

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        if isinstance(batch, BareImage):
            return batch
        return super().transfer_batch_to_device(batch, device, dataloader_idx)

    def _evaluated(self) -> LabelledImage | BareImage:
        if self.hr_files is None:
            return self.given
        (source,) = self._load("test")
        hr = source.image(0)
        return LabelledImage(self.given.dataset, self.given.name, to_tensor(hr), self.given.lr, levels_of(hr))

    @torch.no_grad()
    def _degraded(self, hr: Tensor, levels: int) -> Tensor:
        assert self.hr_files is not None
        seed = key(self.seed, "lr", self.hr_files.name, self.hr_files.label(0))
        whole = crop_to_multiple(hr[None], self.scale)
        lr: Tensor = self.degradation(whole, torch.tensor([seed]), torch.tensor([levels])).lr
        return lr[0]


@dataclass(kw_only=True, eq=False, repr=False)
class ImageData(SingleImageData):
    """An image file of the user's.

    Args:
        image: the LR file; None: LR is made from `hr` by the degradation, for studies.
        hr: its HR file, for evaluation alone; None where there is none, as with a real photograph.
        crop: take this many pixels square from the middle of `hr`, before LR is made from it; None: all of it.

    Raises:
        InputError: neither file is given, or a crop of an HR file that has its LR file.
    """

    image: str | None
    hr: str | None = None
    crop: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image is None and self.hr is None:
            raise InputError("There is no image to learn from: set data.image to an LR file (or data.hr, for studies).")
        if self.crop is not None and (self.hr is None or self.image is not None):
            raise InputError(
                f"data.crop={self.crop} cuts an HR image, of which LR is made: leave it, or data.image, out."
            )
        lr = [Path(self.image).expanduser()] if self.image is not None else None
        hr = [Path(self.hr).expanduser()] if self.hr is not None else None
        (shown,) = hr or lr or []
        if not shown.is_file():
            raise InputError(f"{shown}: there is no such file. Give data.image and data.hr the paths of image files.")
        name, labels = set_name(shown.parent), [bare_name(shown.stem)]
        if hr is not None:
            self.hr_files = Files(name, hr, lr, labels=labels)
            if self.crop is not None:
                self.hr_files = Tiles(self.hr_files, self.crop)
        if lr is not None:
            self.lr_files = Files(name, lr, labels=labels)


@dataclass(kw_only=True, eq=False, repr=False)
class BenchmarkImageData(SingleImageData):
    """One image of a benchmark, by its number: for a sweep over them all (`-m "data.index=range(5)"`).

    Args:
        root: a set, or a folder of sets.
        index: of the image, from 0, through all sets in turn.
        names: the sets to take; None: all.
        lr_root: take LR files from here; None: LR is made by the degradation.
    """

    root: str
    index: int
    names: list[str] | None = None
    lr_root: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        sets = find_benchmarks(self.root, self.scale, self.names, self.lr_root)
        places = [(source, place) for source in sets for place in range(len(source))]
        if not 0 <= self.index < len(places):
            raise InputError(f"data.index={self.index}: {self.root} holds the images 0 to {len(places) - 1}.")
        source, place = places[self.index]
        self.hr_files = Part(source, [place])
        self.lr_files = self.hr_files.lr
