"""What an enlargement takes is foreseen, and a budget is kept."""

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from srlab.data.images import read_header
from srlab.inference.memory import Peak, available, resident, tile_within
from srlab.inference.probing import busiest, difference_of_tiles, enough_halo
from srlab.inference.tiling import Tiling
from tests.inference.test_tiling import Far


def test_the_peak_counts_what_lives_at_once() -> None:
    image = torch.zeros(1, 4, 10, 10)  # 1600 bytes, made before
    with Peak() as counter:
        first = image + 1
        second = first * 2  # with the first: 3200
        del first
        third = F.relu(second)  # again two
        del second
        view = third[..., ::2]  # takes nothing
    assert counter.peak == 3200
    assert view.shape[-1] == 5


def test_the_largest_tile_that_fits_is_taken() -> None:
    tiling = Tiling(Far(6, unit=4), 0, 6, batch=2)  # the margin is 8 in units of 4
    tile = tile_within(1e6, 100, tiling, row=500)
    assert tile % 4 == 0
    assert 2 * (tile + 16) ** 2 * 100 + 2 * tile * 500 <= 1e6 < 2 * (tile + 20) ** 2 * 100 + 2 * (tile + 4) * 500
    assert tile_within(1e3, 100, tiling, row=500) == 0


def test_this_machine_has_memory() -> None:
    assert 0 < resident() <= 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1.01
    assert available(torch.device("cpu")) > 0


class Fading(Far):
    """Sees `halo` pixels far, but what is farther than 5 counts less than bfloat16 can tell."""

    def predict(self, lr: torch.Tensor):  # type: ignore[no-untyped-def]
        prediction = super().predict(lr)
        weight = torch.full((3, 1, 1, 11), 1 / 11)
        near = F.conv2d(lr, weight, padding=(0, 5), groups=3).float().repeat_interleave(2, 2).repeat_interleave(2, 3)
        return prediction._replace(sr=near + 1e-7 * prediction.sr)


def test_a_margin_in_bfloat16_is_as_wide_as_what_it_can_tell() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert enough_halo(Tiling(Fading(40), 64, 40, bfloat16=True), pixels) == 6
    assert enough_halo(Tiling(Far(20), 64, 20, bfloat16=True), pixels) == 20
    assert enough_halo(Tiling(Fading(40), 64, 40, bfloat16=True), pixels[:50]) == 40, "too small to tell"


def test_the_busiest_piece_is_found() -> None:
    pixels = np.zeros((90, 90, 1), np.uint8)
    pixels[60:, 60::2] = 255
    assert busiest(pixels, 30).mean() > 0.4


def test_what_tiling_changes_is_measured() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    exact = difference_of_tiles(Tiling(Far(9), 64, 9), pixels)
    wrong = difference_of_tiles(Tiling(Far(9), 64, 4), pixels)
    assert exact.psnr > 100
    assert wrong.largest > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_hundred_megapixels_stay_within_two_gigabytes(tmp_path: Path, suffix: str) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (100, 125, 3), dtype=np.uint8)
    large = Image.fromarray(rows).resize((12500, 8000), Image.Resampling.BICUBIC)
    large.save(tmp_path / f"large{suffix}")
    del large
    code = (  # not ru_maxrss, which the process inherits from the one that starts it
        "from srlab.upscale import main\n"
        "main(); print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    arguments = [f"input=large{suffix}", "output=out", "network=bicubic", "memory_gb=2"]
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    header = read_header(tmp_path / f"out/large_x2{suffix}")
    assert (header.height, header.width) == (16000, 25000)
    peak = 1024 * int(run.stdout.split()[-2])  # "VmHWM: 1234 kB"
    assert 0.5e9 < peak < 2e9
