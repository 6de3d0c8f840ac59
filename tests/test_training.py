"""`srlab-train` from its command line to what it leaves behind, and how it goes on after an end."""

import contextlib
import csv
import os
import re
import resource
import signal
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

import srlab
from srlab.build import build
from tests.conftest import TINY, Command, composed, train_in_two_processes


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def weights_of(checkpoint: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(checkpoint, weights_only=True)["state_dict"]
    return state


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("photos")
def test_a_run_leaves_all_that_it_promises(command: Command, tmp_path: Path) -> None:
    outcome = command("train", *TINY, "hydra.run.dir=run", "logger=[csv,wandb]")
    assert outcome.status == 0, outcome.err
    run = tmp_path / "run"
    assert {path.name for path in (run / "checkpoints").iterdir()} == {
        "best.ckpt",
        "iteration_000000004.ckpt",
        "iteration_000000006.ckpt",
    }
    checkpoint = torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)
    assert checkpoint["config"]["backbone"]["blocks"] == 1
    assert OmegaConf.load(run / "config.yaml").scheduler.iterations == 6
    assert {row["iteration"] for row in rows_of(run / "metrics.csv") if row["metric"] == "train/loss"} == set("123456")
    assert list(run.glob("wandb/offline-run-*/run-*.wandb"))
    assert list(run.glob("images/*_000000004.png"))
    network = srlab.load(run)
    assert network(torch.rand(1, 3, 5, 7)).sr.shape == (1, 3, 10, 14)
    means = [row for row in rows_of(run / "results.csv") if row["image"] == "mean" and row["metric"] == "psnr_y"]
    assert [row["network"].split()[0] for row in means] == ["post-edsr-subpixel", "bicubic"]


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("end", "status", "accumulate"),
    [("null", 1, 1), ("null", 1, 2), ("SIGINT", 130, 2), ("SIGTERM", 143, 1), ("SIGUSR2", 143, 1)],
)
def test_a_run_that_was_ended_goes_on_to_the_same_weights_and_records(
    command: Command, tmp_path: Path, end: str, status: int, accumulate: int
) -> None:
    arguments = [*TINY, f"trainer.accumulate_grad_batches={accumulate}"]
    assert command("train", *arguments, "hydra.run.dir=straight").status == 0
    saboteur = "+callbacks.end={_target_: tests.saboteurs.EndAt, iteration: 4, signal_name: " + end + "}"
    with pytest.raises(RuntimeError, match="power") if status == 1 else _nothing():
        outcome = command("train", *arguments, saboteur, "hydra.run.dir=ended")
        assert outcome.status == status
        assert re.search(r"srlab-train resume=\S+ended", outcome.out)
    OmegaConf.save(_without_saboteur(tmp_path / "ended/.hydra/config.yaml"), tmp_path / "ended/.hydra/config.yaml")
    assert command("train", "resume=ended").status == 0
    final = "checkpoints/iteration_000000006.ckpt"
    straight, resumed = (weights_of(tmp_path / run / final) for run in ("straight", "ended"))
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    assert rows_of(tmp_path / "straight/metrics.csv") == rows_of(tmp_path / "ended/metrics.csv")


@pytest.mark.usefixtures("photos")
def test_a_folder_that_holds_a_run_is_left_as_it_is(command: Command, tmp_path: Path) -> None:
    assert command("train", *TINY, "hydra.run.dir=run").status == 0
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    others = {
        "train": [*TINY, "seed=1"],
        "test": ["network=bicubic", "data=benchmark", "data.root=photos"],
        "upscale": ["input=photos"],
    }
    for name, arguments in others.items():
        outcome = command(name, *arguments, "hydra.run.dir=run")
        assert (outcome.status, f"srlab-train resume={tmp_path}/run" in outcome.err) == (2, True)
    del before[tmp_path / "run/train.log"]
    assert all(path.read_bytes() == content for path, content in before.items())
    assert command("train", "resume=run", "iterations=7").status == 0


@pytest.mark.usefixtures("photos")
def test_the_same_command_starts_a_run_and_goes_on_with_it(command: Command, tmp_path: Path) -> None:
    same = [*TINY, "hydra.run.dir=run", "resume=auto"]
    assert command("train", *same).status == 0
    weights = (tmp_path / "run/export/model.safetensors").read_bytes()
    assert command("train", *same, "trainer.log_every_n_steps=2").status == 0
    assert (tmp_path / "run/export/model.safetensors").read_bytes() == weights
    for other in (["seed=1"], ["backbone.blocks=2"]):
        outcome = command("train", *same, *other)
        assert (outcome.status, other[0] in outcome.err) == (2, True)
    outcome = command("train", *TINY, "resume=auto")
    assert (outcome.status, "add hydra.run.dir=" in outcome.err) == (2, True)


@pytest.mark.usefixtures("photos")
def test_a_full_disk_and_a_torn_checkpoint_cost_no_more_than_a_checkpoint(command: Command, tmp_path: Path) -> None:
    same = [*TINY, "hydra.run.dir=run", "resume=auto"]
    previous, (soft, hard) = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # bytes that any file may have: a checkpoint has more
    try:
        outcome = command("train", *same)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert (outcome.status, "could not be written (File too large)" in outcome.err) == (2, True)
    assert not list((tmp_path / "run/checkpoints").iterdir())
    assert command("train", *same).status == 0
    final = tmp_path / "run/checkpoints/iteration_000000006.ckpt"
    whole = weights_of(final)
    os.truncate(final, final.stat().st_size // 2)
    assert command("train", *same).status == 0
    assert all(torch.equal(whole[name], tensor) for name, tensor in weights_of(final).items())
    assert "iteration_000000006.ckpt cannot be read" in (tmp_path / "run/train.log").read_text()


@pytest.mark.usefixtures("photos")
def test_a_run_that_was_made_longer_stays_so_and_is_not_made_shorter(command: Command, tmp_path: Path) -> None:
    assert command("train", *TINY, "hydra.run.dir=run", "iterations=2").status == 0
    assert command("train", "resume=run", "iterations=4").status == 0
    assert {row["iteration"] for row in rows_of(tmp_path / "run/metrics.csv")} == set("1234")
    (tmp_path / "run/checkpoints/iteration_000000004.ckpt").unlink()  # as if it had been killed on the way
    assert command("train", "resume=run").status == 0
    assert (tmp_path / "run/checkpoints/iteration_000000004.ckpt").exists()
    outcome = command("train", "resume=run", "iterations=3")
    assert (outcome.status, "has done 4 already" in outcome.err) == (2, True)
    assert OmegaConf.load(tmp_path / "run/config.yaml").iterations == 4


@pytest.mark.usefixtures("photos")
def test_a_run_shorter_than_the_validation_interval_is_validated_once(command: Command, tmp_path: Path) -> None:
    outcome = command("train", *TINY, "trainer.val_check_interval=1000", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    assert (tmp_path / "run/checkpoints/best.ckpt").is_file()
    validated = [row["iteration"] for row in rows_of(tmp_path / "run/metrics.csv") if row["metric"] == "val/psnr_y"]
    assert validated == ["6"]


@pytest.mark.usefixtures("photos")
def test_a_bar_that_is_not_wanted_is_left_out(command: Command) -> None:
    outcome = command("train", *TINY, "callbacks=[checkpoints,progress]", "iterations=1", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err


@pytest.mark.usefixtures("photos")
def test_what_validation_could_not_score_is_refused_before_the_first_iteration(
    command: Command, tmp_path: Path
) -> None:
    outcome = command("train", *TINY, "protocol=full_resolution", "hydra.run.dir=run")
    assert outcome.status == 2
    assert "is no pair of two sensors' images" in outcome.err
    metrics = tmp_path / "run/metrics.csv"
    assert not metrics.exists() or not any(row["metric"] == "train/loss" for row in rows_of(metrics))


@pytest.mark.usefixtures("photos")
def test_a_metric_that_nobody_logs_is_refused_as_monitor(command: Command) -> None:
    outcome = command("train", *TINY, "callbacks.checkpoints.monitor=val/psnr_x", "hydra.run.dir=run")
    assert outcome.status == 2
    assert "val/psnr_y" in outcome.err


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("judged", ["ema", "raw"])
def test_validation_and_the_test_command_give_the_same_score(command: Command, tmp_path: Path, judged: str) -> None:
    judge = [f"training.evaluate={judged}", "training.ema_decay=0.5"]
    assert command("train", *TINY, *judge, "trainer.val_check_interval=6", "hydra.run.dir=run").status == 0
    validated = [row["value"] for row in rows_of(tmp_path / "run/metrics.csv") if row["metric"] == "val/psnr_y"]
    data = ["data=benchmark", "data.root=photos"]
    assert command("test", "weights=run", *data, "hydra.run.dir=test").status == 0
    rows = rows_of(tmp_path / "test/results.csv")
    (tested,) = [row["value"] for row in rows if (row["image"], row["metric"]) == ("mean", "psnr_y")]
    assert float(tested) == pytest.approx(float(validated[-1]), abs=1e-5)


PLAIN = [
    *TINY,
    "scheduler=constant",
    "optimizer=sgd",
    "optimizer.momentum=0",
    "optimizer.weight_decay=0",
    "trainer.precision=32-true",
]
"""A step of which is the gradient itself."""


def trained(command: Command, folder: Path, name: str, *arguments: str) -> torch.Tensor:
    """All raw weights after a training, in a row."""
    outcome = command("train", *PLAIN, *arguments, f"hydra.run.dir={name}")
    assert outcome.status == 0, outcome.err
    (checkpoint,) = (folder / name / "checkpoints").glob("iteration_*.ckpt")
    return raw_weights(checkpoint)


def raw_weights(checkpoint: Path) -> torch.Tensor:
    return torch.cat([value.flatten() for name, value in weights_of(checkpoint).items() if name.startswith("network.")])


@pytest.mark.usefixtures("photos")
def test_a_loss_that_is_no_number_ends_the_run(command: Command) -> None:
    outcome = command("train", *TINY, "optimizer=sgd", "optimizer.lr=1e30", "hydra.run.dir=run")
    assert outcome.status == 2, outcome.err
    assert "the loss is no number any more" in outcome.err


@pytest.mark.usefixtures("photos")
def test_the_gradient_is_clipped_to_its_norm(command: Command, tmp_path: Path) -> None:
    one_step = ["iterations=1", "optimizer.lr=1", "trainer.gradient_clip_val=1e-3"]
    start = trained(command, tmp_path, "start", "iterations=1", "optimizer.lr=0")
    assert (trained(command, tmp_path, "clipped", *one_step) - start).norm().item() == pytest.approx(1e-3, rel=1e-3)


@pytest.mark.usefixtures("photos")
def test_accumulated_batches_and_two_processes_are_one_large_batch(command: Command, tmp_path: Path) -> None:
    rate = "optimizer.lr=0.1"
    large = trained(command, tmp_path, "large", rate, "data.batch_size=4", "iterations=1")
    accumulated = trained(command, tmp_path, "two", rate, "iterations=2", "trainer.accumulate_grad_batches=2")
    torch.testing.assert_close(accumulated, large, rtol=0, atol=1e-6)
    train_in_two_processes(tmp_path, *PLAIN, rate, "iterations=1", "hydra.run.dir=shared")
    shared = raw_weights(tmp_path / "shared/checkpoints/iteration_000000001.ckpt")
    torch.testing.assert_close(shared, large, rtol=0, atol=1e-6)


def test_compiling_keeps_the_names_of_the_weights(tmp_path: Path) -> None:
    plain, compiled = (
        build(composed("train", [f"training.compile={choice}", "backbone.blocks=1", f"run_dir={tmp_path}"]).paradigm)
        for choice in ("false", "true")
    )
    assert plain.state_dict().keys() == compiled.state_dict().keys()


def _without_saboteur(path: Path) -> DictConfig:
    cfg = OmegaConf.load(path)
    assert isinstance(cfg, DictConfig)
    del cfg.callbacks["end"]
    return cfg


def _nothing() -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()
