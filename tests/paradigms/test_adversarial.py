"""Adversarial training from the command line: whose turn moves what, one clock, exact resumption, processes."""

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from omegaconf import OmegaConf
from torch import Tensor

from srlab.build import build
from srlab.errors import InputError
from srlab.paradigms.adversarial import Adversarial
from srlab.types import Batch
from tests.conftest import TINY, Command, composed, train_in_two_processes

SMALL = ["paradigm=adversarial", "discriminator=patchgan", "discriminator.width=4", "discriminator.strides=[2,1]"]
GAN = [*TINY, *SMALL, "loss=[l1,gan]"]
PLAIN = [
    *GAN,
    "optimizer=sgd",
    "optimizer@optimizer_d=sgd",
    *[
        f"{optimizer}.{option}=0"
        for optimizer in ("optimizer", "optimizer_d")
        for option in ("momentum", "weight_decay")
    ],
    "discriminator.norm=none",
    "scheduler=constant",
    "trainer.precision=32-true",
]
"""A step of which is the gradient itself."""

pytestmark = pytest.mark.usefixtures("photos")


def checkpoint_of(run: Path, iteration: int) -> dict[str, Any]:
    path = run / f"checkpoints/iteration_{iteration:09d}.ckpt"
    checkpoint: dict[str, Any] = torch.load(path, weights_only=True)
    return checkpoint


def weights(checkpoint: dict[str, Any], part: str) -> Tensor:
    """All weights of `network`, `discriminator` or `ema.network` in a row."""
    state = checkpoint["state_dict"]
    return torch.cat([value.flatten().float() for name, value in state.items() if name.startswith(f"{part}.")])


def trained(command: Command, folder: Path, name: str, *arguments: str, iterations: int = 1) -> dict[str, Any]:
    outcome = command("train", *arguments, f"iterations={iterations}", f"hydra.run.dir={name}")
    assert outcome.status == 0, outcome.err
    return checkpoint_of(folder / name, iterations)


def rows(run: Path, metric: str) -> list[str]:
    lines = [line.split(",") for line in (run / "metrics.csv").read_text().splitlines()]
    at = lines[0].index("metric")
    return [line[lines[0].index("iteration")] for line in lines if line[at] == metric]


def test_each_turn_moves_its_own_network_alone(command: Command, tmp_path: Path) -> None:
    still = ["optimizer.lr=0", "optimizer_d.lr=0"]
    start, both, only_d, only_g = (
        trained(command, tmp_path, name, *PLAIN, *still, *rates)
        for name, rates in {
            "start": [],
            "both": ["optimizer.lr=0.1", "optimizer_d.lr=0.1"],
            "only_d": ["optimizer_d.lr=0.1"],
            "only_g": ["optimizer.lr=0.1"],
        }.items()
    )
    moved = {
        name: (
            not torch.equal(weights(start, "network"), weights(run, "network")),
            not torch.equal(weights(start, "discriminator"), weights(run, "discriminator")),
        )
        for name, run in {"both": both, "only_d": only_d, "only_g": only_g}.items()
    }
    assert moved == {"both": (True, True), "only_d": (False, True), "only_g": (True, False)}
    assert torch.equal(
        weights(both, "discriminator"), weights(only_d, "discriminator")
    )  # each sees the other as it was
    assert torch.equal(weights(both, "network"), weights(only_g, "network"))


@pytest.mark.parametrize(("accumulate", "steps"), [(1, 6), (4, 2)])
def test_one_clock_for_steps_averages_checkpoints_and_rates(
    command: Command, tmp_path: Path, accumulate: int, steps: int
) -> None:
    arguments = [
        *GAN,
        f"trainer.accumulate_grad_batches={accumulate}",
        "scheduler=multistep",
        "scheduler.milestones=[4]",
    ]
    run = trained(command, tmp_path, "run", *arguments, iterations=6)
    assert run["global_step"] == steps
    done = run["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["ready"]
    assert done == 6
    optimizers = run["optimizer_states"]
    assert len(optimizers) == 2
    assert all({int(one["step"]) for one in each["state"].values()} == {steps} for each in optimizers)
    assert [group["lr"] for each in optimizers for group in each["param_groups"]] == pytest.approx([1e-4, 1e-4])
    names = sorted(path.stem for path in (tmp_path / "run/checkpoints").glob("iteration_*"))
    assert names == ["iteration_000000004", "iteration_000000006"]  # never between two steps: 2 waits for 4
    assert rows(tmp_path / "run", "train/loss_discriminator") == list("123456")
    assert rows(tmp_path / "run", "val/psnr_y") == ["4"]


def test_the_generator_may_wait_and_the_discriminator_may_rest(command: Command, tmp_path: Path) -> None:
    waiting = trained(command, tmp_path, "waiting", *GAN, "paradigm.generator_period=3", iterations=6)
    resting = trained(command, tmp_path, "resting", *GAN, "loss.gan.warmup=4", iterations=6)
    counts = [
        [{int(one["step"]) for one in each["state"].values()} for each in run["optimizer_states"]]
        for run in (waiting, resting)
    ]
    assert counts == [[{6}, {2}], [{2}, {6}]]  # of the discriminator, of the generator
    assert waiting["global_step"] == resting["global_step"] == 6
    assert rows(tmp_path / "waiting", "train/loss") == ["3", "6"]
    assert rows(tmp_path / "resting", "train/loss_gan") == ["5", "6"]


@pytest.mark.parametrize(
    ("accumulate", "surely", "rests"),
    [
        # sure of both in 2, 3 and 5: it rests in 3, 4 and 6; in 4 it is sure of HR alone
        (1, [(0, 0), (3, 3), (3, 3), (3, 0), (3, 3), (3, 3)], [0, 0, 1, 1, 0, 1]),
        (
            2,
            [(3, 3), (3, 3), (0, 3), (3, 3), (0, 0), (0, 0)],
            [0, 0, 1, 1, 0, 0],
        ),  # one wavering half of a round is enough
    ],
)
def test_the_discriminator_rests_after_it_was_sure_of_both(
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    accumulate: int,
    surely: list[tuple[float, float]],
    rests: list[int],
) -> None:
    shown: list[Tensor] = []

    def judge(paradigm: Adversarial, image: Tensor) -> Tensor:
        true = image is shown[-1]
        logit = surely[paradigm.iteration - 1][0 if true else 1]
        logits: Tensor = paradigm.discriminator(image).float() * 0 + (logit if true else -logit)
        return logits

    def note(paradigm: Adversarial, batch: Batch, batch_idx: int) -> None:
        shown.append(batch.hr)
        step(paradigm, batch, batch_idx)

    step = Adversarial.training_step
    monkeypatch.setattr(Adversarial, "training_step", note)
    monkeypatch.setattr(Adversarial, "judge", judge)
    arguments = [*GAN, "paradigm.rest_above=0.8", f"trainer.accumulate_grad_batches={accumulate}"]
    run = trained(command, tmp_path, "run", *arguments, iterations=6)
    lines = [line.split(",") for line in (tmp_path / "run/metrics.csv").read_text().splitlines()]
    assert [float(value) for _, name, value in lines if name == "train/discriminator_rests"] == rests
    steps = [{int(one["step"]) for one in each["state"].values()} for each in run["optimizer_states"]]
    assert steps == [{rests.count(0) // accumulate}, {6 // accumulate}]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_run_that_ended_between_two_turns_goes_on_to_the_same_state(
    command: Command, tmp_path: Path, accumulate: int
) -> None:
    arguments = [*GAN, f"trainer.accumulate_grad_batches={accumulate}", "paradigm.generator_period=2"]
    arguments += ["paradigm.instance_noise={_target_: srlab.schedules.Linear, start: 0.1, end: 0}"]
    straight = trained(command, tmp_path, "straight", *arguments, iterations=8)
    saboteur = "+callbacks.end={_target_: tests.saboteurs.EndAt, iteration: 6}"
    with pytest.raises(RuntimeError, match="power"):
        command("train", *arguments, saboteur, "iterations=8", "hydra.run.dir=ended")
    composition = tmp_path / "ended/.hydra/config.yaml"
    cfg: Any = OmegaConf.load(composition)
    del cfg.callbacks["end"]
    OmegaConf.save(cfg, composition)
    assert command("train", "resume=ended").status == 0
    resumed = checkpoint_of(tmp_path / "ended", 8)
    assert any(name.startswith("discriminator.") for name in resumed["state_dict"])
    for part in ("state_dict", "optimizer_states"):
        one, other = (list(_tensors(run[part])) for run in (straight, resumed))
        assert len(one) == len(other) > 0
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert (tmp_path / "straight/metrics.csv").read_text() == (tmp_path / "ended/metrics.csv").read_text()


def test_frozen_features_are_in_no_checkpoint_and_the_average_is_exported(command: Command, tmp_path: Path) -> None:
    features = ["loss.content.features.weights=random", "+loss.content.features.width=2"]
    features += ["loss.texture.features.weights=random", "+loss.texture.features.width=2"]
    arguments = [*TINY, *SMALL, "loss=[content,texture,ragan]", *features, "training.ema_decay=0.5"]
    run = trained(command, tmp_path, "run", *arguments, iterations=2)
    parts = {name.partition(".")[0] for name in run["state_dict"]}
    assert parts == {"network", "ema", "discriminator"}
    assert {"loss_content", "loss_texture", "loss_gan", "loss_discriminator", "logit_real", "logit_fake"} <= {
        line.split(",")[1].removeprefix("train/") for line in (tmp_path / "run/metrics.csv").read_text().splitlines()
    }
    exported = safetensors.torch.load_file(tmp_path / "run/export/model.safetensors")
    averaged = {f"ema.network.{name}": tensor for name, tensor in exported.items()}
    assert all(torch.equal(tensor, run["state_dict"][name]) for name, tensor in averaged.items())
    assert not torch.equal(weights(run, "network"), weights(run, "ema.network"))


def test_the_generator_is_clipped_and_starts_from_weights(command: Command, tmp_path: Path) -> None:
    first = trained(command, tmp_path, "first", *PLAIN, "optimizer.lr=0")
    clip = ["optimizer.lr=1", "optimizer_d.lr=1", "trainer.gradient_clip_val=1e-3"]
    clipped = trained(command, tmp_path, "clipped", *PLAIN, *clip, "weights=first", "seed=5")
    moved = weights(clipped, "network") - weights(first, "network")
    assert moved.norm().item() == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.slow
def test_accumulated_batches_and_two_processes_are_one_large_batch(command: Command, tmp_path: Path) -> None:
    rates = ["optimizer.lr=0.1", "optimizer_d.lr=0.1"]
    large = trained(command, tmp_path, "large", *PLAIN, *rates, "data.batch_size=4")
    halves = trained(command, tmp_path, "two", *PLAIN, *rates, "trainer.accumulate_grad_batches=2", iterations=2)
    train_in_two_processes(tmp_path, *PLAIN, *rates, "iterations=1", "hydra.run.dir=ddp")
    shared = checkpoint_of(tmp_path / "ddp", 1)
    assert shared["global_step"] == halves["global_step"] == large["global_step"] == 1
    for part in ("network", "discriminator"):
        torch.testing.assert_close(weights(halves, part), weights(large, part), rtol=0, atol=1e-6)
        torch.testing.assert_close(weights(shared, part), weights(large, part), rtol=0, atol=1e-6)
    # the average's decay grows with the iteration, which is the 2nd where batches are accumulated
    torch.testing.assert_close(weights(shared, "ema.network"), weights(large, "ema.network"), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_two_processes_keep_one_clock_and_one_state(command: Command, tmp_path: Path) -> None:
    thirds = ["paradigm.generator_period=3", "trainer.accumulate_grad_batches=1"]
    train_in_two_processes(tmp_path, *GAN, *thirds, "iterations=6", "hydra.run.dir=run")
    run = checkpoint_of(tmp_path / "run", 6)
    assert run["global_step"] == 6
    counts = [{int(one["step"]) for one in each["state"].values()} for each in run["optimizer_states"]]
    assert counts == [{6}, {2}]
    assert rows(tmp_path / "run", "train/loss_discriminator") == list("123456")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["loss=[l1]"], "got none"),
        (["loss=[l1,gan]", "discriminator.in_channels=1"], "sees 1 channels, the network makes 3"),
        (["loss=[l1,wgan_gp]", "discriminator=srgan"], "discriminator.norm=none"),
        (["loss=[l1,gan]", "paradigm.generator_period=0"], "generator_period=0"),
        (["loss=[l1,ragan]", "paradigm.rest_above=0.8"], "of the loss gan"),
        (["loss=[l1,gan]", "paradigm.rest_above=1"], "rest_above=1"),
    ],
)
def test_what_cannot_work_is_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build(composed("train", ["paradigm=adversarial", "backbone.blocks=1", "run_dir=run", *arguments]).paradigm)


def test_the_penalty_reaches_the_critic(command: Command, tmp_path: Path) -> None:
    arguments = [*TINY, *SMALL, "loss=[wgan_gp]", "discriminator.norm=none", "optimizer_d.betas=[0.0,0.9]"]
    run = trained(command, tmp_path, "run", *arguments, iterations=3)
    assert weights(run, "discriminator").isfinite().all()


def _tensors(node: Any) -> Any:
    if isinstance(node, Tensor):
        yield node
    elif isinstance(node, dict):
        for key in sorted(node, key=str):
            yield from _tensors(node[key])
    elif isinstance(node, list):
        for item in node:
            yield from _tensors(item)
