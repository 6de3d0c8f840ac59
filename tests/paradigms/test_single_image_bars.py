"""Both paradigms of one image reach on real images what was measured with the authors' settings."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlab.build import build
from srlab.data.images import read_image, to_tensor
from srlab.degradation.reduction import Interpolating
from srlab.degradation.resize import resize
from srlab.evaluation.evaluate import score_image
from srlab.inference.back_projection import back_project
from srlab.types import LabelledImage
from tests.conftest import Command, composed
from tests.paradigms.single_image import curve, trained

pytestmark = pytest.mark.slow


def test_a_prior_of_butterflys_middle(command: Command, tmp_path: Path, data_root: Path) -> None:
    hr = data_root / "photos/Set5/HR/butterfly.png"
    arguments = ["data.image=null", f"data.hr={hr}", "data.crop=128", "backbone.width=64", "iterations=600"]
    trained(command, "run", "experiment=dip_x4", *arguments, "trainer.precision=bf16-mixed")
    assert curve(tmp_path / "run", "val/average_psnr_y")[600] >= 27.9, "bicubic: 22.76"
    assert curve(tmp_path / "run", "val/last_psnr_y")[600] >= 26.9


def test_a_prior_of_the_zebra(command: Command, tmp_path: Path, data_root: Path) -> None:
    hr = data_root / "unsupervised/dip/zebra_crop.png"
    arguments = ["data.image=null", f"data.hr={hr}", "iterations=1000", "trainer.precision=bf16-mixed"]
    trained(command, "run", "experiment=dip_x4", *arguments)
    average = curve(tmp_path / "run", "val/average_psnr_y")[1000]
    assert average >= 25.7, "bicubic: 22.01"
    assert average >= back_projected_zebra(hr) + 1


def back_projected_zebra(path: Path) -> float:
    """PSNR of bicubic enlargement that was made to agree with LR through the prior's own downsampler, ten times."""
    with Image.open(path) as image:
        lr = image.resize((image.width // 4, image.height // 4), Image.Resampling.LANCZOS)
    downsampler = Interpolating(4, "lanczos2", "replicate")
    zebra = LabelledImage("dip", "zebra", to_tensor(read_image(path)), to_tensor(np.asarray(lr)), 255)
    scored = score_image(
        lambda lr: back_project(resize(lr, scale=4).clamp(0, 1), lr, downsampler, 10),
        *(zebra, build(composed("train", ["run_dir=."]).protocol), 4, 3, {}),
    )
    return next(score.value for score in scored.scores if score.metric == "psnr_y")


@pytest.fixture
def butterfly(data_root: Path) -> list[str]:
    """Butterfly reduced by a known kernel, 500 iterations on crops of 64."""
    kernel = f"{{_target_: srlab.degradation.blur.KernelBlur, scale: 2, path: {data_root}/unsupervised/kernels_12.mat, "
    steps = kernel + "key: kernels, indices: [2]}, {_target_: srlab.degradation.quantization.Quantize}"
    return [
        *("data.image=null", f"data.hr={data_root}/photos/Set5/HR/butterfly.png", f"degradation.steps=[{steps}]"),
        *("paradigm.fathers.crop=64", "iterations=500", "trainer.val_check_interval=500"),
    ]


def test_zero_shot_with_the_true_kernel_beats_back_projection_and_the_wrong_kernel(
    command: Command, tmp_path: Path, data_root: Path, butterfly: list[str]
) -> None:
    kernel = [f"reduction.path={data_root}/unsupervised/kernels_12.mat", "reduction.key=kernels", "reduction.index=2"]
    trained(command, "right", "experiment=zssr_x2_kernel", *butterfly, *kernel, "paradigm.back_projections=[10]")
    preset = ["paradigm.ensemble=false", "paradigm.fathers.turn=false"]
    trained(command, "wrong", "experiment=zssr_x2", "degradation=kernels", *butterfly, *preset)
    true, wrong = (curve(tmp_path / name, "val/psnr_y")[500] for name in ("right", "wrong"))
    assert true >= 28.5
    assert true >= curve(tmp_path / "right", "val/back_projected_psnr_y")[500] + 1, "27.37"
    assert true >= wrong + 4
