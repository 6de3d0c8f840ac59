"""Adversarial training in float16 with scaled losses: clipped after unscaling, counted once, unharmed by an overflow."""

from pathlib import Path
from typing import NamedTuple

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from torch import Tensor

from srlab.build import build
from srlab.paradigms.adversarial import Adversarial
from tests.conftest import composed
from tests.paradigms.test_adversarial import PLAIN

pytestmark = pytest.mark.usefixtures("photos")


class Fitted(NamedTuple):
    """A short training's steps, and how far each network moved."""

    trainer: pl.Trainer
    scaler: torch.amp.GradScaler
    moved: dict[str, Tensor]


def fit(monkeypatch: pytest.MonkeyPatch, folder: Path, scale: float | None, *overrides: str) -> Fitted:
    """Train on the folder's photos, under a scaler of losses, or in float32 without one (None)."""
    monkeypatch.chdir(folder)
    rates = ["optimizer.lr=1", "optimizer_d.lr=1"]
    cfg = composed("train", [*PLAIN, *rates, "run_dir=run", *overrides])
    pl.seed_everything(0, verbose=False)
    paradigm: Adversarial = build(cfg.paradigm)
    before = {name: weights(getattr(paradigm, name)) for name in ("network", "discriminator")}
    scaler = torch.amp.GradScaler("cpu", init_scale=scale or 1.0)
    plugins = [MixedPrecision("16-mixed", "cpu", scaler)] if scale else []
    if scale:
        cfg.trainer.precision = None
    options = {"plugins": plugins, "logger": False, "enable_checkpointing": False, "callbacks": []}
    trainer = build(cfg.trainer, **options, default_root_dir=folder, **paradigm.takes_over(cfg.trainer))
    trainer.fit(paradigm, build(cfg.data))
    after = {name: weights(getattr(paradigm, name)) for name in before}
    return Fitted(trainer, scaler, {name: after[name] - before[name] for name in before})


def weights(module: torch.nn.Module) -> Tensor:
    return torch.cat([one.detach().flatten().float().clone() for one in module.parameters()])


@pytest.mark.parametrize("accumulate", [1, 2])
def test_both_players_are_clipped_after_their_gradients_are_unscaled(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, accumulate: int
) -> None:
    arguments = [f"trainer.accumulate_grad_batches={accumulate}", f"iterations={accumulate}"]
    free = fit(monkeypatch, tmp_path, 1024.0, *arguments)
    exact = fit(monkeypatch, tmp_path, None, *arguments)
    assert free.trainer.global_step == exact.trainer.global_step == 1
    for name in free.moved:  # a step of SGD at a rate of 1 is the gradient
        torch.testing.assert_close(
            free.moved[name], exact.moved[name], rtol=0.02, atol=2e-3 * float(exact.moved[name].norm())
        )
        assert free.moved[name].norm() > 2e-3
    clipped = fit(monkeypatch, tmp_path, 1024.0, *arguments, "trainer.gradient_clip_val=1e-3")
    for name, moved in clipped.moved.items():
        assert moved.norm().item() == pytest.approx(1e-3, rel=0.01)
        assert torch.cosine_similarity(moved, exact.moved[name], dim=0) > 0.999


def test_steps_are_counted_by_rounds_and_an_overflow_spoils_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arguments = ["trainer.accumulate_grad_batches=2", "iterations=6", "optimizer.lr=1e-3", "optimizer_d.lr=1e-3"]
    calm = fit(monkeypatch, tmp_path, 1024.0, *arguments)
    assert (calm.trainer.global_step, calm.scaler.get_scale()) == (3, 1024.0)
    stormy = fit(monkeypatch, tmp_path, 2.0**40, *arguments)
    assert stormy.trainer.global_step == 3
    assert stormy.scaler.get_scale() == 2.0 ** (40 - 6)  # two players in three rounds, all skipped
    assert all(float(moved.abs().max()) == 0 for moved in stormy.moved.values())
