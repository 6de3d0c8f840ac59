"""A protocol: every number that decides a score, under one name and one hash. A score means nothing without its protocol."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple

from torch import Tensor

from srlab.errors import InputError
from srlab.evaluation.metrics import FACTS, Facts
from srlab.interpolants import Kernel
from srlab.types import LabelledImage


@dataclass(frozen=True)
class Case:
    """One image, ready to be super-resolved and scored.

    Attributes:
        image: "dataset/name", for messages.
        lr: (1, C, h, w) float32 in [0, 1]: what the network is given.
        hr: (1, C, scale h, scale w) float64 in [0, 1]: what it should give.
        levels: the largest code of the image's depth; 0 for float.
        scale: HR pixels per LR pixel.
        guide: (1, G, scale h, scale w) float32: what a guided network is given besides; None for none.
        mask: (1, 1, scale h, scale w), 1 where HR is known; None: everywhere.
        landmarks: (68, 2) of HR's face in its pixels, for scoring alone: no network is ever given them; None for none.
    """

    image: str
    lr: Tensor
    hr: Tensor
    levels: int
    scale: int
    guide: Tensor | None = None
    mask: Tensor | None = None
    landmarks: Tensor | None = None


class Judged(NamedTuple):
    """What a test tells of one result.

    Attributes:
        values: by metrics.
        traits: what `of_set` needs of this image, plain enough to travel between processes; None: nothing.
    """

    values: dict[str, float]
    traits: Any = None


def beside(image: LabelledImage, height: int, width: int) -> tuple[Tensor | None, Tensor | None]:
    """An image's guide and mask as a case has them, cut to the HR that is scored."""
    guide, mask = (None if other is None else other[None, :, :height, :width] for other in (image.guide, image.mask))
    return guide, mask


class Protocol(ABC):
    """What every protocol does; each domain (photographs, depth, cubes, video) has its class, a frozen dataclass.

    Attributes:
        name: as it stands beside every score.
    """

    name: str

    @property
    def made_by(self) -> str | None:
        """What makes LR, as a degradation's tag; None: nothing that has one."""
        return None

    @cached_property
    def hash(self) -> str:
        """12 hexadecimal digits of all fields: two scores are comparable when these are equal."""
        canonical = json.dumps(self.settings(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def settings(self) -> dict[str, Any]:
        """All that decides a score, in plain containers."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    @property
    @abstractmethod
    def metric_names(self) -> tuple[str, ...]:
        """The names under which `score` returns its numbers; the first is the headline."""

    def facts(self, metric: str) -> Facts:
        """A metric's unit and direction."""
        return FACTS[metric]

    @abstractmethod
    def prepare(self, image: LabelledImage, scale: int, channels: int) -> Case:
        """Make LR, or take the set's own, and bring all to what a network of `channels` is given (`InputError`)."""

    @abstractmethod
    def score(self, sr: Tensor, case: Case) -> dict[str, float]:
        """The worth of a result, by the names of `metric_names`."""

    def judge(self, sr: Tensor, case: Case) -> Judged:
        """All that a test tells of a result: its score, and what more a domain looks at."""
        return Judged(self.score(sr, case))

    def of_set(self, traits: Sequence[Any]) -> dict[str, float]:
        """What can be said of a set only as a whole, by the names of further metrics, from its images' traits: nothing."""
        return {}

    def interpolation(self, kernel: Kernel, scale: int, levels: int) -> Callable[..., Tensor] | None:
        """How a baseline that interpolates enlarges an image of a depth (`levels`); None: as its network does."""
        return None

    @abstractmethod
    def baseline(self, case: Case) -> Tensor:
        """What needs no learning, at the size of HR: that beside which a network is shown."""

    def shown(self, image: Tensor) -> Tensor:
        """An LR, SR or HR tensor of a case as a picture: (1 or 3, H, W) in [0, 1]."""
        return image[0]

    def pictures(self) -> Callable[[Tensor, Case], tuple[Tensor, Tensor]]:
        """What shows SR and HR to metrics of whole pictures, float32.

        Raises:
            InputError: the protocol has no pictures to show them.
        """
        raise InputError(f"protocol={self.name} shows no pictures to further metrics: leave them out.")
