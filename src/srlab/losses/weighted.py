"""A training objective: named losses, each with its weight."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from srlab.types import Batch, Prediction


class Terms(NamedTuple):
    """What a step minimises, and what it is made of.

    Attributes:
        total: (), the weighted sum.
        values: each loss by its name, unweighted and detached.
    """

    total: Tensor
    values: dict[str, Tensor]


class WeightedTerm(nn.Module):
    """A loss of (sr, hr) and its weight in the sum."""

    def __init__(self, loss: nn.Module, weight: float = 1.0) -> None:
        super().__init__()
        self.loss, self.weight = loss, weight


class WeightedSum(nn.Module):
    """Sum of weighted losses of a prediction against its batch.

    Args:
        terms: the losses by the names under which they are logged.

    Raises:
        ValueError: no term, one that is no loss, or a negative weight.
    """

    def __init__(self, terms: Mapping[str, WeightedTerm]) -> None:
        super().__init__()
        if not terms:
            raise ValueError("There is no loss to train on: choose at least one, as in loss=l1 or loss=[l1,l2].")
        for name, term in terms.items():
            if not isinstance(term, WeightedTerm):
                raise ValueError(f"loss.{name} describes no loss: choose it from the group, as in loss=[l1,l2].")
            if term.weight < 0:
                raise ValueError(f"loss.{name}.weight={term.weight} is negative: give 0 or more.")
        self.terms = nn.ModuleDict(terms)

    def forward(self, prediction: Prediction, batch: Batch) -> Terms:
        values = {name: term.loss(prediction.sr, batch.hr) for name, term in self._terms()}
        total = torch.stack([term.weight * values[name] for name, term in self._terms()]).sum()
        return Terms(total, {name: value.detach() for name, value in values.items()})

    def _terms(self) -> Iterator[tuple[str, WeightedTerm]]:
        for name, term in self.terms.items():
            assert isinstance(term, WeightedTerm)
            yield name, term
