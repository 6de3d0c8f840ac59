"""Images reduced by known kernels, and the kernels that an estimate is held against."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.data.dead_leaves import dead_leaves
from srlab.degradation.blur import blur, gaussian_kernel
from srlab.estimation.estimator import Floats
from srlab.interpolants import KERNELS

ANGLES = {"falling": math.pi / 4, "rising": 3 * math.pi / 4}
"""Of the long axis, from the right towards the bottom: it falls or rises as a reader sees it."""


def slanted(direction: str, scale: int = 2) -> Floats:
    """A Gaussian with standard deviations of 2.6 and 1.2 HR pixels: (21, 21)."""
    return gaussian_kernel(21, 2.6, 1.2, ANGLES[direction], scale).numpy()


def bicubic_kernel(scale: int = 2) -> Floats:
    """Keys' kernel, stretched by the scale, sampled where it acts: (13, 13)."""
    function, _ = KERNELS["bicubic"]
    taps = function((np.arange(13) - 6 - (scale - 1) / 2) / scale)
    return np.asarray(np.outer(taps, taps) / taps.sum() ** 2)


@pytest.fixture(scope="session")
def reduced() -> Callable[[Floats, int], Tensor]:
    """An 8-bit drawn image, reduced by a kernel: (kernel, HR pixels on a side) -> (3, side / 2, side / 2)."""

    def reduce(kernel: Floats, side: int = 256) -> Tensor:
        hr = torch.from_numpy(dead_leaves(0, 0, side)).movedim(-1, 0)[None].double() / 255
        lr = blur(hr, torch.from_numpy(kernel)[None], 2)[0].clamp(0, 1)
        return (lr * 255).round().float() / 255

    return reduce
