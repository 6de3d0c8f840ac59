"""Rounding to the codes of an image's depth: 0 ... levels; 255 for 8 bit, 65535 for 16 bit, 0 for float images."""

import torch
from torch import Tensor


def accurate_dtype(device: torch.device) -> torch.dtype:
    """float64, save on Apple's GPUs, which have none."""
    return torch.float32 if device.type == "mps" else torch.float64


def largest_codes(levels: int | Tensor, image: Tensor) -> Tensor:
    """The largest code of each image, or of all: (B,) or a number -> (B, 1, 1, 1) or (1, 1, 1, 1)."""
    top = torch.as_tensor(levels, device=image.device).to(accurate_dtype(image.device)).reshape(-1, 1, 1, 1)
    if top.shape[0] not in (1, image.shape[0]):
        raise ValueError(
            f"levels has {top.shape[0]} values for {image.shape[0]} images: give one per image, or one for all."
        )
    return top


def code_unit(top: Tensor) -> Tensor:
    """What turns [0, 1] into codes: the largest code, or 1 for a float image, which stays as it is."""
    return torch.where(top > 0, top, torch.ones_like(top))


def round_codes(codes: Tensor, top: Tensor) -> Tensor:
    """Round halves up, as MATLAB does, and clamp to 0 ... top; float images (top = 0) stay as they are."""
    return torch.where(top > 0, torch.minimum((codes + 0.5).floor().clamp(min=0), top), codes)


def quantize(image: Tensor, levels: int | Tensor) -> Tensor:
    """Clamp to [0, 1] and round to codes: (B, C, H, W) -> the same; only clamped where `levels` is 0.

    Args:
        image: floating, white at 1.
        levels: the largest code (255, 65535) or 0, for all or one per image (B,).
    """
    top = largest_codes(levels, image)
    unit = code_unit(top)
    return (round_codes(image.to(top.dtype) * unit, top) / unit).clamp(0, 1).to(image.dtype)
