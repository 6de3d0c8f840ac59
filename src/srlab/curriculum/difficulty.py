"""Easy crops first (curriculum learning; Bengio et al., ICML 2009): how difficult a crop is, and when it is admitted."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.utils.data import Dataset

from srlab.data.crops import Crops
from srlab.degradation.base import trim
from srlab.degradation.resize import resize
from srlab.schedules import Schedule

ATTEMPTS = 256
"""Crops that are looked at for one position: at a share of 0.05 all of them are too difficult once in 500,000 times."""


def gradient_energy(hr: Tensor, scale: int) -> float:
    """The mean squared difference of neighbours in a crop (C, H, W): cheap."""
    return float(hr.diff(dim=-1).square().mean() + hr.diff(dim=-2).square().mean())


def bicubic_residual(hr: Tensor, scale: int) -> float:
    """The mean squared error of bicubic enlargement of a crop (C, H, W), reduced by `scale`: what is left to learn."""
    lr = resize(hr[None], scale=1 / scale)
    return float((resize(lr, size=(hr.shape[-2], hr.shape[-1])) - hr).square().mean())


MEASURES: Mapping[str, Callable[[Tensor, int], float]] = {"gradient": gradient_energy, "residual": bicubic_residual}


class Difficulty:
    """Admit the easiest share of all crops, a share that grows to 1.

    Args:
        share: batch, from 0 -> the admitted share, above 0; at 1 every crop is served as without a curriculum.
        measure: `gradient` or `residual`.
        probes: crops from which a share's bound is estimated.

    Raises:
        ValueError: an unknown measure, or too few probes.
    """

    def __init__(self, share: Schedule, measure: str = "gradient", probes: int = 512) -> None:
        if measure not in MEASURES:
            raise ValueError(f"difficulty.measure={measure}: choose one of {', '.join(MEASURES)}.")
        if probes < 1 or share(0) <= 0:
            raise ValueError(f"difficulty: probes={probes} and the share {share(0)} at the start must be above 0.")
        self.share, self.measure, self.probes = share, MEASURES[measure], probes


class GradedCrops(Dataset[dict[str, Tensor]]):
    """Crops of which the too difficult are passed over; the sample gets its `difficulty` (), float32.

    A position's crop is the first admitted of a series that depends on (seed, position) alone. Its first is the ordinary
    one, and what is admitted at one share is so at every larger share.

    Args:
        crops: the ordinary ones.
        difficulty: of crops, and the share of them that is admitted.
        together: samples of all ranks in one batch, to tell a position's batch.
    """

    def __init__(self, crops: Crops, difficulty: Difficulty, together: int) -> None:
        self.crops, self.difficulty, self.together = crops, difficulty, together
        probes = [self.score(crops.sample(probe, attempt=-1)) for probe in range(difficulty.probes)]
        self.scores = torch.tensor(probes).sort().values

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        bound = self.bound(self.difficulty.share(position // self.together))
        easiest, least = {}, float("inf")
        for attempt in range(ATTEMPTS):
            sample = self.crops.sample(position, attempt)
            score = self.score(sample)
            if score < least:
                easiest, least = sample, score
            if score <= bound:
                break
        return easiest | {"difficulty": torch.tensor(least)}

    def bound(self, share: float) -> float:
        """The score of the most difficult crop that a share admits."""
        if share >= 1:
            return float("inf")
        return float(self.scores[max(0, round(share * len(self.scores)) - 1)])

    def score(self, sample: dict[str, Tensor]) -> float:
        hr = sample["hr"] if "lr" in sample else trim(sample["hr"], self.crops.margin)
        return self.difficulty.measure(hr, self.crops.scale)
