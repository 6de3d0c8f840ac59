"""Attention-FH: episodes, and a policy whose reward rises."""

from statistics import fmean
from typing import cast

import pytest
import torch
from torch import Tensor

from srlab.networks.attention_fh import AttentionFH, Episode
from srlab.networks.interpolation import enlarge
from srlab.paradigms.attention_fh import reinforce
from tests.networks.conftest import Compose


def small(composed: Compose, *overrides: str) -> AttentionFH:
    numbers = {"view": 8, "remembered": 32, "context": 8, "width": 8, "layers": 3, "kernel_size": 3}
    overrides = (*(f"framework.{name}={value}" for name, value in numbers.items()), *overrides)
    return cast(AttentionFH, composed("network=attention_fh", *overrides))


def test_a_step_changes_one_patch_and_every_step_is_returned(composed: Compose) -> None:
    network, lr = small(composed, "framework.steps=3"), torch.rand(2, 3, 12, 16)
    prediction = network(lr)
    assert list(prediction.intermediate) == ["step1", "step2", "step3"]
    assert torch.equal(prediction.intermediate["step3"], prediction.sr)
    before = enlarge(lr, 2)
    for after in prediction.intermediate.values():
        changed = (after != before).any(1)
        rows, columns = changed.any(2).sum(1), changed.any(1).sum(1)
        assert (rows <= 9).all()
        assert (columns <= 12).all()
        assert changed.any()
        before = after


@pytest.mark.parametrize(("place", "top", "left"), [(0, 0, 0), (7, 0, 20), (56, 15, 0), (63, 15, 20), (9, 2, 2)])
def test_places_cover_the_image(composed: Compose, place: int, top: int, left: int) -> None:
    network = small(composed)
    image = torch.zeros(1, 3, 24, 32)
    changed = (network.enhanced(image, torch.tensor([place]), torch.zeros(1, 32)) != 0).any(1)[0]
    rows, columns = changed.any(1).nonzero(), changed.any(0).nonzero()
    assert (rows.min().item(), columns.min().item()) == (top, left)
    assert (rows.max().item(), columns.max().item()) == (top + 8, left + 11)


def test_the_policys_gradient_is_reinforces() -> None:
    """Two episodes of one step from even chances: the better one's choice must grow likelier, by hand."""
    logits = torch.zeros(2, 2, requires_grad=True)
    chosen = logits.log_softmax(1).diagonal()
    hr = torch.zeros(2, 1, 1, 1)
    start, end = torch.ones(2, 1, 1, 1), torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    reward, policy = reinforce(Episode([start, end], [chosen], []), hr)
    torch.autograd.backward(policy)
    assert reward.item() == 0.5
    # Advantages +0.5 and -0.5; d log p(chosen) / d logits is +0.5 at the choice and -0.5 at the other; mean of the two.
    torch.testing.assert_close(logits.grad, torch.tensor([[-0.125, 0.125], [-0.125, 0.125]]))


def striped(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Black images with one striped quadrant, and which: as LR it is grey, and nothing elsewhere can be enhanced."""
    quadrant = torch.randint(4, (count,))
    hr = torch.zeros(count, 3, 16, 16)
    for image, place in zip(hr, quadrant.tolist(), strict=True):
        image[:, place // 2 * 8 : place // 2 * 8 + 8 : 2, place % 2 * 8 : place % 2 * 8 + 8] = 1
    return hr.reshape(count, 3, 8, 2, 8, 2).mean((3, 5)), hr, quadrant


@pytest.mark.parametrize(("weight", "found"), [(0.02, (0.9, 1.0)), (0.0, (0.0, 0.45))])
def test_reinforce_finds_the_patch_that_can_be_enhanced(
    composed: Compose, weight: float, found: tuple[float, float]
) -> None:
    """By hand: one patch of four earns something. Even chances find it in a quarter of the episodes."""
    torch.manual_seed(0)
    network = small(composed, "framework.steps=1", "framework.places=2", "framework.fraction=0.5")
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    rewards, hits = [], []
    for _ in range(300):
        lr, hr, quadrant = striped(32)
        episode = network.episode(lr, explore=True)
        reward, policy = reinforce(episode, hr)
        optimizer.zero_grad()
        torch.autograd.backward((episode.images[-1] - hr).square().mean() + weight * policy)
        optimizer.step()
        rewards.append(reward.item())
        hits.append((episode.places[0] == quadrant).float().mean().item())
    assert fmean(hits[:20]) < 0.4
    assert fmean(rewards[:20]) < 0.2
    assert found[0] <= fmean(hits[-20:]) <= found[1]
    if weight:
        assert fmean(rewards[-20:]) > 0.8
