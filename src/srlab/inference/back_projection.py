"""Back-projection: make a result agree with the LR image (Irani and Peleg, CVGIP 1991; Glasner et al., ICCV 2009)."""

from torch import Tensor

from srlab.degradation.reduction import Reduction
from srlab.degradation.resize import resize


def back_project(sr: Tensor, lr: Tensor, reduction: Reduction, iterations: int) -> Tensor:
    """Add what LR lacks of it, enlarged by bicubic, again and again: (B, C, H, W) -> the same, in [0, 1].

    Args:
        sr: a result for `lr`.
        lr: (B, C, h, w).
        reduction: how LR came from HR; at any factors that it can do.
        iterations: how often; none leaves `sr` as it is.
    """
    (height, width), size = lr.shape[-2:], (sr.shape[-2], sr.shape[-1])
    for _ in range(iterations):
        lacking = lr - reduction.to_size(sr, (height, width))
        sr = (sr + resize(lacking, size=size)).clamp(0, 1)
    return sr
