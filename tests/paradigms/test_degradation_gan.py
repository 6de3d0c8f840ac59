"""The two steps: what each moves, the frozen degradation and its use elsewhere, the clock, several processes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import srlab
from srlab.build import build
from srlab.degradation.learned import Learned
from srlab.errors import InputError
from srlab.paradigms.degradation_gan import DegradationGAN
from tests.conftest import TINY, Command, composed, train_in_two_processes

SMALL = [
    *(item for item in TINY if not item.startswith("data")),
    "paradigm=degradation_gan",
    "paradigm.degradation_iterations=3",
    "degrader.width=4",
    "degrader.blocks=1",
    "discriminator_lr.widths=[4]",
    "data=unpaired",
    "data.hr_root=photos",
    "data.lr_root=poor",
    "data.val_hr_root=photos",
    "data.batch_size=2",
    "data.patch=8",
    "callbacks.checkpoints.every=1",
    "training.ema_decay=0.5",
]


@pytest.fixture
def poor(photos: Path) -> Path:
    """Real LR images of other scenes."""
    for path in photos.iterdir():
        (photos.parent / "poor").mkdir(exist_ok=True)
        (photos.parent / "poor" / f"other_{path.name}").write_bytes(path.read_bytes())
    return photos.parent / "poor"


def state(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def changed(module: nn.Module, before: dict[str, Tensor]) -> bool:
    return any(not torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


class Watch:
    """What each iteration of a run changed, and the LR that its SR network was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moved: list[set[str]] = []
        self.given: list[tuple[Tensor, Tensor, Tensor]] = []
        original = DegradationGAN.training_step

        def step(paradigm: DegradationGAN, batch: Any, batch_idx: int) -> None:
            parts = {"degrader": paradigm.degrader, "judge": paradigm.discriminator_lr, "network": paradigm.network}
            before = {name: state(part) for name, part in parts.items()}
            seen: list[Tensor] = []
            hook = paradigm.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
            random_state = torch.random.get_rng_state()
            original(paradigm, batch, batch_idx)
            hook.remove()
            self.moved.append({name for name, part in parts.items() if changed(part, before[name])})
            if seen:
                torch.random.set_rng_state(random_state)
                self.given.append((seen[0], paradigm.learned_lr(batch.hr), batch.lr))
                assert not any(parameter.grad is not None for parameter in paradigm.degrader.parameters())

        monkeypatch.setattr(DegradationGAN, "training_step", step)


@pytest.mark.usefixtures("poor")
def test_one_command_runs_both_steps_and_freezes_the_first(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(monkeypatch)
    outcome = command("train", *SMALL, "hydra.run.dir=run", "trainer.precision=32-true")
    assert outcome.status == 0, outcome.err
    assert watch.moved == [{"degrader", "judge"}] * 3 + [{"network"}] * 3
    for given, made, bicubic in watch.given:
        assert torch.equal(given, made)
        assert (given - bicubic).square().mean() > 1e-8
    assert srlab.load(tmp_path / "run")(torch.rand(1, 3, 5, 7)).sr.shape == (1, 3, 10, 14)
    assert list((tmp_path / "run/images").glob("training_*.png"))
    table = (tmp_path / "run/metrics.csv").read_text()
    assert all(f"train/loss_{name}," in table for name in ("anchor", "adversarial", "discriminator_lr", "l1"))


@pytest.mark.usefixtures("poor")
def test_another_paradigm_trains_on_the_learned_degradation(command: Command, tmp_path: Path) -> None:
    assert command("train", *SMALL, "iterations=3", "hydra.run.dir=run").status == 0
    learned = Learned(2, str(tmp_path / "run"), margin=4)
    hr, levels = torch.rand(2, 3, 16, 18), torch.tensor([255, 255])
    both = learned(hr, torch.tensor([1, 2]), levels).lr
    assert both.shape == (2, 3, 8, 9)
    assert torch.equal((both * 255).round() / 255, both)
    assert torch.equal(learned(hr[1:], torch.tensor([2]), levels[1:]).lr, both[1:])
    assert not torch.equal(learned(hr[1:], torch.tensor([3]), levels[1:]).lr, both[1:])
    clips = hr[:, None].expand(-1, 3, -1, -1, -1)
    moving = learned.of_clips(clips, torch.tensor([1, 2]), levels).lr
    assert moving.shape == (2, 3, 3, 8, 9)
    assert not torch.equal(moving[:, 0], moving[:, 1])
    assert torch.equal(learned.of_clips(clips[1:], torch.tensor([2]), levels[1:]).lr, moving[1:])
    choice = ["degradation=learned", f"degradation.path={tmp_path / 'run'}"]
    assert command("train", *TINY, *choice, "iterations=2", "hydra.run.dir=other").status == 0
    refused = command("train", *TINY, *choice, "scale=3", "iterations=2", "hydra.run.dir=third")
    assert (refused.status, "learned a degradation by 2" in refused.err) == (2, True)
    with pytest.raises(InputError, match="holds no learned degradation"):
        Learned(2, str(tmp_path))


@pytest.mark.usefixtures("poor")
@pytest.mark.parametrize("experiment", ["degradation_gan", "cycle_in_cycle"])
def test_the_shipped_experiments_run(command: Command, experiment: str) -> None:
    tiny = [
        item for item in SMALL if not item.startswith(("paradigm", "degrader", "discriminator", "data=", "iterations"))
    ]
    stage = {"degradation_gan": "degradation", "cycle_in_cycle": "inner"}[experiment]
    both = [f"experiment={experiment}", "iterations=2", f"paradigm.{stage}_iterations=1", "hydra.run.dir=run"]
    outcome = command("train", *tiny, *both)
    assert outcome.status == 0, outcome.err


def test_each_step_goes_through_the_whole_schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paradigm = _paradigm(
        tmp_path, "scheduler=cosine", "scheduler.floor=0", "iterations=8", "paradigm.degradation_iterations=0.5"
    )
    assert paradigm.boundary == 4
    clock: dict[str, int] = {}
    monkeypatch.setattr(DegradationGAN, "iteration", property(lambda self: clock["now"]))
    monkeypatch.setattr(DegradationGAN, "trainer", type("Trainer", (), {"num_training_batches": 8}))
    factors = []
    for clock["now"] in range(1, 9):
        factors.append(paradigm.rate_factor())
    assert factors[:4] == factors[4:]
    assert factors[:4] == pytest.approx([1, 0.853553, 0.5, 0.146447], abs=1e-6)  # half a cosine, at quarters


def _paradigm(tmp_path: Path, *overrides: str) -> DegradationGAN:
    small = [item for item in SMALL if item.startswith(("backbone", "paradigm", "degrader", "discriminator_lr"))]
    cfg = composed("train", [*small, *overrides, f"run_dir={tmp_path}"])
    paradigm: DegradationGAN = build(cfg.paradigm)
    return paradigm


@pytest.mark.slow
@pytest.mark.usefixtures("poor")
def test_two_processes_are_one_large_batch_in_either_step(command: Command, tmp_path: Path) -> None:
    plain = [*SMALL, "degrader.noise_channels=0", "degrader.white=false"]  # ranks draw other noise
    plain += ["paradigm.degradation_iterations=1", "iterations=2", "trainer.precision=32-true"]
    plain += [f"{group}=sgd" for group in ("optimizer", "optimizer@optimizer_g", "optimizer@optimizer_d")]
    plain += [f"{name}.lr=0.5" for name in ("optimizer", "optimizer_g", "optimizer_d")]
    plain += [f"~{name}.betas" for name in ("optimizer_g", "optimizer_d")]  # the paradigm's, of Adam
    assert command("train", *plain, "data.batch_size=4", "hydra.run.dir=large").status == 0
    train_in_two_processes(tmp_path, *plain, "hydra.run.dir=two")
    for iteration in (1, 2):
        file = f"checkpoints/iteration_{iteration:09d}.ckpt"
        large, both = (torch.load(tmp_path / run / file, weights_only=True) for run in ("large", "two"))
        torch.testing.assert_close(both["state_dict"], large["state_dict"], rtol=0, atol=1e-5)


def test_the_paper_s_second_step_takes_both_its_parts_or_none(tmp_path: Path) -> None:
    judge = ["discriminator=spectral_resnet", "discriminator.width=4"]
    assert _paradigm(tmp_path, "loss=[l2,hinge]", *judge).discriminator is not None
    with pytest.raises(InputError, match="choose both"):
        _paradigm(tmp_path, "loss=[l2,hinge]")
    with pytest.raises(InputError, match="choose both"):
        _paradigm(tmp_path, *judge)
