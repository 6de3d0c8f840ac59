"""Samples of clips: which frames, where, and how they are turned depends on the seed and the position alone."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor
from torch.utils.data import Dataset

from srlab.data.clips import Span
from srlab.data.crops import Crops, dihedral
from srlab.data.pixels import levels_of, to_tensor
from srlab.data.stream import image_at, keys


class ClipCrops(Dataset[dict[str, Tensor]]):
    """Aligned crops of clips: one place, one turn and one seed of the degradation for all frames of a sample.

    A sample is a dict of `hr` (T, C, H, W) and, for paired sources, `lr` (T, C, h, w), with `position`, `seed` and
    `levels` as those of `srlab.data.crops.Crops`, whose margin it has too. Every run of T frames of every clip comes once
    before any comes again.

    Args:
        crops: how frames are cut, turned (half of the samples run backwards too, where they are) and degraded.
        runs: which of its source's frames are clips; those shorter than `frames` are passed over.
        frames: T.
    """

    def __init__(self, crops: Crops, runs: Sequence[Span], frames: int) -> None:
        self.crops, self.frames = crops, frames
        self.runs = [run for run in runs if run.length >= frames]
        self.starts = list(accumulate((run.length - frames + 1 for run in self.runs), initial=0))

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        crops = self.crops
        chosen = image_at(crops.seed, position, self.starts[-1])
        run = bisect_right(self.starts, chosen) - 1
        first = self.runs[run].start + chosen - self.starts[run]
        down, right, turn, degradation_seed = keys(4, crops.seed, "clip", position)
        way, backwards = crops.way(turn), bool(crops.augment and turn & 8)
        corner = crops.corner(first, down, right)
        order = range(first, first + self.frames)
        frames = [crops.pair(index, corner) for index in (order[::-1] if backwards else order)]
        sample = {name: torch.stack([to_tensor(dihedral(frame[name], way)) for frame in frames]) for name in frames[0]}
        numbers = {"position": position, "seed": degradation_seed, "levels": levels_of(frames[0]["hr"])}
        return sample | {name: torch.tensor(number) for name, number in numbers.items()}
