"""Training from two sets of images that show different scenes: HR photographs, and LR as it was found."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.utils.data import Dataset

from srlab.curriculum.curriculum import Curriculum
from srlab.data.audit import Needs
from srlab.data.choices import pairs_or_images
from srlab.data.crops import Crops
from srlab.data.found import FoundData
from srlab.data.pairs import bare_name
from srlab.data.source import Part, Source
from srlab.data.sources import Files, Folder
from srlab.data.stream import key
from srlab.degradation.base import Degradation
from srlab.errors import InputError

log = logging.getLogger(__name__)

REAL_LR = "real_lr"
"""The purpose of the LR set, and its name in a batch."""


class Unaligned(Dataset[dict[str, Tensor]]):
    """The HR sample and the LR sample at each position: two streams that know nothing of each other.

    Args:
        hr, lr: each a stream of its own, with its own seed.
    """

    def __init__(self, hr: Dataset[dict[str, Tensor]], lr: Dataset[dict[str, Tensor]]) -> None:
        self.hr, self.lr = hr, lr

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        return self.hr[position] | {REAL_LR: self.lr[position]["hr"]}


@dataclass(kw_only=True, eq=False, repr=False)
class UnpairedData(FoundData):
    """Train on HR images and on LR images of other scenes: `Batch.hr` (and `lr`, its degradation) and `Batch.real_lr`.

    Scenes that both folders show, by their files' names, are shared out: the first half gives LR, the second HR, as
    CinCGAN takes DIV2K's 1 to 400 and 401 to 800 (Yuan et al., CVPR workshops 2018, section 4.1). So no batch ever
    holds a pair.

    Args:
        hr_root, lr_root: the folders; all below them is taken.
        val_hr_root, val_lr_root: validate and test on these pairs; without LR, LR is made by the protocol, and without
            either, of scikit-image's photographs.

    Raises:
        InputError: a folder without images, or one given twice.
    """

    hr_root: str
    lr_root: str
    val_hr_root: str | None = None
    val_lr_root: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.train, self.real_lr = apart(Folder(self.hr_root), Folder(self.lr_root))
        self.val = self.test = pairs_or_images(self.val_hr_root, self.val_lr_root)

    def follow(self, curriculum: Curriculum, degradations: Mapping[int, Degradation]) -> None:
        super().follow(curriculum, degradations)
        if len(self.patches) > 1:
            raise InputError(
                f"data=unpaired has real LR images of one scale, the curriculum serves {list(self.patches)}: leave scales "
                f"out (curriculum=[easy_first] or [ramps] can be followed), or take data=folder and another paradigm."
            )

    def prepare_data(self) -> None:
        super().prepare_data()
        self._prepared(self.real_lr, REAL_LR)

    def setup(self, stage: str) -> None:
        super().setup(stage)
        if stage == "fit":
            self._prepared(self.real_lr, REAL_LR)

    def _samples(self, source: Source) -> Dataset[dict[str, Tensor]]:
        real_lr = self._prepared(self.real_lr, REAL_LR)
        crops = Crops(real_lr, key(self.seed, REAL_LR), 1, self.channels, self.patch, augment=self.augment)
        return Unaligned(super()._samples(source), crops)

    def _needs(self, purpose: str) -> Needs:
        if purpose != REAL_LR:
            return super()._needs(purpose)
        return Needs(1, self.channels, self.patch, f"(data.patch={self.patch}): set data.patch={{fits}} or lower")


def apart(hr: Files, lr: Files) -> tuple[Source, Source]:
    """Two sets without a scene in common, judged by the files' names: HR and LR.

    Raises:
        InputError: a file is in both, or nothing would be left of a set.
    """
    twice = {path.resolve() for path in hr.paths} & {path.resolve() for path in lr.paths}
    if twice:
        raise InputError(
            f"{min(twice)} is in data.hr_root and in data.lr_root: give two folders, of which neither holds the other."
        )
    names_hr, names_lr = ([bare_name(label) for label in files.labels] for files in (hr, lr))
    shared = sorted(set(names_hr) & set(names_lr))
    if not shared:
        return hr, lr
    for_lr = set(shared[: (len(shared) + 1) // 2])
    for_hr = set(shared) - for_lr
    kept_hr = [index for index, name in enumerate(names_hr) if name not in for_lr]
    kept_lr = [index for index, name in enumerate(names_lr) if name not in for_hr]
    if not kept_hr or not kept_lr:
        raise InputError(
            f"{hr.paths[0].parent} and {lr.paths[0].parent} show one scene, {shared[0]}: unpaired training needs others."
        )
    log.warning(
        "%d scenes are in both folders by their names (%s, ...): %d give LR only, the others HR only.",
        *(len(shared), shared[0], len(for_lr)),
    )
    return Part(hr, kept_hr), Part(lr, kept_lr)
