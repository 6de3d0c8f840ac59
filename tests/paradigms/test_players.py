"""Turns of several optimizers: one clock, no leak between players, clipping of unscaled gradients."""

from pathlib import Path

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from srlab.build import build
from srlab.evaluation.protocol import Protocol
from srlab.networks.frameworks import PreUpsampling
from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.players import Player, Players
from srlab.schedules import MultiStep
from tests.conftest import composed

BATCHES = 7


def sgd(parameters: object) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=1.0)  # type: ignore[arg-type]


class Duel(Players):
    """One weight each, whose gradients are known: the generator's is 1, the critic's 2, in every iteration."""

    def __init__(self, network: Network, training: Training) -> None:
        super().__init__(network, training)
        self.critic = nn.Linear(1, 1, bias=False)
        self.players = {"critic": Player((self.critic,), sgd), "generator": Player((self.network,), sgd)}
        self.frozen_in_turn: list[bool] = []
        self.rates: list[float] = []
        self.norms: list[float] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> None:
        self.rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])
        with self.turn("critic") as descend:
            self.frozen_in_turn.append(any(one.requires_grad for one in self.network.parameters()))
            descend(2 * self.critic.weight.sum() + 0 * sum(one.sum() for one in self.network.parameters()))
        with self.turn("generator") as descend:
            self.frozen_in_turn.append(self.critic.weight.requires_grad)
            descend(sum(one.sum() for one in self.network.parameters()) + 3 * self.critic.weight.sum())

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        super().on_before_optimizer_step(optimizer)
        gradients = [one.grad.norm() for group in optimizer.param_groups for one in group["params"]]
        self.norms.append(torch.stack(gradients).norm().item())


@pytest.fixture
def duel() -> Duel:
    protocol: Protocol = build(composed("train", []).protocol)
    backbone = nn.Conv2d(1, 1, 1, bias=False)
    backbone.halo, backbone.multiple_of = 0, 1  # type: ignore[assignment]
    network = PreUpsampling(backbone, 1, 2, tail=None, global_residual=False)
    training = Training(
        seed=0, scheduler=MultiStep([4], iterations=BATCHES, factor=0.1), protocol=protocol, ema_decay=0.5
    )
    return Duel(network, training)


def fit(duel: Duel, tmp_path: Path, accumulate: int = 1, clip: float | None = None, **options: object) -> pl.Trainer:
    left = duel.takes_over({"gradient_clip_val": clip, "accumulate_grad_batches": accumulate})
    assert left == {"gradient_clip_val": None, "accumulate_grad_batches": 1}
    trainer = pl.Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=tmp_path,
        **options,  # type: ignore[arg-type]
    )
    trainer.fit(duel, DataLoader(TensorDataset(torch.zeros(BATCHES, 1)), batch_size=1))
    return trainer


@pytest.mark.parametrize(("accumulate", "steps"), [(1, [1, 2, 3, 4, 5, 6, 7]), (3, [3, 6, 7])])
def test_an_iteration_is_counted_once_however_many_turns_it_has(
    duel: Duel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accumulate: int, steps: list[int]
) -> None:
    averaged: list[int] = []
    assert duel.ema is not None
    monkeypatch.setattr(duel.ema, "update", lambda network, iteration: averaged.append(iteration))
    trainer = fit(duel, tmp_path, accumulate)
    assert trainer.global_step == len(steps)
    assert averaged == steps
    assert duel.iteration == BATCHES
    assert duel.rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1])
    assert len(duel.norms) == 2 * len(steps)


def test_no_gradient_crosses_from_one_player_to_another(duel: Duel, tmp_path: Path) -> None:
    before = duel.critic.weight.item(), next(duel.network.parameters()).item()
    fit(duel, tmp_path)
    moved = 4 * 1 + 3 * 0.1  # SGD at rates 1 and 0.1
    assert duel.critic.weight.item() == pytest.approx(before[0] - 2 * moved, abs=1e-5)
    assert next(duel.network.parameters()).item() == pytest.approx(before[1] - moved, abs=1e-5)
    assert not any(duel.frozen_in_turn)
    assert all(one.requires_grad for one in (*duel.network.parameters(), *duel.critic.parameters()))


def test_accumulated_gradients_are_the_mean_over_their_batches(duel: Duel, tmp_path: Path) -> None:
    fit(duel, tmp_path, accumulate=3)
    assert duel.norms == pytest.approx([2, 1, 2, 1, 2 / 3, 1 / 3])


@pytest.mark.parametrize("scaled", [False, True])
def test_each_player_is_clipped_after_its_gradient_is_unscaled(duel: Duel, tmp_path: Path, scaled: bool) -> None:
    plugins = [MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=1024.0))] if scaled else None
    fit(duel, tmp_path, clip=1.5, plugins=plugins)
    assert duel.norms == pytest.approx([1.5, 1] * BATCHES, abs=1e-3)


def test_a_network_with_two_turns_cannot_accumulate(duel: Duel, tmp_path: Path) -> None:
    duel.players = {"inner": Player((duel.network,), sgd), "outer": Player((duel.network, duel.critic), sgd)}
    with pytest.raises(ValueError, match="accumulate_grad_batches=3"):
        fit(duel, tmp_path, accumulate=3)


def test_mixed_precision_sees_weights_that_moved_within_the_iteration(duel: Duel, tmp_path: Path) -> None:
    seen: list[tuple[float, float]] = []

    def critical_step(batch: Tensor, batch_idx: int) -> None:
        with duel.turn("critic") as descend:
            before = duel.critic(torch.ones(1, 1)).sum()
            descend(before)  # by SGD at the rate 1 or 0.1: down by as much
            seen.append((before.item(), duel.critic(torch.ones(1, 1)).item()))

    duel.training_step = critical_step  # type: ignore[method-assign]
    duel.critic.weight.data.fill_(8.0)
    fit(duel, tmp_path, precision="bf16-mixed")
    assert [before - after for before, after in seen[:4]] == [1, 1, 1, 1]
