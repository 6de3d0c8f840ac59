"""When to stop fitting a prior (Wang et al., Early Stopping for Deep Image Prior, TMLR 2023, arXiv 2112.06074).

Quality first rises and then falls, unseen, as the noise in LR is fitted too. The variance of the iterations' images over
a window falls and rises much as the error does: the paper's ES-EMV keeps it as an exponential moving variance.
"""

import torch
from torch import Tensor, nn


class MovingVariance(nn.Module):
    """Stop when the moving variance of the images has not gone below its least for long.

    Args:
        patience: iterations without a new least (paper: 1000).
        decay: of the mean and the variance, each iteration's image counting 1 - decay (paper: 0.9).
        warmup: iterations before the least is looked for: an empty window has no variance.
    """

    mean: Tensor
    variance: Tensor
    least: Tensor
    least_at: Tensor
    stopped_at: Tensor

    def __init__(self, patience: int = 1000, decay: float = 0.9, warmup: int = 100) -> None:
        super().__init__()
        if patience < 1 or warmup < 1 or not 0 < decay < 1:
            raise ValueError(
                f"paradigm.patience={patience} and warmup={warmup} must be 1 or more, and decay={decay} within 0 to 1."
            )
        self.patience, self.decay, self.warmup = patience, decay, warmup
        self.register_buffer("variance", torch.tensor(0.0))
        self.register_buffer("least", torch.tensor(torch.inf))
        self.register_buffer("least_at", torch.tensor(0))
        self.register_buffer("stopped_at", torch.tensor(0))

    def prepare(self, image: Tensor) -> None:
        """Make room for the mean of images like this one."""
        self.register_buffer("mean", torch.zeros_like(image))

    @property
    def over(self) -> bool:
        """Whether the run is to end, or has ended."""
        return bool(self.stopped_at)

    def update(self, image: Tensor, iteration: int) -> bool:
        """Take in an iteration's image (equations 6 and 7 of the paper); whether the variance is now at its least."""
        if iteration == 1:
            self.mean.copy_(image)
        away = image - self.mean
        self.variance.copy_(self.decay * (self.variance + (1 - self.decay) * away.square().mean()))
        self.mean.add_(away, alpha=1 - self.decay)
        if iteration < self.warmup:
            return False
        if self.variance < self.least:
            self.least.copy_(self.variance)
            self.least_at.fill_(iteration)
            return True
        if iteration - int(self.least_at) >= self.patience:
            self.stopped_at.fill_(iteration)
        return False

    def __str__(self) -> str:
        return (
            f"the images' variance was least ({float(self.least):.3g}) at iteration {int(self.least_at)}, "
            f"{self.patience} iterations ago: stopping, with the image that was the result there"
        )
