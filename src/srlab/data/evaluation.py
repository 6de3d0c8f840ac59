"""Whole images with their ground truth, one at a time, for validation and tests."""

from collections.abc import Sequence

import torch
from torch.utils.data import Dataset

from srlab.data.pixels import levels_of, to_tensor
from srlab.data.source import Source
from srlab.types import LabelledImage


class LabelledImages(Dataset[LabelledImage]):
    """All images of several sources, one source after the other, in their own channels and whole.

    What the network is given (colours, size, LR where a set has none) is the protocol's business.

    Args:
        sources: the data sets.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self.places = [(source, index) for source in sources for index in range(len(source))]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, place: int) -> LabelledImage:
        source, index = self.places[place]
        hr = source.image(index)
        others = {name: to_tensor(companion.image(index)) for name, companion in source.companions().items()}
        lr = others.pop("lr", None)
        if source.landmarks is not None:
            others["landmarks"] = torch.from_numpy(source.landmarks[index])
        return LabelledImage(source.name, source.label(index), to_tensor(hr), lr, levels_of(hr), **others)
