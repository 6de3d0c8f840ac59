import math

import pytest
import torch

from srlab.losses.image import SSIM
from srlab.losses.pixel import L1, L2, Charbonnier
from srlab.losses.weighted import Step, WeightedSum, WeightedTerm
from srlab.schedules import Linear
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
    terms = objective(Step(Prediction(SR, {}), Batch(SR, HR, torch.arange(2))))
    assert terms.total.item() == pytest.approx(2 * 0.3 + 10 * 0.09)
    assert math.isclose(terms.values["l1"].item(), 0.3, rel_tol=1e-6)
    assert not terms.values["l2"].requires_grad


def test_no_loss_and_negative_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="loss=l1"):
        WeightedSum({})
    with pytest.raises(ValueError, match="negative"):
        WeightedSum({"l1": WeightedTerm(L1(), -1.0)})


def test_a_ramp_moves_the_weight_and_a_term_without_weight_is_not_computed() -> None:
    rising = WeightedTerm(L2(), 10.0, ramp=Linear(0, 1, first=2, last=4))
    objective = WeightedSum({"l1": WeightedTerm(L1()), "l2": rising})
    batch = Batch(SR, HR, torch.arange(2))
    totals = [objective(Step(Prediction(SR, {}), batch, iteration)).total.item() for iteration in (1, 3, 4, 5, 9)]
    assert totals == pytest.approx([0.3, 0.3, 0.3 + 0.45, 0.3 + 0.9, 0.3 + 0.9])
    assert "l2" not in objective(Step(Prediction(SR, {}), batch, 1)).values


def test_an_objective_without_any_weight_is_refused() -> None:
    objective = WeightedSum({"l1": WeightedTerm(L1(), 0.0)})
    with pytest.raises(ValueError, match="no loss has a weight"):
        objective(Step(Prediction(SR, {}), Batch(SR, HR, torch.arange(2))))


@pytest.mark.parametrize("loss", [L1(), L2(), Charbonnier(0.1)])
def test_in_holes_nothing_is_asked_and_the_mean_is_over_what_is_known(loss: torch.nn.Module) -> None:
    mask = torch.ones(2, 1, 4, 4)
    mask[..., 2:] = 0
    sr = SR.clone()
    sr[..., 2:] = 7.0
    sr.requires_grad_()
    terms = WeightedSum({"loss": WeightedTerm(loss)})(
        Step(Prediction(sr, {}), Batch(SR, HR, torch.arange(2), mask=mask))
    )
    assert terms.total.item() == pytest.approx(loss(SR, HR).item())
    terms.total.backward()
    assert sr.grad is not None
    assert sr.grad[..., 2:].abs().max() == 0
    assert sr.grad[..., :2].abs().min() > 0


def test_in_holes_every_other_loss_sees_what_fills_hr() -> None:
    mask = torch.zeros(2, 1, 16, 16)
    hr = torch.rand(2, 3, 16, 16)
    step = Step(Prediction(torch.rand(2, 3, 16, 16), {}), Batch(hr, hr, torch.arange(2), mask=mask))
    assert WeightedSum({"ssim": WeightedTerm(SSIM())})(step).total.item() == pytest.approx(0, abs=1e-6)
