"""Each upsampler against PyTorch's own operations and closed forms."""

from typing import TypeVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.interpolation import enlarge
from srlab.networks.upsamplers import Interpolated, SubPixel, Transposed, Upsampler

Layer = TypeVar("Layer", nn.Conv2d, nn.ConvTranspose2d)
Kind = type[SubPixel] | type[Transposed] | type[Interpolated]
KINDS: tuple[Kind, ...] = (SubPixel, Transposed, Interpolated)


def only(kind: type[Layer], module: nn.Module) -> Layer:
    (found,) = (part for part in module.modules() if isinstance(part, kind))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("staged", [True, False])
def test_size_and_channels(kind: Kind, scale: int, staged: bool) -> None:
    upsampler = kind(6, scale, 5, staged=staged)
    assert upsampler(torch.rand(2, 6, 3, 7)).shape == (2, 5, 3 * scale, 7 * scale)
    assert (upsampler.in_channels, upsampler.out_channels) == (6, 5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1, 5, 6, 16])
def test_other_scales_are_refused(kind: Kind, scale: int) -> None:
    with pytest.raises(ValueError, match=rf"scale={scale} .*\(2, 3, 4, 8\)"):
        kind(4, scale, 4)


@pytest.mark.parametrize("scale", [2, 3])
def test_subpixel_equals_a_convolution_and_pixel_shuffle(scale: int) -> None:
    upsampler, features = SubPixel(6, scale, 5), torch.rand(1, 6, 4, 5)
    convolution = only(nn.Conv2d, upsampler)
    expected = F.pixel_shuffle(F.conv2d(features, convolution.weight, convolution.bias, padding=1), scale)
    torch.testing.assert_close(upsampler(features), expected)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_icnr_starts_as_nearest(scale: int) -> None:
    sr = SubPixel(6, scale, 5, icnr=True)(torch.rand(1, 6, 6, 7))
    # A later stage's convolution sees the edges between the earlier one's blocks: only its own blocks are constant.
    factor = scale if scale == 3 else 2
    torch.testing.assert_close(sr, enlarge(sr[:, :, ::factor, ::factor], factor, "nearest"))


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_icnr_in_one_step_starts_as_nearest_of_a_convolution(scale: int) -> None:
    upsampler, features = SubPixel(6, scale, 5, staged=False, icnr=True), torch.rand(1, 6, 6, 7)
    convolution = only(nn.Conv2d, upsampler)
    assert convolution.bias is not None
    first = F.conv2d(features, convolution.weight[:: scale**2], convolution.bias[:: scale**2], padding=1)
    torch.testing.assert_close(upsampler(features), enlarge(first, scale, "nearest"))


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_interpolated_equals_torchs_before_the_convolution(interpolation: str, scale: int) -> None:
    upsampler, features = Interpolated(6, scale, 5, interpolation), torch.rand(1, 6, 9, 10)
    # torch's antialiased bicubic is the one with a = -0.5; it leaves out at the border what we mirror.
    enlarged = F.interpolate(
        features, scale_factor=float(scale), mode=interpolation, antialias=interpolation == "bicubic"
    )
    convolution = only(nn.Conv2d, upsampler)
    border = 3 * scale if interpolation == "bicubic" else 0
    inside = slice(border, -border or None)
    result, expected = upsampler(features)[..., inside, inside], convolution(enlarged)[..., inside, inside]
    torch.testing.assert_close(result, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_transposed_equals_torchs(scale: int) -> None:
    upsampler, features = Transposed(6, scale, 5), torch.rand(1, 6, 4, 5)
    layer = only(nn.ConvTranspose2d, upsampler)
    whole = F.conv_transpose2d(features, layer.weight, layer.bias, stride=scale)
    excess = whole.shape[2] - 4 * scale
    start = (excess + 1) // 2
    expected = whole[..., start : start + 4 * scale, start : start + 5 * scale]
    torch.testing.assert_close(upsampler(features), expected)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_bilinear_start_interpolates(scale: int) -> None:
    upsampler, features = Transposed(3, scale, 3, bilinear=True), torch.rand(1, 3, 9, 10)
    inside = slice(scale, -scale)
    expected = enlarge(features, scale, "bilinear")[..., inside, inside]
    torch.testing.assert_close(upsampler(features)[..., inside, inside], expected)


def checkerboard(result: Tensor) -> float:
    """The variance that a constant input leaves away from the borders."""
    return result[..., 8:-8, 8:-8].var().item()


@pytest.mark.parametrize(("scale", "size"), [(2, 4), (3, 6), (4, 8), (3, 9), (2, 8)])
def test_a_bilinear_kernel_of_a_multiple_of_the_factor_makes_no_checkerboard(scale: int, size: int) -> None:
    assert checkerboard(Transposed(1, scale, 1, kernel_size=size, bilinear=True)(torch.ones(1, 1, 16, 16))) < 1e-12


@pytest.mark.parametrize(("scale", "size"), [(3, 4), (4, 5), (4, 6)])
def test_a_truncated_bilinear_kernel_makes_a_checkerboard(scale: int, size: int) -> None:
    assert checkerboard(Transposed(1, scale, 1, kernel_size=size, bilinear=True)(torch.ones(1, 1, 16, 16))) > 1e-3


@pytest.mark.parametrize(
    ("size", "terms"), [(2, [1, 1, 1, 1]), (3, [1, 2, 2, 4]), (4, [4, 4, 4, 4]), (5, [4, 6, 6, 9])]
)
def test_an_even_kernel_counts_the_terms_of_each_pixel(size: int, terms: list[int]) -> None:
    upsampler = Transposed(1, 2, 1, kernel_size=size)
    for parameter in upsampler.parameters():
        nn.init.constant_(parameter, float(parameter.ndim == 4))
    inside = upsampler(torch.ones(1, 1, 16, 16))[0, 0, 8:10, 8:10]
    assert sorted(inside.flatten().tolist()) == terms


def test_geometry_that_cannot_make_the_size_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel_size=3 is less than the factor 4"):
        Transposed(1, 4, 1, kernel_size=3)
    with pytest.raises(ValueError, match=r"padding=0 .*null"):
        Transposed(1, 2, 1, kernel_size=9, padding=0)


@pytest.mark.parametrize(
    "upsampler",
    [
        SubPixel(1, 8, 1),
        SubPixel(1, 8, 1, kernel_size=5, staged=False),
        Transposed(1, 3, 1, kernel_size=9),
        Transposed(1, 3, 1, kernel_size=9, padding=4),
        Transposed(1, 8, 1, staged=True),
        Interpolated(1, 4, 1, "bicubic"),
        Interpolated(1, 4, 1, "nearest", staged=True),
    ],
    ids=lambda upsampler: type(upsampler).__name__,
)
def test_published_halo_is_what_a_pixel_reads(upsampler: Upsampler) -> None:
    for parameter in upsampler.parameters():
        nn.init.constant_(parameter, 1.0)
    features = torch.ones(1, 1, 31, 31, requires_grad=True)
    own = slice(15 * upsampler.scale, 16 * upsampler.scale)
    upsampler(features)[..., own, own].square().sum().backward()
    assert features.grad is not None
    distances = (features.grad[0, 0].nonzero() - 15).abs()
    assert distances.max() == upsampler.halo
