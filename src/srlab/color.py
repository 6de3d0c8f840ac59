"""Luma and chroma as MATLAB's rgb2ycbcr has them (ITU-R BT.601, studio swing), the convention of the field's PSNR-Y.

All images are float in [0, 1]: white's luma is 235/255, black's is 16/255, and grey's chroma is 128/255.
"""

import torch
from torch import Tensor

# Rows are Y, Cb, Cr over R, G, B in [0, 1]; the results are 8-bit codes, divided by 255 below.
_FROM_RGB = torch.tensor(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], dtype=torch.float64
)
_OFFSET = torch.tensor([16.0, 128.0, 128.0], dtype=torch.float64)
_TO_RGB = torch.linalg.inv(_FROM_RGB)


def rgb_to_y(image: Tensor) -> Tensor:
    """Luma of an RGB image: (..., 3, H, W) in [0, 1] -> (..., 1, H, W) in [16/255, 235/255], not rounded."""
    _check(image)
    red, green, blue = image.unbind(-3)
    luma = 16 + 65.481 * red + 128.553 * green + 24.966 * blue
    return (luma / 255).unsqueeze(-3)


def rgb_to_ycbcr(image: Tensor) -> Tensor:
    """Y, Cb, Cr of an RGB image: (..., 3, H, W) in [0, 1] -> (..., 3, H, W) in [16/255, 240/255], not rounded."""
    _check(image)
    offset = _OFFSET.to(image).view(3, 1, 1)
    return (torch.einsum("yc,...chw->...yhw", _FROM_RGB.to(image), image) + offset) / 255


def ycbcr_to_rgb(image: Tensor) -> Tensor:
    """The inverse of `rgb_to_ycbcr`: (..., 3, H, W) -> (..., 3, H, W), not clamped (many Y, Cb, Cr are no colour)."""
    _check(image)
    offset = _OFFSET.to(image).view(3, 1, 1)
    return torch.einsum("cy,...yhw->...chw", _TO_RGB.to(image), image * 255 - offset)


def _check(image: Tensor) -> None:
    if image.ndim < 3 or image.shape[-3] != 3:
        raise ValueError(
            f"Expected an image (..., 3, H, W), got {tuple(image.shape)}: convert its channels before its colours."
        )
