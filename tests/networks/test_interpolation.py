"""Interpolation equals dense float64 sums from the kernels' definitions, and other libraries where they agree."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from srlab.degradation.resize import resize
from srlab.interpolants import Kernel
from srlab.networks.interpolation import Interpolation, Phase, enlarge, enlarge_halo


def keys_cubic(x: float) -> float:
    """Keys (1981), equation 15."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0


def lanczos(x: float) -> float:
    return float(np.sinc(x) * np.sinc(x / 3)) if abs(x) < 3 else 0


def dense_matrix(size: int, scale: int, kernel: str, phase: Phase = "centre") -> NDArray[np.float64]:
    """The whole enlargement of a line as a matrix (scale size, size), with mirrored borders."""
    function = {"bicubic": keys_cubic, "lanczos3": lanczos}[kernel]
    matrix = np.zeros((scale * size, size))
    for row in range(scale * size):
        position = (row + 0.5) / scale - 0.5 if phase == "centre" else row / scale
        for neighbour in range(math.floor(position) - 4, math.floor(position) + 5):
            mirrored = neighbour % (2 * size)
            matrix[row, min(mirrored, 2 * size - 1 - mirrored)] += function(position - neighbour)
        matrix[row] /= matrix[row].sum()
    return matrix


@pytest.mark.parametrize("phase", ["centre", "first"])
@pytest.mark.parametrize("kernel", ["bicubic", "lanczos3"])
@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("size", [(1, 2), (7, 12)])
def test_equals_the_kernels_definition(kernel: str, scale: int, size: tuple[int, int], phase: Phase) -> None:
    image = torch.rand(2, 3, *size)
    rows, columns = (torch.from_numpy(dense_matrix(n, scale, kernel, phase)) for n in size)
    expected = rows @ image.double() @ columns.T
    torch.testing.assert_close(enlarge(image, scale, kernel, phase).double(), expected, rtol=0, atol=1e-6)
    torch.testing.assert_close(enlarge(image.double(), scale, kernel, phase), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_first_phase_keeps_every_pixel_where_it_was_taken(scale: int) -> None:
    image = torch.rand(1, 3, 6, 5)
    assert torch.equal(enlarge(image, scale, "bicubic", "first")[..., ::scale, ::scale], image)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic", "lanczos3"])
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_the_halo_of_the_first_phase_is_what_is_read(kernel: Kernel, scale: int) -> None:
    matrix = enlarge(torch.eye(15, dtype=torch.float64)[:, None, None], scale, kernel, "first")[:, 0, 0]
    read = matrix[:, 7 * scale : 8 * scale].any(1).nonzero() - 7
    assert enlarge_halo(scale, kernel, phase="first") == int(read.abs().max())


def test_an_unknown_phase_is_refused() -> None:
    with pytest.raises(ValueError, match="choose centre or first"):
        Interpolation(1, 2, phase="second")  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_equals_the_resize_of_the_degradations(scale: int) -> None:
    image = torch.rand(1, 3, 9, 14)
    torch.testing.assert_close(enlarge(image, scale), resize(image, scale=scale), rtol=0, atol=1e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_nearest_and_bilinear_equal_torchs(scale: int) -> None:
    image = torch.rand(1, 3, 9, 14)
    size = (9 * scale, 14 * scale)
    torch.testing.assert_close(enlarge(image, scale, "nearest"), F.interpolate(image, size, mode="nearest"))
    torch.testing.assert_close(enlarge(image, scale, "bilinear"), F.interpolate(image, size, mode="bilinear"))


@pytest.mark.parametrize(("kernel", "theirs"), [("bicubic", "BICUBIC"), ("lanczos3", "LANCZOS")])
def test_equals_pillows_inside(kernel: str, theirs: str) -> None:
    image = torch.rand(20, 24)
    enlarged = Image.fromarray(image.numpy()).resize((48, 40), Image.Resampling[theirs])
    inside = (slice(6, -6), slice(6, -6))  # at the border Pillow leaves out what MATLAB mirrors
    ours = enlarge(image[None, None], 2, kernel)[0, 0][inside]
    torch.testing.assert_close(ours, torch.from_numpy(np.array(enlarged))[inside], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kernel", ["nearest", "bilinear", "bicubic", "lanczos3"])
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_published_halo_is_what_a_pixel_reads(kernel: Kernel, scale: int) -> None:
    network = Interpolation(1, scale, kernel)
    lr = torch.zeros(1, 1, 1, 21, requires_grad=True)
    own = slice(10 * scale, 11 * scale)
    reached = torch.zeros(21)
    for place in range(own.start, own.stop):
        (gradient,) = torch.autograd.grad(network(lr).sr[0, 0, 0, place], lr)
        reached += gradient[0, 0, 0].abs()
    distances = (reached.nonzero() - 10).abs()
    assert distances.max() == network.halo


def test_an_unknown_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match=r"interpolation='cubic'.*bicubic"):
        Interpolation(3, 2, "cubic")  # type: ignore[arg-type]
