"""Rounding to the codes of an image's depth: 0 ... levels; 255 for 8 bit, 65535 for 16 bit, 0 for float images."""

from collections.abc import Callable

import torch
from torch import Tensor


def accurate_dtype(device: torch.device) -> torch.dtype:
    """float64, save on Apple's GPUs, which have none."""
    return torch.float32 if device.type == "mps" else torch.float64


def round_codes_(codes: Tensor, levels: int) -> Tensor:
    """Round halves up, as MATLAB does, and clamp to 0 ... levels, in place."""
    return codes.add_(0.5).floor_().clamp_(0, levels)


def quantize(image: Tensor, levels: int | Tensor) -> Tensor:
    """Clamp to [0, 1] and round to codes: (B, C, H, W) -> the same; only clamped where `levels` is 0.

    Args:
        image: floating, white at 1.
        levels: the largest code (255, 65535) or 0, for all or one per image (B,).
    """

    def quantize_all(images: Tensor, depth: int) -> Tensor:
        if depth == 0:
            return images.clamp(0, 1)
        codes = round_codes_(images.to(accurate_dtype(images.device)) * depth, depth)
        return (codes / depth).to(images.dtype)

    return by_depth(quantize_all, image, levels)


def by_depth(function: Callable[[Tensor, int], Tensor], image: Tensor, levels: int | Tensor) -> Tensor:
    """Call a function on the images of each depth together: (B, ...) -> (B, ...), in the batch's order.

    Args:
        function: images, and the largest code of them all, to images of one size.
        image: the batch.
        levels: the largest code, for all or one per image (B,).
    """
    if isinstance(levels, int):
        return function(image, levels)
    depths = levels.flatten().tolist()
    if len(depths) not in (1, len(image)):
        raise ValueError(
            f"levels has {len(depths)} values for {len(image)} images: give one per image, or one for all."
        )
    if len(set(depths)) == 1:
        return function(image, depths[0])
    parts = {depth: [i for i, own in enumerate(depths) if own == depth] for depth in set(depths)}
    done = {depth: function(image[indices], depth) for depth, indices in parts.items()}
    return torch.stack([done[depth][parts[depth].index(i)] for i, depth in enumerate(depths)])
