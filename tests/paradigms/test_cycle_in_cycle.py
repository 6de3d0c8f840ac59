"""The cycles: whom each term reaches, who moves when, what the reverse cycle adds, and what is exported."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import srlab
from srlab.build import build
from srlab.errors import InputError
from srlab.networks.translators import Chained
from srlab.paradigms.cycle_in_cycle import CycleInCycle, CycleWeights, Measures, variation
from tests.conftest import TINY, Command, composed, train_in_two_processes

NETS = [
    "paradigm=cycle_in_cycle",
    "paradigm.inner_iterations=3",
    "backbone.blocks=1",
    "backbone.width=8",
    "translator.width=4",
    "translator.blocks=1",
    "discriminator.width=4",
    "discriminator.strides=[2,1]",
    "discriminator_lr.width=4",
    "discriminator_lr.strides=[1]",
]
SMALL = [
    *(item for item in TINY if not item.startswith(("data", "backbone"))),
    *NETS,
    "data=unpaired",
    "data.hr_root=photos/0.png",
    "data.lr_root=photos/1.png",
    "data.val_hr_root=photos",
    "data.batch_size=2",
    "data.patch=8",
    "training.ema_decay=0.5",
    "trainer.precision=32-true",
]


def paradigm(tmp_path: Path, *overrides: str) -> CycleInCycle:
    built: CycleInCycle = build(composed("train", [*NETS, *overrides, f"run_dir={tmp_path}"]).paradigm)
    return built


def nets(cycles: CycleInCycle) -> dict[str, nn.Module]:
    named = {
        "G1": cycles.chain.translator,
        "SR": cycles.chain.enlarger,
        "G2": cycles.back,
        "G3": cycles.reduce,
        "D1": cycles.discriminator_lr,
        "D2": cycles.discriminator,
    }
    return named | ({"DX": cycles.discriminator_real} if cycles.discriminator_real else {})


def reached(loss: Tensor, cycles: CycleInCycle) -> set[str]:
    """The nets of which every weight gets a gradient; none may get one in part."""
    found = set()
    for name, net in nets(cycles).items():
        gradients = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True, retain_graph=True)
        given = {gradient is not None for gradient in gradients}
        assert len(given) == 1, name
        found |= {name} if given == {True} else set()
    return found


def test_each_term_reaches_the_nets_that_it_is_of(tmp_path: Path) -> None:
    cycles = paradigm(tmp_path, "paradigm.reverse=true")
    x, y, z = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16)
    judge = cycles.discriminator_real
    assert judge is not None
    inner = cycles.inner_measures(x, y, cycles.chain.translator(x))
    outer = cycles.outer_measures(x, y, z, cycles.chain(x).sr)
    reverse = cycles.reverse_measures(y, cycles.back(y), judge)
    wanted = [
        (inner, {"adversarial": "G1 D1", "cycle": "G1 G2", "identity": "G1", "variation": "G1"}),
        (outer, {"adversarial": "G1 SR D2", "cycle": "G1 SR G3", "identity": "SR", "variation": "G1 SR"}),
        (reverse, {"adversarial_reverse": "G2 DX", "cycle_reverse": "G1 G2"}),
    ]
    for measures, of in wanted:
        assert {name: reached(measure(), cycles) for name, measure in measures.items()} == {
            name: set(named.split()) for name, named in of.items()
        }


def test_weights_are_the_published_ones_and_a_term_without_one_is_left_out(tmp_path: Path) -> None:
    cycles = paradigm(tmp_path)
    published = {"adversarial": 2 * 0.5, "cycle": 10, "identity": 5}  # LSGAN's half is the objective's
    assert vars(cycles.inner) == {**published, "adversarial": 2, "variation": 0.5}
    assert vars(cycles.outer) == {**published, "adversarial": 2, "variation": 2}
    measures: Measures = {
        "adversarial": lambda: torch.tensor(1.0),
        "cycle": lambda: torch.tensor(2.0),
        "identity": lambda: torch.tensor(3.0),
    }
    assert CycleWeights(1, 10, 5, 0).total(measures, "inner").total.item() == 1 + 20 + 15
    measures["cycle_reverse"] = lambda: torch.tensor(0.5)
    terms = CycleWeights(0, 10, 0, 0).total(measures, "inner")
    assert terms.total.item() == 25
    assert set(terms.values) == {"inner_cycle", "inner_cycle_reverse"}
    with pytest.raises(ValueError, match="not 0 for all"):
        CycleWeights(0, 0, 0, 0)


def test_variation_is_the_mean_square_of_both_differences() -> None:
    ramp = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 1, 3, 4)
    assert variation(ramp + 2 * torch.arange(3.0).view(1, 1, 3, 1)) == 1 + 4


class Watch:
    """Which nets each turn of a run moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.turns: list[tuple[str, set[str]]] = []
        before: dict[str, list[Tensor]] = {}
        step, moved = CycleInCycle.training_step, CycleInCycle.moved

        def weights(cycles: CycleInCycle) -> dict[str, list[Tensor]]:
            return {name: [one.detach().clone() for one in net.parameters()] for name, net in nets(cycles).items()}

        def watched_step(cycles: CycleInCycle, batch: Any, batch_idx: int) -> None:
            before.update(weights(cycles))
            step(cycles, batch, batch_idx)

        def watched_moved(cycles: CycleInCycle, name: str) -> None:
            now = weights(cycles)
            different = {net for net in now if not all(map(torch.equal, now[net], before[net]))}
            self.turns.append((name, different))
            before.update(now)
            moved(cycles, name)

        monkeypatch.setattr(CycleInCycle, "training_step", watched_step)
        monkeypatch.setattr(CycleInCycle, "moved", watched_moved)


@pytest.mark.usefixtures("photos")
def test_the_inner_cycle_goes_first_and_each_turn_moves_its_own_nets(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("train", *TINY, "iterations=1", "hydra.run.dir=pretrained").status == 0
    pretrained = srlab.load(tmp_path / "pretrained")
    watch = Watch(monkeypatch)
    outcome = command("train", *SMALL, "weights=pretrained", "optimizer.lr=0", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    inner = [("discriminator_lr", {"D1"}), ("inner", {"G1", "G2"})]
    outer = [("discriminator", {"D2"}), ("outer", set[str]())]  # at a rate of 0
    assert watch.turns == inner * 3 + (inner + outer) * 3
    exported = srlab.load(tmp_path / "run")
    assert exported(torch.rand(1, 3, 5, 7)).sr.shape == (1, 3, 10, 14)
    assert isinstance(exported, Chained)
    kept = exported.enlarger.state_dict()  # the SR network that was trained on pairs, untouched at a rate of 0
    assert all(torch.allclose(weight, kept[name]) for name, weight in pretrained.state_dict().items())
    assert list((tmp_path / "run/images").glob("training_*.png"))
    assert command("upscale", "weights=run", "input=photos/1.png").status == 0
    watch.turns.clear()
    reverse = ["paradigm.reverse=true", "paradigm.inner_iterations=1", "iterations=2", "hydra.run.dir=both"]
    assert command("train", *SMALL, *reverse).status == 0
    inner.insert(1, ("discriminator_real", {"DX"}))
    assert watch.turns == inner + inner + [("discriminator", {"D2"}), ("outer", {"G1", "SR", "G3"})]


@pytest.mark.usefixtures("photos")
def test_g2_learns_from_the_cycle_alone(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    outcome = command("train", *SMALL, "paradigm.inner.cycle=0", "iterations=2", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    assert watch.turns == [("discriminator_lr", {"D1"}), ("inner", {"G1"})] * 2


@pytest.mark.usefixtures("photos")
def test_what_it_cannot_do_without_is_named(command: Command) -> None:
    paired = ["data=folder", "data.root=photos", "data.val_root=photos", "data.batch_size=2", "data.patch=8"]
    others = [item for item in SMALL if not item.startswith("data")]
    outcome = command("train", *others, *paired)
    assert (outcome.status, "choose data=unpaired" in outcome.err) == (2, True)
    accumulated = command("train", *SMALL, "trainer.accumulate_grad_batches=2", "hydra.run.dir=accumulated")
    assert (accumulated.status, "accumulate_grad_batches=2" in accumulated.err) == (2, True)


def test_a_network_without_a_translator_is_refused(tmp_path: Path) -> None:
    cfg = composed("train", [*NETS, f"run_dir={tmp_path}"])
    cfg.paradigm.network = cfg.framework
    with pytest.raises(InputError, match="has no G1"):
        build(cfg.paradigm)


def test_the_error_of_g1_on_clean_images_is_a_choice_and_absolute_as_published(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x, y = torch.rand(2, 1, 3, 8, 8)
    for overrides, error in (
        ([], F.l1_loss),
        (["paradigm.identity._target_=srlab.losses.pixel.L2"], F.mse_loss),
    ):
        cycles = paradigm(tmp_path, *overrides)
        cleaned = cycles.chain.translator(y)
        measured = cycles.inner_measures(x, y, cycles.chain.translator(x))["identity"]()
        torch.testing.assert_close(measured, error(cleaned, y))


@pytest.mark.slow
@pytest.mark.usefixtures("photos")
def test_two_processes_are_one_large_batch(command: Command, tmp_path: Path) -> None:
    plain = ["discriminator.norm=none", "discriminator_lr.norm=none", "paradigm.inner_iterations=1", "iterations=2"]
    plain += [f"{group}=sgd" for group in ("optimizer", "optimizer@optimizer_g", "optimizer@optimizer_d")]
    plain += [f"{name}.lr=0.01" for name in ("optimizer", "optimizer_g", "optimizer_d")]
    plain += [f"~{name}.betas" for name in ("optimizer", "optimizer_g", "optimizer_d")]  # the paradigm's, of Adam
    assert command("train", *SMALL, *plain, "data.batch_size=4", "hydra.run.dir=large").status == 0
    train_in_two_processes(tmp_path, *SMALL, *plain, "hydra.run.dir=two")
    file = "checkpoints/iteration_000000002.ckpt"
    large, both = (torch.load(tmp_path / run / file, weights_only=True) for run in ("large", "two"))
    assert large["global_step"] == both["global_step"] == 2
    torch.testing.assert_close(large["state_dict"], both["state_dict"], rtol=0, atol=1e-5)
