"""Bring faces to where a network expects them: similarity transforms of landmarks, and differentiable sampling.

Places are x and y in pixels, counted from the centre of the top left one.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.faces import layout


def five_points(landmarks: Tensor) -> Tensor:
    """The eyes' centres, the nose's tip and the mouth's corners, left before right: (B, 68, 2) -> (B, 5, 2)."""
    eyes = [landmarks[:, list(eye)].mean(1) for eye in (layout.LEFT_EYE, layout.RIGHT_EYE)]
    return torch.stack([*eyes, landmarks[:, layout.BRIDGE[-1]], landmarks[:, 48], landmarks[:, 54]], dim=1)


def similarity(source: Tensor, target: Tensor) -> Tensor:
    """The rotation, scale and shift that bring points nearest to others in least squares (Umeyama, PAMI 1991).

    Args:
        source: (B, N, 2).
        target: (B, N, 2) or (N, 2).

    Returns:
        (B, 2, 3): target = M[:, :2] source + M[:, 2]. No mirror: four numbers are solved for.
    """
    mean, target_mean = source.mean(-2, keepdim=True), target.mean(-2, keepdim=True)
    x, y = (source - mean).unbind(-1)
    u, v = (target - target_mean).expand_as(source).unbind(-1)
    power = (x * x + y * y).sum(-1).clamp(min=1e-12)
    a, b = (x * u + y * v).sum(-1) / power, (x * v - y * u).sum(-1) / power
    turn = torch.stack((torch.stack((a, -b), -1), torch.stack((b, a), -1)), -2)
    shift = target_mean.mT - turn @ mean.mT
    return torch.cat((turn, shift), dim=-1)


def warp(images: Tensor, transform: Tensor, height: int, width: int) -> Tensor:
    """Where `transform` brings images, in a frame: (B, C, H, W) -> (B, C, height, width), linear, black outside.

    A gradient flows to the images.

    Args:
        images: any.
        transform: (B, 2, 3), places in the image -> places in the frame.
        height: of the frame.
        width: of the frame.
    """
    transform = transform.to(images)
    turn, shift = transform[:, :, :2], transform[:, :, 2:]
    back = torch.linalg.inv(turn)
    rows, columns = (torch.arange(n, dtype=images.dtype, device=images.device) for n in (height, width))
    frame = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=0).flatten(1)
    x, y = (back @ (frame - shift)).unbind(1)
    size = images.shape[-2:]
    grid = torch.stack(((2 * x + 1) / size[1] - 1, (2 * y + 1) / size[0] - 1), dim=-1)
    return F.grid_sample(images, grid.reshape(-1, height, width, 2), align_corners=False, padding_mode="zeros")
