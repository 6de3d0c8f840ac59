"""The two steps: each player's gradients, the frozen degradation, the anchor, the noise, the clock, the resume."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import srlab
from srlab.build import build
from srlab.degradation.downscale import downscale
from srlab.degradation.learned import Learned
from srlab.errors import InputError
from srlab.losses.adversarial import Hinge
from srlab.losses.degradation import DegradationLoss, SquaredBias
from srlab.losses.pixel import L2
from srlab.networks.degradation_discriminators import TexturePatches
from srlab.networks.degraders import AfterBicubic
from srlab.networks.frequencies import low_pass
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


def loss(**changes: Any) -> DegradationLoss:
    return DegradationLoss(**{"objective": Hinge(), "pixel": L2(), **changes})


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


# The loss of step 1


@contextlib.contextmanager
def training(degrader: nn.Module, rate: float = 1e-2) -> Iterator[Callable[[Tensor], None]]:
    optimizer = torch.optim.Adam(degrader.parameters(), lr=rate)

    def descend(total: Tensor) -> None:
        optimizer.zero_grad()
        torch.autograd.backward(total)
        optimizer.step()

    yield descend


def smooth(count: int, side: int, seed: int) -> Tensor:
    coarse = torch.rand(count, 3, 6, 6, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, side, mode="bicubic").clamp(0, 1)


def anchored(degradation: DegradationLoss, steps: int = 60) -> float:
    """The squared distance to average pooling on held-out images, after so many steps."""
    torch.manual_seed(0)
    degrader, judge = AfterBicubic(3, 2, width=8, blocks=1, residual=True), TexturePatches(3, [4], 3, "none")
    nn.init.normal_(degrader.tail.weight, std=0.1)
    with training(degrader) as descend:
        for number in range(steps):
            hr = smooth(4, 24, number)
            descend(degradation.generator(degrader(hr, degrader.draw(hr)), hr, judge).total)
    held_out = smooth(4, 24, 1000)
    return F.mse_loss(degrader(held_out, degrader.draw(held_out)), F.avg_pool2d(held_out, 2)).item()


def test_the_anchor_alone_leads_to_average_pooling_and_without_it_nothing_does() -> None:
    assert anchored(loss(adversarial_weight=0.0)) < 1e-4
    assert anchored(loss(pixel_weight=0.0, adversarial_weight=1.0)) > 1e-2


def test_a_term_without_weight_is_left_out_and_each_reaches_the_degrader_alone() -> None:
    degrader, judge = AfterBicubic(3, 2, 4, 1, noise_channels=1), TexturePatches(3, [4], 3, "none")
    hr, real = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 8, 8)
    for weights, names in (
        ({}, {"anchor", "adversarial"}),
        ({"adversarial_weight": 0.0}, {"anchor"}),
        ({"pixel_weight": 0.0}, {"adversarial"}),
    ):
        judge.requires_grad_(False)
        degrader.zero_grad()
        terms = loss(**weights).generator(degrader(hr, degrader.draw(hr)), hr, judge)
        torch.autograd.backward(terms.total)
        assert terms.values.keys() == names
        assert all(parameter.grad is not None for parameter in degrader.parameters())
    degrader.zero_grad()
    judge.requires_grad_(True)
    torch.autograd.backward(loss().discriminator(real, degrader(hr, degrader.draw(hr)), judge))
    assert all(parameter.grad is not None for parameter in judge.parameters())
    assert all(parameter.grad is None for parameter in degrader.parameters())


def test_two_draws_measure_the_squared_bias_whatever_the_noise_and_one_draw_its_variance_too() -> None:
    torch.manual_seed(0)
    anchor, bias, sigma = torch.rand(1, 3, 200, 200), 0.05, 0.1
    first, second = (anchor + bias + sigma * torch.randn(1, 3, 200, 200) for _ in range(2))
    low = [low_pass(image, 5) for image in (first, second, anchor)]
    assert SquaredBias()(*low).item() == pytest.approx(bias**2, rel=0.1)
    assert L2()(low[0], low[2]).item() == pytest.approx(bias**2 + sigma**2 / 25, rel=0.1)


def pull(pixel: nn.Module) -> tuple[float, float]:
    """The anchor's gradient for a degrader's noise (sigma 0.1) and its bias (0.05)."""
    torch.manual_seed(0)
    sigma, bias = torch.tensor(0.1, requires_grad=True), torch.tensor(0.05, requires_grad=True)
    hr, degradation = smooth(1, 512, 0), loss(pixel=pixel, adversarial_weight=0.0, low_pass=5)
    first, second = (F.avg_pool2d(hr, 2) + bias + sigma * torch.randn(1, 3, 256, 256) for _ in range(2))
    terms = degradation.generator(first, hr, torch.zeros_like, second if degradation.takes_two else None)
    torch.autograd.backward(terms.total)
    assert sigma.grad is not None
    assert bias.grad is not None
    return sigma.grad.item(), bias.grad.item()


def test_the_squared_bias_leaves_a_degrader_its_noise_and_the_squared_error_takes_it() -> None:
    for pixel, noise in ((SquaredBias(), pytest.approx(0, abs=5e-4)), (L2(), pytest.approx(2 * 0.1 / 25, rel=0.1))):
        sigma, bias = pull(pixel)
        assert sigma == noise
        assert bias == pytest.approx(2 * 0.05, rel=0.05)


def test_the_discriminator_cannot_tell_real_from_real_and_tells_noise_from_none() -> None:
    torch.manual_seed(0)
    judge, degradation = TexturePatches(3, [8, 8], 3, "none", high_pass=5), loss(low_pass=5)
    real = smooth(8, 16, 0)
    constant = degradation.discriminator(real, real, lambda image: torch.zeros(len(image), 1, 4, 4))
    assert constant.item() == pytest.approx(2.0)  # of the hinge: a margin on either side
    with training(judge) as descend:
        for number in range(120):
            noisy = smooth(8, 16, number) + 0.05 * torch.randn(8, 3, 16, 16)
            descend(degradation.discriminator(noisy, smooth(8, 16, number + 500), judge))
    clean = smooth(32, 16, 2000)
    noisy = smooth(32, 16, 3000) + 0.05 * torch.randn(32, 3, 16, 16)
    verdicts = [judge(images).mean((1, 2, 3)) > 0 for images in (noisy, clean)]
    assert torch.cat([verdicts[0], ~verdicts[1]]).float().mean() > 0.95


def learned_noise(sigma: float, steps: int = 200) -> float:
    """How much a degrader's draws differ (standard deviation) that learned from LR with noise; of its later half."""
    torch.manual_seed(0)
    degrader = AfterBicubic(3, 2, width=8, blocks=1, residual=True, noise_channels=3)
    judge = TexturePatches(3, [8], 3, "none", high_pass=5, contrast=4.0)
    degradation = loss(pixel=SquaredBias(), anchor="bicubic", low_pass=5, adversarial_weight=0.05, pixel_weight=4.0)
    noise: list[float] = []
    with training(degrader, 3e-3) as descend, training(judge, 3e-3) as judge_descend:
        for number in range(steps):
            hr, real = smooth(4, 32, number), smooth(4, 16, number + 500)
            real = real + sigma * torch.randn_like(real)
            fake, second = (degrader(hr, degrader.draw(hr)) for _ in range(2))
            judge_descend(degradation.discriminator(real, fake, judge))
            descend(degradation.generator(fake, hr, judge, second).total)
            noise.append((fake - second).std().item() / 2**0.5)
    return sum(noise[steps // 2 :]) / (steps - steps // 2)


def test_the_noise_of_draws_grows_with_that_of_real_lr() -> None:
    clean, noisy = learned_noise(0.0), learned_noise(0.08)
    assert noisy > 0.03
    assert noisy > 3 * clean


def test_anchors_are_what_they_are_called() -> None:
    hr = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(loss().anchored(hr, 2), F.avg_pool2d(hr, 2))
    assert torch.equal(loss(anchor="bicubic").anchored(hr, 2), downscale(hr, 2, 0, rounding="none"))
    for wrong in ({"anchor": "nearest"}, {"low_pass": 4}, {"pixel_weight": 0.0, "adversarial_weight": 0.0}):
        with pytest.raises(ValueError, match=r"choose|give"):
            loss(**wrong)
