"""Arrays of pixels: depth, orientation, channels, and the way to tensors and back.

An image is an array (H, W, C) uint8, uint16, or float32 with white at 1; a tensor is (C, H, W) float32 in [0, 1].
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlab.errors import InputError
from srlab.types import Pixels


def standard_depth(array: NDArray[np.generic]) -> Pixels:
    """Bring an array to one of the three depths: bool -> uint8 0/255, float16 and float64 -> float32; refuse others."""
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "u" and array.dtype.itemsize == 1:
        return np.ascontiguousarray(array, dtype=np.uint8)
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        return np.ascontiguousarray(array, dtype=np.uint16)  # also from the other byte order
    if array.dtype.kind == "f":
        return np.ascontiguousarray(array, dtype=np.float32)
    raise InputError(f"its samples are {array.dtype}, expected uint8, uint16 or float: convert it (float: white is 1)")


def channels_last(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """(H, W) -> (H, W, 1); (H, W, C) stays; anything else is refused."""
    if array.ndim not in (2, 3):
        raise InputError(f"its shape is {array.shape}, expected (H, W) or (H, W, C): store one image a file")
    return array[..., None] if array.ndim == 2 else array


def orient(array: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Turn an (H, W, C) array upright, given its EXIF or TIFF orientation, 1 to 8 (TIFF 6.0, tag 274)."""
    if orientation >= 5:
        array = array.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    return array


def levels_of(pixels: Pixels) -> int:
    """The code of white: 255 for uint8, 65535 for uint16, 0 for float (nothing is rounded)."""
    return {"uint8": 255, "uint16": 65535}.get(pixels.dtype.name, 0)


def to_tensor(pixels: Pixels) -> Tensor:
    """(H, W, C) in its own depth -> (C, H, W) float32, contiguous; 1 is white. Float values are kept as they are."""
    image = np.array(pixels.transpose(2, 0, 1), dtype=np.float32, order="C")
    if levels := levels_of(pixels):
        image /= np.float32(levels)
    return torch.from_numpy(image)


def to_pixels(image: Tensor, levels: int) -> Pixels:
    """(C, H, W) float -> (H, W, C), clamped and rounded: levels 255 -> uint8, 65535 -> uint16; 0: float32 as it is.

    A code of nan is 0.
    """
    array = image.detach().cpu().movedim(0, -1)
    if levels == 0:
        return np.ascontiguousarray(array.float().numpy())
    if levels not in (255, 65535):
        raise ValueError(f"levels={levels}, expected 255 (8 bit), 65535 (16 bit) or 0 (float).")
    # float64, because 65535 x in float32 rounds half of the ties wrongly
    codes = (array.double().nan_to_num(0).clamp(0, 1) * levels).round().numpy()
    return codes.astype(np.uint8, order="C") if levels == 255 else codes.astype(np.uint16, order="C")


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Give an image (H, W, C) the channels that a network wants.

    C -> C as it is; grey -> 3 equal channels; RGB -> 1 is BT.601 studio-swing luma in float32, not rounded, the image
    on which the field trains networks of the Y channel. Anything else is an `InputError`: bands are not colours.
    """
    present = pixels.shape[-1]
    if not channels_fit(present, channels):
        raise InputError(f"it has {present} channels, expected {expected_channels(channels)}: set channels={present}")
    if present == channels:
        return pixels
    if present == 1:
        return pixels[..., [0] * channels]
    return _luma(pixels)


def channels_fit(present: int, wanted: int) -> bool:
    """Whether `with_channels` can make `wanted` channels out of `present`."""
    return present == wanted or (present, wanted) in ((1, 3), (3, 1))


def expected_channels(wanted: int) -> str:
    """The channel counts from which `wanted` can be made, in words for a message."""
    return {1: "1 or 3", 3: "3 or 1"}.get(wanted, str(wanted))


def _luma(pixels: Pixels) -> NDArray[np.float32]:
    """BT.601 studio-swing Y (H, W, 1) in [16/255, 235/255] of an RGB image; `srlab.color.rgb_to_y` for arrays."""
    weights = np.array([65.481, 128.553, 24.966]) / (255 * (levels_of(pixels) or 1))
    return (pixels @ weights + 16 / 255).astype(np.float32)[..., None]
