"""The LR of a window, trimmed by the margin, equals the crop of the whole image's LR, to the bit."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.degradation.base import Chain, Degradation
from srlab.degradation.blur import AnisotropicBlur, IsotropicBlur
from srlab.degradation.downscale import Downscale
from srlab.degradation.quantization import Quantize

CASES: dict[str, Callable[[], Degradation]] = {
    "bicubic_x2": lambda: Downscale(2),
    "bicubic_x3": lambda: Downscale(3),
    "bicubic_x4": lambda: Downscale(4),
    "bicubic_x8": lambda: Downscale(8, rounding="result"),
    "bicubic_x3_old_borders": lambda: Downscale(3, borders="replicate"),
    "lanczos_x2": lambda: Downscale(2, kernel="lanczos3", rounding="none"),
    "bilinear_x3": lambda: Downscale(3, kernel="bilinear"),
    "blur_x3": lambda: AnisotropicBlur(3, sigma=(0.6, 3.0), kernel_size=15),
    "blur_then_bicubic_x2_twice": lambda: Chain(
        [IsotropicBlur(1, 1.2, kernel_size=7), Downscale(2, rounding="none"), Downscale(2, rounding="none"), Quantize()]
    ),
}


def outside(n: int, margin: int, borders: str) -> Tensor:
    """Which pixels fill an axis that is `margin` longer on both sides."""
    return torch.from_numpy(np.pad(np.arange(n), margin, mode="symmetric" if borders == "symmetric" else "edge"))


@pytest.mark.parametrize("levels", [255, 0])
@pytest.mark.parametrize("name", CASES)
def test_a_windows_lr_is_the_crop_of_the_whole_lr(name: str, levels: int, noisy_codes: Tensor) -> None:
    degradation = CASES[name]()
    scale, margin = degradation.scale, degradation.margin
    assert margin % scale == 0
    image = noisy_codes[:1] if levels else torch.rand(1, 3, 48, 60, generator=torch.Generator().manual_seed(1))
    image = image[..., : 48 // scale * scale, : 60 // scale * scale]
    seed, depth = torch.tensor([5]), torch.tensor([levels])
    whole = degradation(image, seed, depth).lr
    rows, columns = (outside(n, margin, degradation.borders) for n in image.shape[-2:])
    padded = image[..., rows, :][..., columns]
    rng = np.random.default_rng(3)
    height, width = whole.shape[-2:]
    corners = [(0, 0), (height - 2, width - 2), (0, width - 2), (height - 2, 0)]
    corners += [(int(rng.integers(height - 1)), int(rng.integers(width - 1))) for _ in range(30)]
    for top, left in corners:
        h, w = int(rng.integers(1, height - top + 1)), int(rng.integers(1, width - left + 1))
        window = padded[
            ..., top * scale : (top + h) * scale + 2 * margin, left * scale : (left + w) * scale + 2 * margin
        ]
        lr, hr, _ = degradation.make_pair(window, seed, depth)
        assert torch.equal(lr, whole[..., top : top + h, left : left + w])
        assert torch.equal(hr, image[..., top * scale : (top + h) * scale, left * scale : (left + w) * scale])


def test_a_chains_scale_and_margin_are_counted_in_hr_pixels() -> None:
    chain = Chain([IsotropicBlur(1, 1.2, kernel_size=7), Downscale(2), Downscale(3), Quantize()])
    assert chain.scale == 6
    # 3 (the blur) + 2 * 2 (bicubic at x1/2) + 2 * (2 * 3) (bicubic at x1/3, in pixels of two) = 19, so 24
    assert chain.margin == 24
