"""Image resizing that agrees with MATLAB's `imresize`, to the pixel for 8-bit images.

What `imresize` does, and the common ports leave out:

- the kernel is stretched by 1 / scale when shrinking (antialiasing), and its weights are normalised;
- an image is mirrored at its borders, the border pixel included ("symmetric"; older releases repeat the border pixel;
  Pillow, by which depth maps are reduced, instead cuts the kernel at the border and normalises what is left of it);
- one axis is filtered after the other, the more strongly shrunk one first, rows first when they are equal;
- an 8-bit image is *rounded to 8 bit in between*, and halves are rounded up.

An enlargement or a reduction by an integer is torch's antialiased bicubic (Keys, 1981, a = -1/2), one axis at a time
on an image padded by the kernel's support. Every other scale and kernel sums taps. Both run in float64, which hardly
costs time: in float32 an enlargement by 3 is off by up to 1e-2 grey levels of 255, since torch computes the phase so.

Images of integer depth are resized as integer codes (0 ... levels). There the bicubic weights of x1/2 and x1/4 are
dyadic and sums of 8-bit codes exact even in float32: a tie is seen as a tie. (At x1/3 the weights are multiples of
1/81: no sum is a tie, or nearer to one than 1/162.)
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from srlab.borders import Borders, inside
from srlab.degradation.rounding import accurate_dtype, by_depth, round_codes_
from srlab.interpolants import KERNELS, Kernel

_EXACT_IN_FLOAT32 = (1.0, 1 / 2, 1 / 3, 1 / 4)  # for 8-bit codes: see above
BICUBIC_SUPPORT = 2  # pixels on each side of the centre, times 1 / scale when shrinking


def resize(
    image: Tensor,
    *,
    scale: float | None = None,
    size: tuple[int, int] | None = None,
    kernel: Kernel = "bicubic",
    borders: Borders | Literal["cut"] = "symmetric",
    levels: int | Tensor = 0,
    antialias: bool = True,
) -> Tensor:
    """Resize images as MATLAB's `imresize` does: (B, C, H, W) -> (B, C, H', W'), same dtype and device.

    Args:
        image: floating, white at 1; any number of channels. Gradients pass where `levels` is 0.
        scale: H' = ceil(scale H), W' = ceil(scale W). Give this or `size`.
        size: (H', W'); each axis then has its own scale, H' / H and W' / W.
        kernel: `nearest` never antialiases, as in MATLAB.
        borders: mirror the image at its borders, repeat its border pixel (older MATLABs), or cut the kernel (Pillow).
        levels: the largest code of the images' depth (255, 65535), for all or one per image (B,): image, intermediate
            and result are rounded to codes and clamped. 0: float images, neither rounded nor clamped.
        antialias: stretch the kernel when shrinking.

    Raises:
        ValueError: for an image that is not (B, C, H, W) floating and not empty, or not exactly one of `scale` and
            `size`.
    """
    if image.ndim != 4 or not image.is_floating_point() or 0 in image.shape[-2:]:
        raise ValueError(
            f"resize expects floating images (B, C, H, W), not empty, got {tuple(image.shape)} {image.dtype}: "
            "convert to float32 in [0, 1] and add the batch axis."
        )
    kernel_support(kernel)  # refuses an unknown name
    plan = _plan(image.shape[-2], image.shape[-1], scale, size)

    def resize_all(images: Tensor, depth: int) -> Tensor:
        exact = kernel == "bicubic" and 0 < depth <= 255 and all(one[2] in _EXACT_IN_FLOAT32 for one in plan)
        dtype = torch.float32 if exact else accurate_dtype(images.device)
        codes = round_codes_(images.to(dtype) * depth, depth) if depth else images
        for axis, out, ratio in plan:
            codes = _resize_axis(codes, dtype, axis, out, ratio, kernel, borders, antialias)
            codes = round_codes_(codes, depth) if depth else codes
        return (codes / depth if depth else codes).to(images.dtype)

    return by_depth(resize_all, image, levels)


def kernel_support(kernel: Kernel) -> int:
    """Pixels of the smaller image that the kernel reaches on each side of its centre, rounded up."""
    if kernel not in KERNELS:
        raise ValueError(f"kernel={kernel!r} is none of {', '.join(KERNELS)}: choose one of them.")
    return math.ceil(KERNELS[kernel][1])


def crop_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Crop height and width to multiples, keeping the top left: (..., H, W) -> (..., H', W').

    Raises:
        ValueError: when the image is smaller than `multiple`.
    """
    height, width = image.shape[-2:]
    if min(height, width) < multiple:
        raise ValueError(f"an image of {height} x {width} has no multiple of {multiple} in it: leave it out.")
    return image[..., : height - height % multiple, : width - width % multiple]


def pad(image: Tensor, pixels: int, borders: Borders = "symmetric") -> Tensor:
    """Continue an image beyond its borders: (..., H, W) -> (..., H + 2 pixels, W + 2 pixels)."""
    return _pad_axis(_pad_axis(image, -2, pixels, pixels, borders), -1, pixels, pixels, borders)


def _plan(height: int, width: int, scale: float | None, size: tuple[int, int] | None) -> list[tuple[int, int, float]]:
    """The passes as (axis, output length, scale), in MATLAB's order: ascending scale, rows first when equal."""
    if size is not None and scale is None:
        passes = [(-2, size[0], size[0] / height), (-1, size[1], size[1] / width)]
    elif scale is not None and size is None:
        if not scale > 0:
            raise ValueError(f"scale={scale} must be positive: 2 doubles, 0.5 halves.")
        # The small number keeps a rounding error of H * (1 / 3) from adding a row.
        passes = [(axis, math.ceil(n * scale - 1e-9), scale) for axis, n in ((-2, height), (-1, width))]
    else:
        raise ValueError(f"resize takes either scale or size, got scale={scale} and size={size}: give exactly one.")
    if min(out for _, out, _ in passes) < 1:
        raise ValueError(f"an output of {[out for _, out, _ in passes]} pixels is empty: ask for at least 1 x 1.")
    return sorted(passes, key=lambda one: one[2])


def _resize_axis(
    x: Tensor,
    dtype: torch.dtype,
    axis: int,
    out: int,
    scale: float,
    kernel: Kernel,
    borders: Borders | Literal["cut"],
    antialias: bool,
) -> Tensor:
    n = x.shape[axis]
    factor = round(scale) if scale >= 1 else round(1 / scale)
    integer = math.isclose(scale, factor if scale >= 1 else 1 / factor, rel_tol=1e-12)
    if out == n and integer and factor == 1:
        return x.to(dtype)
    if borders == "cut" or kernel != "bicubic" or not integer or not (antialias or scale >= 1):
        return _sum_taps(x.to(dtype), axis, out, scale, kernel, borders, antialias)
    if scale >= 1:
        before, after, trim = BICUBIC_SUPPORT, BICUBIC_SUPPORT, BICUBIC_SUPPORT * factor
        length = (n + 2 * BICUBIC_SUPPORT) * factor
    else:
        before = BICUBIC_SUPPORT * factor  # a multiple of the factor, so that the phase stays
        after, trim = before + out * factor - n, BICUBIC_SUPPORT
        length = out + 2 * BICUBIC_SUPPORT
    x = _pad_axis(x, axis, before, after, borders).to(dtype)
    target = (length, x.shape[-1]) if axis == -2 else (x.shape[-2], length)
    return F.interpolate(x, size=target, mode="bicubic", antialias=True).narrow(axis, trim, out)


def _pad_axis(x: Tensor, axis: int, before: int, after: int, borders: Borders) -> Tensor:
    n = x.shape[axis]
    left = _inside(torch.arange(-before, 0), n, borders).to(x.device)
    right = _inside(torch.arange(n, n + after), n, borders).to(x.device)
    return torch.cat([x.index_select(axis, left), x, x.index_select(axis, right)], dim=axis)


def _inside(index: Tensor, n: int, borders: Borders) -> Tensor:
    """`inside` of a tensor on the CPU."""
    return torch.from_numpy(inside(index.numpy(), n, borders))


def _sum_taps(
    x: Tensor,
    axis: int,
    out: int,
    scale: float,
    kernel: Kernel,
    borders: Borders | Literal["cut"],
    antialias: bool,
) -> Tensor:
    """Any scale and kernel: each output pixel is a weighted sum of the input pixels under the kernel."""
    function, support = KERNELS[kernel]
    stretch = min(scale, 1.0) if antialias and kernel != "nearest" else 1.0
    width = 2 * support / stretch
    centre = (torch.arange(out, dtype=torch.float64) + 0.5) / scale - 0.5
    first = (centre - width / 2).floor()
    index = first[:, None] + torch.arange(math.ceil(width) + 2)
    weight = torch.from_numpy(function(((centre[:, None] - index) * stretch).numpy()))
    if borders == "cut":
        weight = weight * ((index >= 0) & (index < x.shape[axis]))
    weight = weight / weight.sum(dim=1, keepdim=True)
    source = _inside(index.long(), x.shape[axis], "replicate" if borders == "cut" else borders).to(x.device)
    weight = weight.to(x)
    shape = (-1, 1) if axis == -2 else (-1,)
    taps = [tap for tap in range(weight.shape[1]) if bool((weight[:, tap] != 0).any())]
    total = x.index_select(axis, source[:, taps[0]]) * weight[:, taps[0]].view(shape)
    for tap in taps[1:]:
        total = total + x.index_select(axis, source[:, tap]) * weight[:, tap].view(shape)
    return total
