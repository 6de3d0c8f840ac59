"""What every source of images is: images by number, with their sizes known before they are decoded."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from srlab.data.images import Header
from srlab.types import Pixels


class Source(ABC):
    """HR images by number, and what goes with each: as many images, in the same order.

    Attributes:
        name: of the data set, as it stands in results, e.g. "set5".
        lr: the LR images; None: they are made by a degradation.
        guide: another sensor's images of the same scenes, at the size of HR (depth's photograph, a cube's PAN).
        mask: (H, W, 1), 0 in the holes of HR and white elsewhere.
        landmarks: (images, 68, 2) float32, of the face in each HR image, as a `Batch` has them; None: none are known.
        truth: HR is known; False: what stands in its place is no truth, and nothing may be compared with it.
        costly: an image takes long to make, so that all of them are worth a file that other runs find.
        prepared: every image was decoded and checked when the set was made, and any part of one is quick to read: the
            set is used as it lies there.
        complaints: what is wrong with the set as a whole, e.g. files without a partner; the audit reports them.
    """

    name: str
    lr: "Source | None" = None
    guide: "Source | None" = None
    mask: "Source | None" = None
    landmarks: NDArray[np.float32] | None = None
    complaints: Sequence[str] = ()
    truth: bool = True
    costly: bool = False
    prepared: bool = False

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def label(self, index: int) -> str:
        """The image's name in the set, without extension."""

    @abstractmethod
    def header(self, index: int) -> Header:
        """Size and depth of the image, without decoding it; `InputError` where it cannot be read."""

    @abstractmethod
    def image(self, index: int) -> Pixels:
        """The decoded image (H, W, C); `InputError` where it cannot be read."""

    def window(self, index: int, rows: slice, columns: slice) -> Pixels:
        """A part of an image (h, w, C), within its borders."""
        return self.image(index)[rows, columns]

    @abstractmethod
    def identity(self, index: int) -> str:
        """What the pixels depend on: equal identities mean equal pixels."""

    def companions(self) -> "dict[str, Source]":
        """What goes with the HR images, by the name that its samples have."""
        named = {"lr": self.lr, "guide": self.guide, "mask": self.mask}
        return {name: source for name, source in named.items() if source is not None}

    def accompanied(self, companions: "Mapping[str, Source]") -> "Self":
        """This source, with these companions."""
        self.lr, self.guide, self.mask = (companions.get(name) for name in ("lr", "guide", "mask"))
        return self

    def where(self, index: int) -> str:
        """Where a user finds the image, for messages."""
        return f"{self.name}: {self.label(index)}"


class Part(Source):
    """Some images of a source.

    Args:
        source: all of them.
        indices: those that are kept, in their order.
    """

    def __init__(self, source: Source, indices: Sequence[int]) -> None:
        self.name, self.truth = source.name, source.truth
        self.source = source
        self.indices = list(indices)
        self.accompanied({name: Part(other, indices) for name, other in source.companions().items()})
        self.landmarks = None if source.landmarks is None else source.landmarks[self.indices]

    def __len__(self) -> int:
        return len(self.indices)

    def label(self, index: int) -> str:
        return self.source.label(self.indices[index])

    def header(self, index: int) -> Header:
        return self.source.header(self.indices[index])

    def image(self, index: int) -> Pixels:
        return self.source.image(self.indices[index])

    def window(self, index: int, rows: slice, columns: slice) -> Pixels:
        return self.source.window(self.indices[index], rows, columns)

    def identity(self, index: int) -> str:
        return self.source.identity(self.indices[index])

    def where(self, index: int) -> str:
        return self.source.where(self.indices[index])
