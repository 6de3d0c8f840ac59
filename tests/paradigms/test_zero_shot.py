"""Zero-shot training learns from the LR image and the given kernel alone, and resumes to the bit at any point."""

from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor

import srlab
from srlab.build import build
from srlab.data.images import read_image, to_tensor
from srlab.degradation.blur import gaussian_kernel
from srlab.degradation.reduction import GivenKernel
from srlab.degradation.resize import resize
from srlab.inference.back_projection import back_project
from srlab.inference.self_ensemble import turned
from srlab.paradigms.zero_shot import ZeroShot
from tests.conftest import Command, composed
from tests.paradigms.single_image import curve, draw_pair, same, state, trained

SMALL = ["backbone.width=6", "backbone.layers=2", "paradigm.fathers.crop=16", "trainer.val_check_interval=3"]
TINY = [*SMALL, "data.image=LR/image.png", "iterations=6"]
QUICK = [
    "paradigm.policy.every=2",
    "paradigm.policy.least=2",
    "paradigm.policy.window=3",
    "paradigm.policy.sample_every=1",
]
"""A policy that may lower the rate every few iterations."""
GRADUAL = [
    "experiment=zssr_x2_gradual",
    "paradigm.scales=[[1,1.5],[1.5,1.5],[2,2]]",
    "paradigm.back_projections=[1,1,1]",
]


@pytest.fixture(autouse=True)
def _pair(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    draw_pair(tmp_path, 2)
    np.save(tmp_path / "kernel.npy", gaussian_kernel(7, 0.8, 1.6, 0.5).numpy())


def untrained(*overrides: str, lr: Tensor | None = None) -> ZeroShot:
    """A paradigm that was shown an image, outside any training."""
    paradigm = build(composed("train", [*TINY, *overrides, "run_dir=."]).paradigm)
    assert isinstance(paradigm, ZeroShot)
    image = torch.rand(1, 3, 16, 20) if lr is None else lr
    paradigm.register_buffer("lr", image, persistent=False)
    return paradigm


def test_hr_changes_nothing_but_what_is_reported(command: Command, tmp_path: Path) -> None:
    trained(command, "without", "experiment=zssr_x2", *TINY)
    for name, hr in (("with", "HR/image.png"), ("garbage", "garbage.png")):
        trained(command, name, "experiment=zssr_x2", *TINY, f"data.hr={hr}", "trainer.val_check_interval=6")
        assert same(state(tmp_path / "without", 6), state(tmp_path / name, 6))
        assert set(curve(tmp_path / name, "val/psnr_y")) == {6}
    assert read_image(tmp_path / "without/sr.png").shape == (64, 64, 3)
    network = srlab.load(tmp_path / "without")
    assert network(torch.rand(1, 3, 5, 7)).sr.shape == (1, 3, 10, 14)


@pytest.mark.parametrize("name", ["zssr_x2_kernel", "zssr_x2_real"])
def test_the_presets_run(command: Command, tmp_path: Path, name: str) -> None:
    kernel = ["reduction.path=kernel.npy"] if name == "zssr_x2_kernel" else []
    arguments = [item for item in TINY if not item.startswith("data.image")]
    trained(command, "run", f"experiment={name}", *arguments, *kernel, "data.image=null", "data.hr=HR/image.png")
    config = OmegaConf.load(tmp_path / "run/config.yaml").paradigm
    assert (config.ensemble, config.fathers.turn) == (False, False)
    assert {"val/raw_psnr_y", "val/back_projected_psnr_y"} < {
        line.split(",")[1] for line in (tmp_path / "run/metrics.csv").read_text().splitlines()
    }


def test_sons_are_fathers_reduced_by_the_given_kernel_and_all_comes_from_lr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = ["experiment=zssr_x2_kernel", f"reduction.path={tmp_path}/kernel.npy"]
    paradigm = untrained(*kernel, "paradigm.fathers.as_is=1", "paradigm.fathers.exact=0", lr=torch.rand(1, 3, 20, 24))
    seen: list[Tensor] = []
    refined = paradigm.refined

    def noted(son: Tensor, father: Tensor) -> Tensor:
        seen.extend([son, father])
        return refined(son, father)

    monkeypatch.setattr(paradigm, "refined", noted)
    monkeypatch.setattr(paradigm, "log_terms", lambda *_, **__: None)
    monkeypatch.setattr(ZeroShot, "iteration", 1)
    paradigm.training_step(paradigm.lr, 0)
    son, father = seen
    windows = paradigm.lr.unfold(2, 16, 1).unfold(3, 16, 1)[0].flatten(1, 2).movedim(1, 0)
    assert (windows == father).flatten(1).all(1).any()
    expected = GivenKernel(2, str(tmp_path / "kernel.npy"))(father).clamp(0, 1)
    torch.testing.assert_close(son, expected)
    noisy = untrained("experiment=zssr_x2_real", lr=torch.full((1, 3, 64, 64), 0.5))
    assert noisy.son_of(noisy.lr).std().item() == pytest.approx(0.0125, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "ends"),
    [
        (
            ["experiment=zssr_x2", *TINY, *QUICK, "iterations=10", "optimizer.lr=10"],
            (3, 7),
        ),  # the rate falls in between
        ([*GRADUAL, *TINY, "iterations=9"], (2, 3, 7)),  # a new scale after 3 and after 6
    ],
    ids=["policy", "gradual"],
)
def test_an_ended_run_goes_on_to_the_same_weights(
    command: Command, tmp_path: Path, arguments: list[str], ends: tuple[int, ...]
) -> None:
    arguments = [*arguments, "callbacks.checkpoints.every=1", "callbacks.checkpoints.keep=99"]
    trained(command, "straight", *arguments)
    last = max((tmp_path / "straight/checkpoints").glob("iteration_*.ckpt"))
    for end in ends:
        saboteur = f"+callbacks.end={{_target_: tests.saboteurs.EndAt, iteration: {end + 1}}}"
        with pytest.raises(RuntimeError, match="power"):
            trained(command, f"ended{end}", *arguments, saboteur)
        config = OmegaConf.load(tmp_path / f"ended{end}/.hydra/config.yaml")
        del config.callbacks["end"]
        OmegaConf.save(config, tmp_path / f"ended{end}/.hydra/config.yaml")
        assert command("train", f"resume=ended{end}").status == 0
        for name in (f"iteration_{end + 1:09d}.ckpt", last.name):
            first, second = (
                torch.load(tmp_path / run / "checkpoints" / name, weights_only=True)
                for run in ("straight", f"ended{end}")
            )
            assert same(first["state_dict"], second["state_dict"])
            assert first["zero_shot"]["policy"] == second["zero_shot"]["policy"]
            assert first["zero_shot"]["began"] == second["zero_shot"]["began"]
        assert (tmp_path / "straight/sr.png").read_bytes() == (tmp_path / f"ended{end}/sr.png").read_bytes()


def test_a_rate_that_fell_below_the_least_ends_the_run_for_good(command: Command, tmp_path: Path) -> None:
    arguments = ["experiment=zssr_x2", *TINY, *QUICK, "iterations=60", "optimizer.lr=1e-5", "paradigm.policy.ratio=0"]
    trained(command, "run", *arguments, "trainer.val_check_interval=50")
    factors = curve(tmp_path / "run", "train/rate_factor")
    # ratio 0: every check lowers the rate; the first at iteration 4 (2 must have passed), and 1e-6 is below 9e-6
    assert list(factors) == [1, 2, 3, 4]
    assert (tmp_path / "run/checkpoints/iteration_000000004.ckpt").exists()
    assert list(curve(tmp_path / "run", "val/lr_psnr")) == [4]
    result = (tmp_path / "run/sr.png").read_bytes()
    assert command("train", "resume=run").status == 0
    assert max(curve(tmp_path / "run", "train/loss")) == 4
    assert (tmp_path / "run/sr.png").read_bytes() == result


def test_the_rate_of_the_optimizer_falls_with_the_policy(command: Command, tmp_path: Path) -> None:
    arguments = ["experiment=zssr_x2", *TINY, *QUICK, "iterations=8", "optimizer.lr=1e-3", "paradigm.policy.ratio=0"]
    trained(command, "run", *arguments)
    assert list(curve(tmp_path / "run", "train/rate_factor").values()) == pytest.approx([1] * 4 + [0.1] * 4)
    checkpoint = torch.load(tmp_path / "run/checkpoints/iteration_000000008.ckpt", weights_only=True)
    assert checkpoint["optimizer_states"][0]["param_groups"][0]["lr"] == pytest.approx(1e-4)


def test_each_scale_adds_an_ancestor_of_its_size(command: Command, tmp_path: Path) -> None:
    trained(command, "run", "experiment=zssr_x2_gradual", *TINY, "iterations=12")
    assert list(curve(tmp_path / "run", "train/ancestors").values()) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    checkpoint = torch.load(tmp_path / "run/checkpoints/iteration_000000012.ckpt", weights_only=True)
    results = checkpoint["zero_shot"]["results"]
    assert [tuple(result.shape[2:]) for result in results] == [(32, 48), (48, 32), (48, 48), (48, 64), (64, 48)]
    published = build(composed("train", ["experiment=zssr_x2_gradual", "data.image=x", "run_dir=."]).paradigm)
    assert len(published.scales) == 6
    assert published.scales[0] == (1, 1.5)


@pytest.mark.parametrize("gradual", [False, True])
def test_the_result_turns_with_the_image(gradual: bool) -> None:
    lr = torch.rand(1, 3, 16, 20)
    overrides = GRADUAL if gradual else ["experiment=zssr_x2"]
    torch.manual_seed(1)
    paradigm = untrained(*overrides, lr=lr)
    result = paradigm.result()
    for place in range(8):
        paradigm.lr = turned(lr, place)
        torch.testing.assert_close(paradigm.result(), turned(result, place), rtol=0, atol=1e-5)


def test_the_result_is_more_than_the_networks_output(tmp_path: Path) -> None:
    paradigm = untrained("experiment=zssr_x2", "backbone.gain=2")
    others = paradigm.other_results()
    plain = resize(paradigm.lr, scale=2).clamp(0, 1)
    torch.testing.assert_close(others["back_projected"], back_project(plain, paradigm.lr, paradigm.reduction, 10))
    assert paradigm.agreement(paradigm.result()) > paradigm.agreement(others["raw"]) + 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["network=edsr_baseline", "~backbone.layers"], "network=zssr"),
        (["paradigm.scales=[[1,1.5]]"], r"must go up to (2.0, 2.0)"),
        (["paradigm.back_projections=[1,2]"], "there are 1 scales"),
        (
            ["reduction=kernel", "reduction.path=kernel.npy", "paradigm.scales=[[1,2],[2,2]]"],
            "A kernel is for one scale",
        ),
        (["trainer.accumulate_grad_batches=2"], "accumulate_grad_batches=1"),
        (["channels=1"], "3 channels, and the network 1"),
    ],
)
def test_what_cannot_be_is_refused(command: Command, change: list[str], message: str) -> None:
    arguments = [item for item in TINY if not (item.startswith("backbone.") and "network" in change[0])]
    change = [item for item in change if not item.startswith("~")]
    outcome = command("train", "experiment=zssr_x2", *arguments, *change, "hydra.run.dir=run")
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err


def test_a_picture_shows_lr_bicubic_and_sr_where_there_is_no_truth(command: Command, tmp_path: Path) -> None:
    trained(command, "run", "experiment=zssr_x2", *TINY, "iterations=1")
    (strip,) = (tmp_path / "run/images").glob("*.png")
    height, width = read_image(strip).shape[:2]
    assert width == 3 * 64 + 2 * 4
    assert height > 64
    panels = to_tensor(read_image(strip))[:, -64:]
    assert not torch.equal(panels[..., :64], panels[..., 68:132])
