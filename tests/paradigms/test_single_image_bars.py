"""Both paradigms of one image reach on real images what was measured with the authors' settings."""

from pathlib import Path

import pytest

from tests.conftest import Command
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
    assert curve(tmp_path / "run", "val/average_psnr_y")[1000] >= 25.7, "bicubic: 22.01"


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
    trained(command, "true", "experiment=zssr_x2_kernel", *butterfly, *kernel, "paradigm.back_projections=[10]")
    preset = ["paradigm.ensemble=false", "paradigm.fathers.turn=false"]
    trained(command, "wrong", "experiment=zssr_x2", "degradation=kernels", *butterfly, *preset)
    true, wrong = (curve(tmp_path / name, "val/psnr_y")[500] for name in ("true", "wrong"))
    assert true >= 28.5
    assert true >= curve(tmp_path / "true", "val/back_projected_psnr_y")[500] + 1, "27.37"
    assert true >= wrong + 4
