"""The choices of `data=`: where a user's images are, on top of what all data modules have."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from srlab.data.benchmarks import find_benchmarks
from srlab.data.found import FoundData
from srlab.data.shards import Shards
from srlab.data.source import Part, Source
from srlab.data.sources import DIV2K, Folder, Paired, SkimagePhotos


@dataclass(kw_only=True, eq=False, repr=False)
class FolderData(FoundData):
    """Train on a folder of images.

    Args:
        root: the folder, or a list of folders; all below them is taken.
        val_root: validate and test on this folder; None: on scikit-image's photographs.
    """

    root: str | Sequence[str]
    val_root: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.train = Folder(self.root)
        self.val = self.test = whole_images(self.val_root)


@dataclass(kw_only=True, eq=False, repr=False)
class ShardsData(FoundData):
    """Train on what `srlab-shards` wrote: the samples are those of the folder that it was made of.

    Args:
        root: the folder, or an address that LitData reads.
        val_root: validate and test on this folder; None: on scikit-image's photographs.
    """

    root: str
    val_root: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.train = Shards(self.root)
        self.val = self.test = whole_images(self.val_root)


@dataclass(kw_only=True, eq=False, repr=False)
class PairedData(FoundData):
    """Train on pairs of LR and HR files.

    Args:
        hr_root, lr_root: the folders; files are matched by name.
        val_hr_root, val_lr_root: validate and test on these pairs; None: on scikit-image's photographs.
    """

    hr_root: str
    lr_root: str
    val_hr_root: str | None = None
    val_lr_root: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.train = Paired(self.hr_root, self.lr_root)
        self.val = self.test = pairs_or_images(self.val_hr_root, self.val_lr_root)


@dataclass(kw_only=True, eq=False, repr=False)
class DIV2KData(FoundData):
    """Train on DIV2K, and on Flickr2K where it lies beside it.

    Args:
        root: the folder that holds `DIV2K_train_HR` and its neighbours.
        track: train on this set of LR files, e.g. `bicubic` or `unknown`; None: LR is made by the degradation.
        val_images: validate on so many of `DIV2K_valid_HR`; where that is absent, on scikit-image's photographs.
    """

    root: str
    track: str | None = None
    val_images: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        self.train = DIV2K(self.root, "train", self.track, self.scale)
        self.val = self.test = SkimagePhotos()
        if any(Path(self.root).expanduser().glob("**/DIV2K_valid_HR")):
            self.test = DIV2K(self.root, "valid", self.track, self.scale)
            self.val = Part(self.test, range(min(self.val_images, len(self.test))))


@dataclass(kw_only=True, eq=False, repr=False)
class BenchmarkData(FoundData):
    """Test on Set5, Set14, B100, Urban100, Manga109, or any folder of HR images; there is no training set.

    Args:
        root: a set, or a folder of sets.
        names: the sets to take; None: all.
        lr_root: take LR files from here; None: LR is made by the protocol.
    """

    root: str
    names: Sequence[str] | None = None
    lr_root: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.val = self.test = find_benchmarks(self.root, self.scale, self.names, self.lr_root)


def pairs_or_images(hr_root: str | None, lr_root: str | None) -> Source:
    """The folders' pairs; without LR, the HR images; without either, scikit-image's photographs."""
    return whole_images(hr_root) if hr_root is None or lr_root is None else Paired(hr_root, lr_root)


def whole_images(root: str | None) -> Source:
    """The folder's images; without one, scikit-image's photographs."""
    return SkimagePhotos() if root is None else Folder(root)
