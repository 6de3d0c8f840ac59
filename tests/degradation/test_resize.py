"""Resizing against MATLAB's own files, and against the kernel's definition in float64."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from srlab.borders import Borders
from srlab.degradation.resize import crop_to_multiple, resize
from srlab.degradation.rounding import quantize

Array = NDArray[np.float64]


def cubic(x: float) -> float:
    """Keys' kernel with a = -1/2."""
    a = abs(x)
    if a <= 1:
        return 1.5 * a**3 - 2.5 * a**2 + 1
    return -0.5 * a**3 + 2.5 * a**2 - 4 * a + 2 if a < 2 else 0.0


def reference_axis(image: Array, out: int, scale: float, mode: Borders) -> Array:
    """Filter the first axis, one output row at a time, on a generously padded image."""
    pad = int(np.ceil(2 / min(scale, 1))) + 3
    padded = np.pad(image, ((pad, pad), (0, 0)), mode="symmetric" if mode == "symmetric" else "edge")
    stretch = min(scale, 1.0)
    rows = []
    for i in range(out):
        centre = (i + 0.5) / scale - 0.5 + pad
        near = [j for j in range(len(padded)) if abs(j - centre) * stretch < 2]
        weights = np.array([cubic((j - centre) * stretch) for j in near])
        rows.append(weights @ padded[near] / weights.sum())
    return np.array(rows)


def reference(image: Array, out: tuple[int, int], scales: tuple[float, float], mode: Borders = "symmetric") -> Array:
    return reference_axis(reference_axis(image, out[0], scales[0], mode).T, out[1], scales[1], mode).T


def read(path: Path) -> Tensor:
    pixels = np.asarray(Image.open(path))
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]


@pytest.mark.parametrize(("folder", "count"), [("Set5", 5), ("Set14", 14)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_every_8_bit_pixel_equals_matlabs(data_root: Path, folder: str, count: int, scale: int) -> None:
    files = sorted((data_root / "photos" / folder / "HR").glob("*.png"))
    assert len(files) == count
    for file in files:
        hr = crop_to_multiple(read(file).float() / 255, scale)
        matlab = read(file.parents[1] / f"LR_bicubic_X{scale}" / f"{file.stem}x{scale}.png")
        codes = resize(hr, scale=1 / scale, levels=255) * 255
        assert torch.equal(codes.round().byte(), matlab), file.name


def test_x8_of_a_double_image_is_rounded_at_the_end_only(data_root: Path) -> None:
    for file in sorted((data_root / "photos/Set5/HR").glob("*.png")):
        hr = crop_to_multiple(read(file).float() / 255, 8)
        matlab = read(file.parents[1] / "LR_bicubic_X8" / f"{file.stem}x8.png")
        assert torch.equal((quantize(resize(hr, scale=1 / 8), 255) * 255).round().byte(), matlab), file.name


@pytest.mark.parametrize("borders", ["symmetric", "replicate"])
@pytest.mark.parametrize("scale", [1 / 2, 1 / 3, 1 / 4, 1 / 8, 2, 3, 4, 8, 1.5, 2.7, 0.37, 2 / 3])
@pytest.mark.parametrize("shape", [(24, 36), (23, 31), (5, 3), (1, 1), (2, 41)])
def test_float_images_agree_with_the_definition(shape: tuple[int, int], scale: float, borders: Borders) -> None:
    image = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(1))
    result = resize(image, scale=scale, borders=borders)
    out = (int(np.ceil(shape[0] * scale - 1e-9)), int(np.ceil(shape[1] * scale - 1e-9)))
    assert result.shape == (2, 3, *out)
    assert result.dtype == torch.float32
    if borders == "symmetric" and min(shape) * min(scale, 1) < 2:
        return  # np.pad's mirror of a mirror is checked by test_a_tiny_image_is_mirrored_again
    for b in range(2):
        for c in range(3):
            expected = reference(image[b, c].double().numpy(), out, (scale, scale), borders)
            assert np.abs(result[b, c].numpy() - expected).max() * 255 < 1e-4


@pytest.mark.parametrize("scale", [1 / 3, 3, 2.7])
def test_wide_images_keep_the_phase(scale: float) -> None:
    """Far from the origin a phase in float32 is off by 1e-2 grey levels."""
    image = torch.rand(1, 1, 2, 4000, generator=torch.Generator().manual_seed(2))
    result = resize(image, scale=scale)
    out = (result.shape[-2], result.shape[-1])
    tall = reference_axis(image[0, 0].double().numpy().T, out[1], scale, "symmetric").T
    expected = reference_axis(tall, out[0], scale, "symmetric")
    assert np.abs(result[0, 0].numpy() - expected).max() * 255 < 1e-4


def test_a_tiny_image_is_mirrored_again() -> None:
    row = torch.tensor([[[[0.1, 0.9]]]])
    tiled = torch.tensor([0.1, 0.9, 0.9, 0.1] * 12)[None, None, None]  # the mirror's period, by hand
    torch.testing.assert_close(resize(row, size=(1, 4))[0, 0, 0], resize(tiled, size=(1, 96))[0, 0, 0, 40:44])


@pytest.mark.parametrize("size", [(7, 11), (24, 50), (12, 36), (48, 18), (24, 36)])
def test_an_explicit_size_gives_each_axis_its_own_scale(size: tuple[int, int]) -> None:
    image = torch.rand(1, 1, 24, 36, generator=torch.Generator().manual_seed(3))
    expected = reference(image[0, 0].double().numpy(), size, (size[0] / 24, size[1] / 36))
    assert np.abs(resize(image, size=size)[0, 0].numpy() - expected).max() * 255 < 1e-4


def test_levels_are_per_image() -> None:
    images = torch.rand(3, 2, 20, 16, generator=torch.Generator().manual_seed(4))
    mixed = resize(images, scale=1 / 2, levels=torch.tensor([255, 0, 65535]))
    for i, levels in enumerate((255, 0, 65535)):
        assert torch.equal(mixed[i : i + 1], resize(images[i : i + 1], scale=1 / 2, levels=levels))
    assert torch.equal(mixed[1:2], resize(images[1:2], scale=1 / 2))
    codes = mixed[2].double() * 65535
    assert (codes - codes.round()).abs().max() < 0.01


@pytest.mark.parametrize("levels", [255, 65535])
def test_codes_survive_as_an_integer_image_divided_by_its_levels(levels: int) -> None:
    codes = torch.arange(levels + 1, dtype=torch.float32) / levels
    assert torch.equal(quantize(codes.view(1, 1, 1, -1), levels).flatten(), codes)


def test_halves_are_rounded_up() -> None:
    """Halving (10, 11) by the mirrored kernel gives 10.5: MATLAB takes 11, banker's rounding 10."""
    half = torch.tensor([[10.0, 11.0], [10.0, 11.0]]).view(1, 1, 2, 2) / 255
    assert (resize(half, size=(2, 1), levels=255) * 255).round().tolist() == [[[[11.0], [11.0]]]]


def test_gradients_pass_through_float_images() -> None:
    image = torch.rand(1, 1, 6, 6, dtype=torch.float64, requires_grad=True)
    for scale in (0.5, 2, 1.7):
        assert torch.autograd.gradcheck(lambda x, s=scale: resize(x, scale=s), (image,))


def test_nearest_repeats_pixels_and_bilinear_equals_torch() -> None:
    image = torch.rand(1, 2, 5, 7)
    assert torch.equal(resize(image, scale=3, kernel="nearest"), image.repeat_interleave(3, 2).repeat_interleave(3, 3))
    expected = torch.nn.functional.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(resize(image, scale=2, kernel="bilinear"), expected)


def test_lanczos_agrees_with_pillow_inside() -> None:
    image = torch.rand(1, 1, 40, 44, generator=torch.Generator().manual_seed(5))
    pillow = np.asarray(Image.fromarray(image[0, 0].numpy()).resize((22, 20), Image.Resampling.LANCZOS))
    difference = resize(image, scale=1 / 2, kernel="lanczos3")[0, 0].numpy() - pillow
    assert np.abs(difference[4:-4, 4:-4]).max() < 1e-6


def test_what_cannot_be_resized_is_refused() -> None:
    image = torch.rand(1, 1, 4, 4)
    with pytest.raises(ValueError, match="floating images"):
        resize(torch.zeros(1, 1, 4, 4, dtype=torch.uint8), scale=2)
    with pytest.raises(ValueError, match="exactly one"):
        resize(image, scale=2, size=(8, 8))
    with pytest.raises(ValueError, match="levels has 2 values for 1 images"):
        resize(image, scale=2, levels=torch.tensor([255, 0]))
    with pytest.raises(ValueError, match="no multiple of 5"):
        crop_to_multiple(image, 5)
    with pytest.raises(ValueError, match="nearest"):
        resize(image, scale=2, kernel="area")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1 x 1"):
        resize(image, size=(0, 4))


@pytest.mark.parametrize(("size", "out"), [((40, 36), (10, 9)), ((10, 9), (40, 36)), ((43, 35), (11, 5))])
def test_a_kernel_that_is_cut_at_the_border_is_pillows(size: tuple[int, int], out: tuple[int, int]) -> None:
    image = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0))
    pillow = Image.fromarray(image[0, 0].numpy()).resize(out[::-1], Image.Resampling.BICUBIC)
    torch.testing.assert_close(resize(image, size=out, borders="cut")[0, 0], torch.from_numpy(np.array(pillow)))
