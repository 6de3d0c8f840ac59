"""Samples of clips: which frames, where, and how they are turned depends on the seed and the position alone."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from itertools import accumulate

import torch
from torch import Tensor
from torch.utils.data import Dataset

from srlab.borders import Borders
from srlab.data.clips import Span
from srlab.data.crops import Augment, cut_from, dihedral
from srlab.data.pixels import levels_of, to_tensor, with_channels
from srlab.data.source import Source
from srlab.data.stream import image_at, keys
from srlab.types import Pixels


class ClipCrops(Dataset[dict[str, Tensor]]):
    """Aligned crops of clips: one place, one turn and one seed of the degradation for all frames of a sample.

    A sample is a dict of `hr` (T, C, H, W) and, for paired sources, `lr` (T, C, h, w), with `position`, `seed` and
    `levels` as those of `srlab.data.crops.Crops`, whose margin it has too. Every run of T frames of every clip comes once
    before any comes again.

    Args:
        source: of frames.
        runs: which of them are clips; those shorter than `frames` are passed over.
        frames: T.
        seed, scale, channels, patch, margin, borders: as in `Crops`.
        augment: turn and flip crops, all 8 ways alike (`mirror`: only left for right), and play every other one backwards.
    """

    def __init__(
        self,
        source: Source,
        runs: Sequence[Span],
        frames: int,
        seed: int,
        scale: int,
        channels: int = 3,
        patch: int = 48,
        margin: int = 0,
        borders: Borders = "symmetric",
        augment: Augment = True,
    ) -> None:
        self.source, self.frames, self.seed, self.scale, self.channels = source, frames, seed, scale, channels
        self.patch, self.margin, self.borders, self.augment = patch, margin, borders, augment
        self.runs = [run for run in runs if run.length >= frames]
        self.starts = list(accumulate((run.length - frames + 1 for run in self.runs), initial=0))

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        chosen = image_at(self.seed, position, self.starts[-1])
        run = bisect_right(self.starts, chosen) - 1
        first = self.runs[run].start + chosen - self.starts[run]
        down, right, turn, degradation_seed = keys(4, self.seed, "clip", position)
        way, backwards = turn % {True: 8, "mirror": 2, False: 1}[self.augment], bool(self.augment and turn & 8)
        header = self.source.header(first)
        rows, columns = header.height // self.scale, header.width // self.scale
        corner = down % (rows - self.patch + 1), right % (columns - self.patch + 1)
        order = range(first, first + self.frames)
        frames = [self._frame(index, (rows, columns), corner) for index in (order[::-1] if backwards else order)]
        sample = {name: torch.stack([to_tensor(dihedral(frame[name], way)) for frame in frames]) for name in frames[0]}
        numbers = {"position": position, "seed": degradation_seed, "levels": levels_of(frames[0]["hr"])}
        return sample | {name: torch.tensor(number) for name, number in numbers.items()}

    def _frame(self, index: int, lr_size: tuple[int, int], corner: tuple[int, int]) -> dict[str, Pixels]:
        """A frame's crop, with the margin where LR is made of it."""
        (rows, columns), (top, left) = ([number * self.scale for number in pair] for pair in (lr_size, corner))
        size, lr = self.patch * self.scale, self.source.lr
        margin = self.margin if lr is None else 0
        window = partial(self.source.window, index)
        place = top - margin, left - margin
        images = {"hr": cut_from(window, (rows, columns), place, size + 2 * margin, self.borders)}
        if lr is not None:
            images["lr"] = lr.window(index, *(slice(at, at + self.patch) for at in corner))
        return {name: with_channels(pixels, self.channels) for name, pixels in images.items()}
