"""What networks of clips tell losses of the motion that they found, and how frames are gathered around each."""

from typing import Literal, get_args

import torch
from torch import Tensor

from srlab.networks.video.flow import warp

History = Literal["warped", "unwarped", "none"]
"""What a network sees of other frames: brought to where things are now; as it was; or nothing, each frame by itself.

The last two are a network's twins, of the same parameters: what motion compensation and other frames are worth."""

ALIGNED, ALIGNED_TO, FLOW = "aligned", "aligned_to", "flow"
"""Names in `Prediction.intermediate`: frames (..., C, h, w) brought to others, these others, and the flow (..., 2, h, w)."""


def require_history(history: str) -> None:
    """Refuse another word (`ValueError`)."""
    if history not in get_args(History):
        raise ValueError(f"history={history!r}: choose one of {', '.join(get_args(History))}.")


def told(target: Tensor, source: Tensor, flow: Tensor) -> dict[str, Tensor]:
    """The entries of `Prediction.intermediate` by which losses of motion judge a flow.

    Args:
        target: (B, K, C, h, w).
        source: (B, K, C, h, w).
        flow: (B, K, 2, h, w), see `srlab.networks.video.flow`.
    """
    if not flow.shape[1]:
        return {}
    warped = warp(source.flatten(0, 1), flow.flatten(0, 1))
    return {ALIGNED: torch.unflatten(warped, 0, source.shape[:2]), ALIGNED_TO: target, FLOW: flow}


def windows(lr: Tensor, reach: int) -> Tensor:
    """Each frame with its neighbours: (B, T, C, h, w) -> (B, T, 2 reach + 1, C, h, w).

    The first and the last frame stand for those beyond.
    """
    frames = lr.shape[1]
    offsets = torch.arange(-reach, reach + 1, device=lr.device)
    places = (torch.arange(frames, device=lr.device)[:, None] + offsets).clamp(0, frames - 1)
    return lr[:, places]
