"""Whole images or clips with their ground truth, one at a time, for validation and tests."""

from collections.abc import Mapping, Sequence
from typing import overload

import torch
from torch.utils.data import Dataset

from srlab.data.clips import Span
from srlab.data.pixels import levels_of, to_tensor
from srlab.data.source import Source
from srlab.types import LabelledClip, LabelledImage


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
        return labelled(*self.places[place])


class LabelledClips(Dataset[LabelledClip]):
    """All clips of several sources, whole; their frames are read one by one, as they are asked for.

    Args:
        clips: each source of frames, with what of it is a clip.
        made: by the clips' names, frames that another program made of them.
    """

    def __init__(
        self, clips: Sequence[tuple[Source, Span]], made: Mapping[str, tuple[Source, Span]] | None = None
    ) -> None:
        self.clips, self.made = list(clips), dict(made or {})

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, place: int) -> LabelledClip:
        source, span = self.clips[place]
        made = self.made.get(span.name)
        frames = [FramesOf(one, range(run.start, run.stop)) for one, run in ((source, span), *([made] if made else []))]
        return LabelledClip(source.name, span.name, *frames)


class FramesOf(Sequence[LabelledImage]):
    """Some frames of a source, each read when it is asked for.

    Args:
        source: of the frames.
        indices: which of them.
    """

    def __init__(self, source: Source, indices: range) -> None:
        self.source, self.indices = source, indices

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, place: int) -> LabelledImage: ...
    @overload
    def __getitem__(self, place: slice) -> "FramesOf": ...

    def __getitem__(self, place: int | slice) -> "LabelledImage | FramesOf":
        if isinstance(place, slice):
            return FramesOf(self.source, self.indices[place])
        return labelled(self.source, self.indices[place])


def labelled(source: Source, index: int) -> LabelledImage:
    """An image of a source, with what goes with it."""
    hr = source.image(index)
    others = {name: to_tensor(companion.image(index)) for name, companion in source.companions().items()}
    lr = others.pop("lr", None)
    if source.landmarks is not None:
        others["landmarks"] = torch.from_numpy(source.landmarks[index])
    return LabelledImage(
        source.name, source.label(index), to_tensor(hr), lr, levels_of(hr), truth=source.truth, **others
    )
