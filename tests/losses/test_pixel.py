import math

import pytest
import torch

from srlab.losses.pixel import L1, L2, Charbonnier
from srlab.losses.weighted import WeightedSum, WeightedTerm
from srlab.types import Batch, Prediction

HR = torch.zeros(2, 3, 4, 4)
SR = torch.full((2, 3, 4, 4), 0.3)


def test_closed_forms() -> None:
    assert L1()(SR, HR).item() == pytest.approx(0.3)
    assert L2()(SR, HR).item() == pytest.approx(0.09)
    assert Charbonnier(eps=0.4)(SR, HR).item() == pytest.approx(0.5)  # a 3-4-5 triangle


def test_charbonnier_is_smooth_where_l1_is_not() -> None:
    sr = torch.zeros(1, requires_grad=True)
    Charbonnier()(sr, torch.zeros(1)).backward()
    assert sr.grad is not None
    assert sr.grad.item() == 0


def test_weighted_sum_adds_weighted_and_reports_unweighted_terms() -> None:
    objective = WeightedSum({"l1": WeightedTerm(L1(), 2.0), "l2": WeightedTerm(L2(), 10.0)})
    terms = objective(Prediction(SR, {}), Batch(SR, HR, torch.arange(2)))
    assert terms.total.item() == pytest.approx(2 * 0.3 + 10 * 0.09)
    assert math.isclose(terms.values["l1"].item(), 0.3, rel_tol=1e-6)
    assert not terms.values["l2"].requires_grad


def test_no_loss_and_negative_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="loss=l1"):
        WeightedSum({})
    with pytest.raises(ValueError, match="negative"):
        WeightedSum({"l1": WeightedTerm(L1(), -1.0)})
