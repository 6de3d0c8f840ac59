"""A training objective: named losses, each with its weight, and a ramp of that weight over the run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from srlab.losses.pixel import PixelLoss
from srlab.schedules import Schedule
from srlab.types import Batch, Prediction

T = TypeVar("T", bound="Term")


@dataclass(frozen=True)
class Step:
    """What a loss may look at.

    Attributes:
        prediction: of the network.
        batch: what it was made from, and is judged by.
        iteration: the clock, from 1.
        discriminator: image (B, C, H, W) -> logits of any shape, where one is trained beside the network; else None.
        back: SR -> LR, where such a network is trained beside the other; else None.
        shared: what several losses of the step compute once, by a key of theirs.
    """

    prediction: Prediction
    batch: Batch
    iteration: int = 1
    discriminator: Callable[[Tensor], Tensor] | None = None
    back: Callable[[Tensor], Tensor] | None = None
    shared: dict[object, object] = field(default_factory=dict)


class Terms(NamedTuple):
    """What a step minimises, and what it is made of.

    Attributes:
        total: (), the weighted sum.
        values: each loss by its name, and its parts by `<name>_<part>`, unweighted and detached; one that has no weight
            at this iteration is left out.
    """

    total: Tensor
    values: dict[str, Tensor]


class Term(nn.Module, ABC):
    """One summand: weight x ramp(iteration) x measure(step). What it looks at in a step is its subclass's to say.

    Args:
        weight: of the loss in the sum, 0 or more.
        ramp: iteration (from 0) -> factor of the weight; None: 1 throughout.

    Attributes:
        needs_truth: it compares with HR, and cannot be where HR is not known.
    """

    needs_truth = True

    def __init__(self, weight: float = 1.0, ramp: Schedule | None = None) -> None:
        super().__init__()
        self.weight, self.ramp = weight, ramp

    def weight_at(self, iteration: int) -> float:
        """The weight in the training's `iteration`, from 1."""
        return self.weight if self.ramp is None else self.weight * self.ramp(iteration - 1)

    @abstractmethod
    def measure(self, step: Step) -> Tensor:
        """The loss of a step, (), before its weight."""

    def measure_parts(self, step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        """The same, and by their names what it is made of, to be logged beside it: nothing, for most losses."""
        return self.measure(step), {}

    def meet(self, others: Sequence["Term"]) -> None:
        """Learn of all losses of the objective, itself among them: to share with the first of its like what both use."""


class WeightedTerm(Term):
    """A loss of two images, (sr, hr) -> (), on the network's final output.

    A pixel loss is the mean over the pixels at which HR is known.

    Args:
        loss: the loss.
        weight, ramp: see `Term`.
    """

    def __init__(self, loss: nn.Module, weight: float = 1.0, ramp: Schedule | None = None) -> None:
        super().__init__(weight, ramp)
        self.loss = loss

    def measure(self, step: Step) -> Tensor:
        mask = [step.batch.mask] if isinstance(self.loss, PixelLoss) else []
        value: Tensor = self.loss(step.prediction.sr, step.batch.hr, *mask)
        return value


class WeightedSum(nn.Module):
    """Sum of weighted losses of a step. A term without weight at an iteration is not computed.

    In the holes of HR nothing is asked of SR: there every loss sees in it what fills HR.

    Args:
        terms: the losses by the names under which they are logged.

    Raises:
        ValueError: no term, one that is no loss, or a negative weight.
    """

    def __init__(self, terms: Mapping[str, Term]) -> None:
        super().__init__()
        if not terms:
            raise ValueError("There is no loss to train on: choose at least one, as in loss=l1 or loss=[l1,l2].")
        for name, term in terms.items():
            if not isinstance(term, Term):
                raise ValueError(f"loss.{name} describes no loss: choose it from the group, as in loss=[l1,l2].")
            if term.weight < 0:
                raise ValueError(f"loss.{name}.weight={term.weight} is negative: give 0 or more.")
        self.terms = nn.ModuleDict(terms)
        for term in terms.values():
            term.meet(list(terms.values()))

    def forward(self, step: Step) -> Terms:
        if (mask := step.batch.mask) is not None:
            known = torch.where(mask > 0.5, step.prediction.sr, step.batch.hr)
            step = replace(step, prediction=step.prediction._replace(sr=known))
        weights = {name: term.weight_at(step.iteration) for name, term in self.named_terms()}
        measured = {name: term.measure_parts(step) for name, term in self.named_terms() if weights[name]}
        if not measured:
            raise ValueError(f"At iteration {step.iteration} no loss has a weight: {weights}. Give one above 0.")
        total = torch.stack([weights[name] * value for name, (value, _) in measured.items()]).sum()
        values = {name: value.detach() for name, (value, _) in measured.items()}
        for name, (_, parts) in measured.items():
            values |= {f"{name}_{part}": value.detach() for part, value in parts.items()}
        return Terms(total, values)

    def of_kind(self, kind: type[T]) -> dict[str, T]:
        """The losses of a class, by their names."""
        return {name: term for name, term in self.named_terms() if isinstance(term, kind)}

    def named_terms(self) -> Iterator[tuple[str, Term]]:
        """Each loss with its name."""
        for name, term in self.terms.items():
            assert isinstance(term, Term)
            yield name, term
