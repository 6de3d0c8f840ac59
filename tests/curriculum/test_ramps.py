"""Settings that move: by their path, to the value that the iteration names."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from srlab.build import build
from srlab.curriculum.ramps import Ramps, put
from srlab.degradation.base import Chain
from srlab.degradation.downscale import Downscale
from srlab.degradation.noise import GaussianNoise
from srlab.errors import InputError
from srlab.losses.pixel import L1
from srlab.losses.weighted import WeightedSum, WeightedTerm
from tests.conftest import composed

LINE = {"start": 0.0, "end": 1.0, "first": 0.2, "last": 0.6}


@dataclass(frozen=True)
class Weights:
    """Of a paradigm's own terms."""

    cycle: float = 10.0
    identity: float = 5.0


class Paradigm(nn.Module):
    """What ramps see of one."""

    optimizer_names = ("optimizer",)

    def __init__(self) -> None:
        super().__init__()
        self.loss = WeightedSum({"l1": WeightedTerm(L1())})
        self.inner, self.noise, self.period = Weights(), 0.1, 5


def test_a_setting_follows_its_line() -> None:
    ramps = Ramps({"loss.l1.weight": LINE, "optimizer.weight_decay": LINE, "optimizer.lr": LINE}, iterations=10)
    paradigm, weight = Paradigm(), nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=3.0)
    optimizer.param_groups[0]["initial_lr"] = 3.0
    moved = []
    for batch in range(10):
        ramps.move_training(paradigm, [optimizer], batch)  # type: ignore[arg-type]
        group = optimizer.param_groups[0]
        assert paradigm.loss.of_kind(WeightedTerm)["l1"].weight == group["weight_decay"] == group["initial_lr"]
        moved.append(group["weight_decay"])
    assert moved == pytest.approx([0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1])


def test_the_range_of_a_degradation_grows_at_one_end() -> None:
    chain = Chain([Downscale(2), GaussianNoise([0.0, 0.1])])
    ramps = Ramps({"degradation.steps.1.sigma.1": {"start": 0.0, "end": 0.5}}, iterations=100)
    hr, seeds, levels = torch.full((16, 1, 32, 32), 0.5), torch.arange(16), torch.zeros(16, dtype=torch.int64)
    noise = []
    for batch in (0, 20, 100):
        ramps.move_degradation(chain, batch)
        noise.append(chain(hr, seeds, levels).parameters["noise_sigma"].max().item())
    assert noise[0] == 0
    assert 0.05 < noise[1] <= 0.1
    assert 0.3 < noise[2] <= 0.5
    put(chain, ["steps", "1", "sigma"], 0.2, "")
    assert chain.steps[1].sigma == (0.2, 0.2)


def test_a_paradigms_own_numbers_move_and_its_counts_do_not() -> None:
    paradigm: Any = Paradigm()
    ramps = Ramps({"paradigm.inner.cycle": LINE, "paradigm.noise": LINE}, iterations=10)
    ramps.move_training(paradigm, [], 4)
    assert (paradigm.inner, paradigm.noise) == (Weights(cycle=0.5), 0.5)
    with pytest.raises(InputError, match="whole number 5, a count"):
        Ramps({"paradigm.period": LINE}, 10).move_training(paradigm, [], 0)


@pytest.mark.parametrize(
    "choices",
    [
        ["paradigm=adversarial", "loss=[l1,gan]"],
        ["paradigm=degradation_gan"],
        ["paradigm=cycle_in_cycle"],
        ["experiment=kernel_gan", "data.image=photo.png"],
    ],
)
def test_an_optimizer_is_found_by_its_name_whatever_turn_its_player_takes(choices: list[str]) -> None:
    cfg = composed("train", [*choices, "run_dir=run"])
    paradigm = build(cfg.paradigm)
    named = {name: cfg[name].lr for name in ("optimizer", "optimizer_d", "optimizer_g") if cfg[name]}
    lines = {f"{name}.lr": {"start": place + 1.0, "end": 9.0} for place, name in enumerate(named)}
    optimizers = paradigm.configure_optimizers()
    Ramps(lines, 10).move_training(paradigm, optimizers, 0)
    rates = {  # by what the optimizer moves, and not by its place
        id(weight): group["initial_lr"]
        for optimizer in optimizers
        for group in optimizer.param_groups
        for weight in group["params"]
    }
    for name, module in paradigm.named_children():
        own = {rates[id(weight)] for weight in module.parameters() if id(weight) in rates}
        if name.startswith("discriminator"):
            assert own == {lines["optimizer_d.lr"]["start"]}
        elif name in {"degrader", "back"}:
            assert own == {lines["optimizer_g.lr"]["start"]}
        elif name in {"network", "reduce"} and own:
            assert lines["optimizer.lr"]["start"] in own


def test_settings_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'network.width' is no setting that can move"):
        Ramps({"network.width": LINE}, 10)
    for path in ("loss.l2.weight", "loss.l1.height", "loss.l1.loss", "optimizer_d.lr", "optimizer.l", "paradigm.b.c"):
        ramps = Ramps({path: LINE}, 10)
        with pytest.raises(InputError, match=r"there is no number|has no place"):
            ramps.move_training(Paradigm(), [torch.optim.SGD([nn.Parameter(torch.zeros(1))])], 0)  # type: ignore[arg-type]
