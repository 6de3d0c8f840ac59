"""Back-projection brings a result nearer to LR at every iteration; a median over turns has no favourite direction."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.degradation.reduction import GivenKernel, Interpolating, Reduction
from srlab.degradation.resize import resize
from srlab.inference.back_projection import back_project
from srlab.inference.self_ensemble import median_of_turns, turned, turned_back

HR = (
    torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(0))
    .repeat_interleave(4, -1)
    .repeat_interleave(4, -2)
)


def blur(folder: Path) -> Reduction:
    np.save(folder / "kernel.npy", np.outer([1, 2, 3, 2, 1], [1, 3, 5, 3, 1]))
    return GivenKernel(2, str(folder / "kernel.npy"))


@pytest.mark.parametrize("known", ["bicubic", "kernel"])
def test_every_iteration_agrees_better_with_lr_and_is_nearer_to_the_truth(tmp_path: Path, known: str) -> None:
    reduction = Interpolating(2) if known == "bicubic" else blur(tmp_path)
    lr = reduction(HR)
    sr = resize(lr, scale=2).clamp(0, 1)
    errors, distances = [], []
    for _ in range(6):
        errors.append(float((reduction(sr) - lr).square().mean()))
        distances.append(float((sr - HR).square().mean()))
        sr = back_project(sr, lr, reduction, 1)
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 4
    assert distances[-1] < distances[0]
    start = resize(lr, scale=2).clamp(0, 1)
    torch.testing.assert_close(back_project(start, lr, reduction, 6), sr)


def test_fractional_factors_are_projected_too() -> None:
    reduction = Interpolating(2)
    lr = resize(HR, size=(48, 32))
    start = resize(lr, size=(48, 48)).clamp(0, 1)
    sr = back_project(start, lr, reduction, 8)
    before, after = (float((reduction.to_size(image, (48, 32)) - lr).square().mean()) for image in (start, sr))
    assert after < before / 4


def test_the_eight_turns_are_different_and_can_be_undone() -> None:
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    results = [turned(image, place) for place in range(8)]
    assert len({tuple(result.flatten().tolist()) for result in results}) == 8
    for place, result in enumerate(results):
        assert torch.equal(turned_back(result, place), image)


def sharpened(image: Tensor) -> Tensor:
    """Something that favours a direction: twice the size, and brighter to the right."""
    enlarged = resize(image, scale=2)
    return enlarged * torch.linspace(0.9, 1.1, enlarged.shape[-1])


def test_the_median_turns_with_the_image_and_ignores_one_bad_result() -> None:
    image = HR[..., :9, :7]
    result = median_of_turns(sharpened, image)
    for place in range(8):
        torch.testing.assert_close(median_of_turns(sharpened, turned(image, place)), turned(result, place))
    calls = iter(range(8))
    spoilt = median_of_turns(lambda lr: resize(lr, scale=2) + 1e3 * (next(calls) == 3), image)
    torch.testing.assert_close(spoilt, resize(image, scale=2), rtol=0, atol=1e-5)
