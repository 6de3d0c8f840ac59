"""The deep image prior is fitted to LR alone, from noise, with its batch norm in training mode, and resumes to the bit."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from srlab.build import build
from srlab.data.images import read_image, to_tensor
from srlab.evaluation.results import read_results
from srlab.paradigms.deep_image_prior import DeepImagePrior
from srlab.paradigms.stopping import MovingVariance
from tests.conftest import Command, composed
from tests.paradigms.single_image import COMMON, curve, draw_pair, same, state, trained

TINY = [
    "experiment=dip_x4",
    "backbone.in_channels=4",
    "backbone.width=6",
    "backbone.skip=2",
    "backbone.scales=2",
    "iterations=6",
    "trainer.val_check_interval=3",
    "data.image=LR/image.png",
]


@pytest.fixture(autouse=True)
def _pair(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    draw_pair(tmp_path, 4)


def test_hr_changes_nothing_but_what_is_reported(command: Command, tmp_path: Path) -> None:
    trained(command, "without", *TINY)
    for name, hr in (("with", "HR/image.png"), ("garbage", "garbage.png")):
        trained(command, name, *TINY, f"data.hr={hr}")
        assert same(state(tmp_path / "without", 6), state(tmp_path / name, 6))
        assert (tmp_path / name / "results.csv").exists()
        assert set(curve(tmp_path / name, "val/psnr_y")) == {3, 6}
    trained(command, "blind", *TINY, "trainer.val_check_interval=6")  # without a look on the way
    assert same(state(tmp_path / "without", 6), state(tmp_path / "blind", 6))
    assert set(curve(tmp_path / "without", "val/lr_psnr")) == {3, 6}
    assert not (tmp_path / "without/results.csv").exists()
    assert read_image(tmp_path / "without/sr.png").shape == (64, 64, 3)
    assert (tmp_path / "without/checkpoints/best.ckpt").exists()
    assert len(list((tmp_path / "without/images").glob("*.png"))) == 2


def test_images_do_not_know_of_each_other_in_whatever_order_they_are_fitted(command: Command, tmp_path: Path) -> None:
    image = Image.open(tmp_path / "HR/image.png")
    image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "HR/turned.png")
    own = [item for item in TINY if not item.startswith("data")]
    benchmark = [*own, "data=benchmark_image", "data.root=HR"]
    for order in ((0, 1), (1, 0)):
        for index in order:
            trained(command, f"{order[0]}_first/{index}", *benchmark, f"data.index={index}")
    for index in (0, 1):
        first, second = (tmp_path / f"{start}_first/{index}" for start in (0, 1))
        assert same(state(first, 6), state(second, 6))
        assert (first / "sr.png").read_bytes() == (second / "sr.png").read_bytes()
    assert not same(state(tmp_path / "0_first/0", 6), state(tmp_path / "0_first/1", 6))


def test_the_noise_is_the_same_in_every_iteration_but_for_its_jitter() -> None:
    paradigm = build(composed("train", [*TINY, "run_dir=."]).paradigm)
    seen: list[Tensor] = []
    paradigm.network.backbone.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].clone()))
    lr = torch.rand(1, 3, 16, 16)
    for _ in range(8):
        paradigm.network(lr)
    z = paradigm.network.noise(64, 64, lr)
    jitter = torch.stack(seen) - z
    assert jitter.std().item() == pytest.approx(0.03, rel=0.02)
    between = torch.corrcoef(jitter.flatten(1))
    assert (between - torch.eye(8)).abs().max() < 0.05  # drawn anew each time, around one z
    assert torch.equal(paradigm.network.noise(64, 64, lr), z)


def test_an_ended_run_goes_on_to_the_same_image(command: Command, tmp_path: Path) -> None:
    arguments = [*TINY, "paradigm.patience=100"]
    trained(command, "straight", *arguments)
    for end in (1, 3):
        trained(command, f"ended{end}", *arguments, f"iterations={end}")
        assert command("train", f"resume=ended{end}", "iterations=6").status == 0
        assert same(state(tmp_path / "straight", 6), state(tmp_path / f"ended{end}", 6))
        assert (tmp_path / "straight/sr.png").read_bytes() == (tmp_path / f"ended{end}/sr.png").read_bytes()


def test_the_results_are_the_last_image_and_the_average(command: Command, tmp_path: Path) -> None:
    images = []
    for iterations in (1, 2, 3):
        trained(command, f"run{iterations}", *TINY, f"iterations={iterations}", "paradigm.average_decay=0.75")
        images.append(state(tmp_path / f"run{iterations}", iterations)["last"])
    average = 0.75 * (0.75 * images[0] + 0.25 * images[1]) + 0.25 * images[2]
    torch.testing.assert_close(state(tmp_path / "run3", 3)["average"], average)
    trained(command, "published", *TINY, "iterations=3", "paradigm.output=last")
    shown = to_tensor(read_image(tmp_path / "published/sr.png"))
    torch.testing.assert_close(shown, images[2][0], rtol=0, atol=0.51 / 255)


def test_the_image_comes_to_agree_with_lr_and_beats_no_training(command: Command, tmp_path: Path) -> None:
    arguments = [*TINY, "data.hr=HR/image.png", "iterations=120", "trainer.val_check_interval=40", "backbone.width=16"]
    trained(command, "run", *arguments)
    agreement = list(curve(tmp_path / "run", "val/lr_psnr").values())
    assert agreement == sorted(agreement)
    trained(command, "still", *arguments, "optimizer.lr=0", "iterations=10", "trainer.val_check_interval=10")
    still = curve(tmp_path / "still", "val/psnr_y")[10]
    assert curve(tmp_path / "run", "val/psnr_y")[120] > still + 3
    rows = read_results(tmp_path / "still/results.csv")
    (bicubic,) = [row.value for row in rows if (row.network, row.metric, row.image) == ("bicubic", "psnr_y", "image")]
    assert still < bicubic


def test_batch_norm_stays_in_training_mode_and_the_loss_is_at_the_size_of_lr(monkeypatch: pytest.MonkeyPatch) -> None:
    paradigm = build(composed("train", [*TINY, "run_dir=."]).paradigm)
    assert isinstance(paradigm, DeepImagePrior)
    assert paradigm.training
    assert all(part.training for part in paradigm.modules() if isinstance(part, nn.BatchNorm2d))
    lr = torch.rand(1, 3, 16, 16)
    reduced = paradigm.reduction(paradigm.network(lr).sr)
    assert reduced.shape == lr.shape
    monkeypatch.setattr(DeepImagePrior, "iteration", 1)
    paradigm.lr = lr
    paradigm.reduction = nn.Identity()  # type: ignore[assignment]
    with pytest.raises((RuntimeError, UserWarning), match=r"64.*16|16.*64"):
        paradigm.training_step(lr, 0)


def test_a_run_stops_where_the_variance_has_passed_its_least(command: Command, tmp_path: Path) -> None:
    arguments = [*TINY, "iterations=400", "trainer.val_check_interval=400", "paradigm.patience=20"]
    trained(command, "run", *arguments)
    (last,) = sorted((tmp_path / "run/checkpoints").glob("iteration_*.ckpt"))[-1:]
    stopped = torch.load(last, weights_only=True)["state_dict"]
    at = int(stopped["stopping.stopped_at"])
    assert at < 400
    assert last.stem == f"iteration_{at:09d}"
    assert at == int(stopped["stopping.least_at"]) + 20
    shown = to_tensor(read_image(tmp_path / "run/sr.png"))
    torch.testing.assert_close(shown, stopped["kept"][0], rtol=0, atol=0.51 / 255)
    assert list(curve(tmp_path / "run", "val/lr_psnr")) == [at]
    before = (tmp_path / "run/sr.png").read_bytes()
    assert command("train", "resume=run").status == 0  # it stays stopped
    assert (tmp_path / "run/sr.png").read_bytes() == before
    assert not list((tmp_path / "run/checkpoints").glob(f"iteration_{at + 1:09d}.ckpt"))


def test_the_moving_variance_finds_the_calm_between_two_storms() -> None:
    torch.manual_seed(0)
    stopping = MovingVariance(patience=30, warmup=10)
    stopping.prepare(torch.zeros(1, 3, 8, 8))
    least = []
    for iteration in range(1, 400):
        storm = 0.5 * abs(iteration - 150) / 150 + 0.01
        if stopping.update(0.5 + storm * torch.randn(1, 3, 8, 8), iteration):
            least.append(iteration)
        if stopping.over:
            break
    assert 140 < least[-1] < 175
    assert int(stopping.stopped_at) == least[-1] + 30


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["paradigm=deep_image_prior", "reduction=bicubic", "data=image", "data.image=x"], "network=deep_image_prior"),
        ([*TINY, "paradigm.output=median"], "output=median"),
        ([*TINY, "~reduction"], "reduction=bicubic"),
        ([*TINY[:-1], "data=folder", "data.root=HR", "data.patch=8"], "data=image"),
    ],
)
def test_what_cannot_be_is_refused(command: Command, arguments: list[str], message: str) -> None:
    outcome = command("train", *COMMON, *arguments, "hydra.run.dir=run")
    assert (outcome.status, message in outcome.err) == (2, True), outcome.err
