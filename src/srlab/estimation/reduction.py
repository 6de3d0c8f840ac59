"""A reduction whose kernel is estimated from the image at hand, before anything is trained on it."""

import logging

import torch
from torch import Tensor

from srlab.borders import Borders
from srlab.degradation.reduction import Reduction, stretched
from srlab.estimation.estimator import KernelEstimator
from srlab.estimation.measures import moments

log = logging.getLogger(__name__)


class EstimatedKernel(Reduction):
    """What `srlab-kernel` would find, found when the image is first seen; a resumed run finds the same again.

    Args:
        scale: HR pixels per LR pixel.
        method: how the kernel is estimated.
        seed: of what the method draws.
        borders: see `Reduction`.

    Raises:
        ValueError: the method has no estimate for the scale.
    """

    def __init__(self, scale: int, method: KernelEstimator, seed: int = 0, borders: Borders = "symmetric") -> None:
        super().__init__(scale, stretched("bicubic", scale), borders)
        method.check_scale(scale)
        self.method, self.seed = method, seed

    def see(self, lr: Tensor) -> None:
        kernel = self.method(lr[0].cpu(), self.scale, self.seed)
        self.kernel = torch.from_numpy(kernel).to(lr)
        (down, slant), (_, right) = moments(kernel).covariance.tolist()
        log.info("estimated kernel: variance %.2f to the right, %.2f down, covariance %+.2f", right, down, slant)
