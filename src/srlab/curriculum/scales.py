"""The scale of each batch of a run: several at once (VDSR, MDSR), or more and more of them (ProSR).

Everything here is a function of (seed, number of the batch): ranks agree on it, and a resumed run goes on with it.
"""

from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Sequence

from srlab.data.stream import key


class Scales(ABC):
    """A plan: which scale each batch is of, and how large its LR crops are. Batches are counted from 0.

    Args:
        scales: all that the run serves, in ascending order.
        patches: LR height and width of the crops, one for each scale.
        seed: of the run.
        largest: scales beyond it are left out, so that one choice serves networks of several largest scales.

    Raises:
        ValueError: scales that do not ascend, or not as many patches.
    """

    def __init__(self, scales: Sequence[int], patches: Sequence[int], seed: int, largest: int | None = None) -> None:
        if len(scales) != len(patches) or list(scales) != sorted(set(scales)) or min(patches, default=1) < 1:
            raise ValueError(
                f"scales={list(scales)}, patches={list(patches)}: give a patch for each of ascending scales."
            )
        self.patches = {s: patch for s, patch in zip(scales, patches, strict=True) if largest is None or s <= largest}
        if not self.patches:
            raise ValueError(f"scales={list(scales)}: none of them is scale={largest} or below: name that scale.")
        self.seed = seed

    @property
    def scales(self) -> tuple[int, ...]:
        """All scales of the run."""
        return tuple(self.patches)

    @abstractmethod
    def active(self, batch: int) -> tuple[int, ...]:
        """The scales among which a batch's is drawn, each alike."""

    def scale(self, batch: int) -> int:
        """The one scale of a batch, of all its samples and on all ranks."""
        active = self.active(batch)
        return active[key(self.seed, "scale", batch) % len(active)]

    def stage(self, batch: int) -> int:
        """The number of the stage that a batch falls in, from 0."""
        return 0

    def blends(self, batch: int) -> dict[int, float]:
        """How far each scale's own level of a pyramid counts, 0 to 1; what is not named counts fully."""
        return {}


class MixedScales(Scales):
    """All scales from the first batch to the last (VDSR, CVPR 2016, section 5.2; MDSR, CVPRW 2017, section 3.3)."""

    def active(self, batch: int) -> tuple[int, ...]:
        return self.scales


class GrowingScales(Scales):
    """The smallest scale first, then one more at each stage, its level blended in (ProSR; CVPRW 2018, section 3.4).

    Args:
        scales, patches, seed, largest: see `Scales`.
        iterations: batches of the run.
        steps: fractions of the run: where the second scale comes, where it is blended in, the same of the third, and so
            on; what is left over is not used (ProSR: 0.12, 0.25, 0.45, 0.6, 1.0).

    Raises:
        ValueError: steps that do not ascend within the run, or too few.
    """

    def __init__(
        self,
        scales: Sequence[int],
        patches: Sequence[int],
        seed: int,
        iterations: int,
        steps: Sequence[float] = (0.12, 0.25, 0.45, 0.6, 1.0),
        largest: int | None = None,
    ) -> None:
        super().__init__(scales, patches, seed, largest)
        needed = 2 * len(self.patches) - 2
        if len(steps) < needed or list(steps) != sorted(steps) or not all(0 < step <= 1 for step in steps):
            raise ValueError(
                f"steps={list(steps)}: give at least {needed} ascending fractions of the run, two for each scale after the "
                f"first: where it comes, and where it is blended in."
            )
        self.bounds = [round(step * iterations) for step in steps[:needed]]

    def stage(self, batch: int) -> int:
        return (bisect_left(self.bounds, batch) + 1) // 2

    def active(self, batch: int) -> tuple[int, ...]:
        return self.scales[: self.stage(batch) + 1]

    def blends(self, batch: int) -> dict[int, float]:
        stage = self.stage(batch)
        blends = dict.fromkeys(self.scales[stage + 1 :], 0.0)
        if stage:
            first, last = self.bounds[2 * stage - 2 : 2 * stage]
            if batch < last:
                blends[self.scales[stage]] = (batch - first) / (last - first)
        return blends
