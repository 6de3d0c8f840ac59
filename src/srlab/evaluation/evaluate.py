"""Score one image: the same few lines for validation in training and for tests."""

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import Tensor

from srlab.evaluation.metrics import Metric
from srlab.evaluation.protocol import Case, Protocol
from srlab.evaluation.results import Score
from srlab.types import LabelledImage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """An image, what the network made of it, and what that is worth.

    Attributes:
        scores: one per metric.
        sr: (1, C, H, W) as the network gave it, on the CPU.
        case: what it was given, and what it should have given.
        protocol: that scored it.
        traits: what `Protocol.of_set` needs of it.
    """

    scores: list[Score]
    sr: Tensor
    case: Case
    protocol: Protocol
    traits: Any = field(default=None, kw_only=True)

    @property
    def lr(self) -> Tensor:
        """(1, C, h, w) float32."""
        return self.case.lr

    @property
    def hr(self) -> Tensor:
        """(1, C, H, W) float64."""
        return self.case.hr

    @property
    def headline(self) -> float:
        """The protocol's first metric: PSNR in dB for photographs."""
        return self.scores[0].value

    @cached_property
    def baseline(self) -> Tensor:
        """(1, C, H, W): the protocol's, bicubic for photographs."""
        return self.protocol.baseline(self.case)

    @cached_property
    def baseline_headline(self) -> float:
        """What the baseline is worth in the first metric."""
        return self.protocol.score(self.baseline, self.case)[self.protocol.metric_names[0]]


def score_image(
    enlarge: Callable[..., Tensor],
    image: LabelledImage,
    protocol: Protocol,
    scale: int,
    channels: int,
    metrics: Mapping[str, Metric],
) -> Scored:
    """Make LR, super-resolve it, and score the result.

    Args:
        enlarge: LR (1, C, h, w) on the CPU, and the guide where there is one -> SR (1, C, scale h, scale w) on any
            device. It alone is timed, its result's way to the CPU included.
        image: as it comes from its set.
        protocol: how LR is made and SR is scored; its PSNR and SSIM come first.
        scale: the network's.
        channels: the network's.
        metrics: further metrics, by name.

    A result that holds nan has nan for every score.

    Raises:
        InputError: the image, the network, the protocol and the metrics do not fit.
    """
    pictures = protocol.pictures() if metrics else None
    case = protocol.prepare(image, scale, channels)
    given = (case.lr,) if case.guide is None else (case.lr, case.guide)
    started = time.perf_counter()
    sr = enlarge(*given).detach().cpu()  # waits for the device
    seconds = time.perf_counter() - started
    judged = protocol.judge(sr, case)
    whole = all_numbers(sr, case)
    values = {name: (value, protocol.facts(name).unit) for name, value in judged.values.items()}
    if pictures is not None:
        shown = pictures(sr, case)
        values |= {name: (metric(*shown), metric.facts.unit) for name, metric in metrics.items()}
    scores = [
        Score(image.dataset, image.name, name, value if whole else math.nan, unit, seconds)
        for name, (value, unit) in values.items()
    ]
    return Scored(scores, sr, case, protocol, traits=judged.traits)


def all_numbers(sr: Tensor, case: Case) -> bool:
    """Whether a result is of numbers alone; one that is not has no score, and is told of.

    Some metrics would not notice: a comparison with nan is false, and a picture of 8 bit has none.
    """
    wrong = int(sr.isnan().sum())
    if wrong:
        log.warning("%s: %d values of SR are no numbers (nan), and so are all of its scores.", case.image, wrong)
    return not wrong
