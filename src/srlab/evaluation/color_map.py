"""Depth as colours: from near to far through colours of rising brightness, so that a grey print still reads."""

import torch
from torch import Tensor

_COLOURS = (
    (0.05, 0.03, 0.20),
    (0.25, 0.08, 0.45),
    (0.50, 0.12, 0.47),
    (0.75, 0.24, 0.36),
    (0.93, 0.45, 0.20),
    (0.98, 0.72, 0.22),
    (0.98, 0.98, 0.72),
)


def colour_map(depth: Tensor, low: float | None = None, high: float | None = None) -> Tensor:
    """One map in colours: (1, H, W) -> (3, H, W) in [0, 1].

    Args:
        depth: any range.
        low: the depth of the first colour; None: the map's least.
        high: the depth of the last colour; None: the map's largest.
    """
    low = float(depth.min()) if low is None else low
    high = float(depth.max()) if high is None else high
    place = ((depth[0].double() - low) / max(high - low, 1e-12)).clamp(0, 1) * (len(_COLOURS) - 1)
    before = place.floor().long().clamp(max=len(_COLOURS) - 2)
    colours = torch.tensor(_COLOURS, dtype=torch.float64, device=depth.device)
    share = (place - before)[..., None]
    return (colours[before] * (1 - share) + colours[before + 1] * share).movedim(-1, 0).float()
