"""KernelGAN as a training: two players, one image, a kernel; the same as the plain game, and resumed to the bit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import io

from srlab.build import build
from srlab.data.images import read_image, to_tensor
from srlab.degradation.kernels import load_kernels
from srlab.errors import InputError
from srlab.estimation.kernel_gan import KernelGAN as Estimator
from srlab.paradigms.kernel_gan import KernelGAN
from tests.conftest import Command, composed
from tests.paradigms.single_image import curve, draw_pair, same, state, trained

TINY = [
    "experiment=kernel_gan",
    "data.image=LR/image.png",
    "paradigm.generator.width=8",
    "discriminator.width=8",
    "iterations=6",
    "trainer.val_check_interval=3",
]


@pytest.fixture(autouse=True)
def _pair(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    draw_pair(tmp_path, 2, side=192)


def test_the_run_leaves_its_kernel_and_says_what_there_is_not(command: Command, tmp_path: Path) -> None:
    outcome = command("train", *TINY, "logger=[csv]", "callbacks=[checkpoints,strips,progress]", "hydra.run.dir=run")
    assert outcome.status == 0, outcome.err
    assert "no network is exported" in outcome.out
    assert not (tmp_path / "run/export").exists()
    (kernel,) = load_kernels(str(tmp_path / "run/kernel.npy"))
    np.testing.assert_allclose(io.loadmat(tmp_path / "run/kernel.mat")["Kernel"], kernel)
    assert (tmp_path / "run/kernel.png").is_file()
    assert read_image(tmp_path / "run/sr.png").shape == (192, 192, 3)
    assert set(curve(tmp_path / "run", "val/lr_psnr")) == {3, 6}
    assert not curve(tmp_path / "run", "train/loss_sparsity")  # it has no weight yet


def test_hr_changes_nothing_but_what_is_reported(command: Command, tmp_path: Path) -> None:
    trained(command, "without", *TINY)
    trained(command, "garbage", *TINY, "data.hr=garbage.png", "trainer.val_check_interval=6")
    assert same(state(tmp_path / "without", 6), state(tmp_path / "garbage", 6))
    assert set(curve(tmp_path / "garbage", "val/psnr_y")) == {6}


def test_it_is_the_game_that_the_estimator_plays(command: Command, tmp_path: Path) -> None:
    trained(command, "run", *TINY, "seed=3", "discriminator.width=64")
    lr = to_tensor(read_image(tmp_path / "LR/image.png"))
    game = Estimator(iterations=6, width=8).played(lr, seed=3).state_dict()
    for name, weights in game.items():
        torch.testing.assert_close(state(tmp_path / "run", 6)[f"game.{name}"], weights, rtol=1e-3, atol=1e-5)


def test_each_player_moves_in_its_own_turn_alone(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[tuple[bool, bool]] = []
    descend = KernelGAN._descend

    def watched(self: KernelGAN, name: str, loss: torch.Tensor) -> None:
        players = (self.game.generator, self.game.discriminator)
        before = [[one.detach().clone() for one in player.parameters()] for player in players]
        descend(self, name, loss)
        after = [list(player.parameters()) for player in players]
        generator, discriminator = (
            any(not torch.equal(a, b) for a, b in zip(*pair, strict=True)) for pair in zip(before, after, strict=True)
        )
        moved.append((generator, discriminator))

    monkeypatch.setattr(KernelGAN, "_descend", watched)
    trained(command, "run", *TINY)
    assert moved == [(True, False), (False, True)] * 6


@pytest.mark.parametrize("iteration", [2, 4])
def test_a_resumed_run_goes_on_to_the_bit(command: Command, tmp_path: Path, iteration: int) -> None:
    trained(command, "whole", *TINY)
    trained(command, "parts", *TINY, f"iterations={iteration}")
    outcome = command("train", "resume=parts", "iterations=6")
    assert outcome.status == 0, outcome.err
    assert same(state(tmp_path / "whole", 6), state(tmp_path / "parts", 6))
    names = {"game.bicubic_weight", "game.near_bicubic", "game.discriminator.layers.2.running_mean"}
    assert names <= set(state(tmp_path / "parts", 6))


def test_x4_and_no_other(command: Command, tmp_path: Path) -> None:
    trained(command, "run", *TINY, "scale=4")
    assert read_image(tmp_path / "run/sr.png").shape == (384, 384, 3)
    with pytest.raises(InputError, match="scale=3"):
        build(composed("train", [*TINY, "scale=3", "run_dir=."]).paradigm)


def test_an_image_too_small_for_a_crop_is_refused(command: Command, tmp_path: Path) -> None:
    outcome = command("train", *TINY, "data.image=garbage.png", "paradigm.crop=256", "logger=[csv]")
    assert outcome.status == 2, outcome.err
    assert "256" in outcome.err


def test_zero_shot_training_can_find_its_kernel_first(command: Command, tmp_path: Path) -> None:
    small = ["backbone.width=6", "backbone.layers=2", "paradigm.fathers.crop=16", "iterations=2"]
    quick = ["reduction.method.iterations=2", "reduction.method.patches=300", "reduction.method.candidates=600"]
    trained(command, "run", "experiment=zssr_x2_estimated", "data.image=LR/image.png", *small, *quick)
    (kernel,) = load_kernels(str(tmp_path / "run/kernel.npy"))
    assert kernel.shape[0] > 13
    assert (tmp_path / "run/kernel.png").is_file()
