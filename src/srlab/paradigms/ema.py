"""An exponential moving average of a network, buffers included."""

import copy
from itertools import chain
from typing import Generic, TypeVar

import torch
from torch import nn

from srlab.sharding import local_part

N = TypeVar("N", bound=nn.Module)


class MovingAverage(nn.Module, Generic[N]):
    """A copy of a network whose weights follow it slowly.

    Floating-point buffers (a batch norm's statistics) are averaged as the weights are; counters are copied. The decay
    grows with the iteration, min(decay, (1 + i) / (10 + i)), so that the first weights are soon forgotten: a function of
    the iteration alone, which a resumed run needs no state for.

    Args:
        network: the network to follow.
        decay: 0.999 remembers about 1,000 iterations.
    """

    def __init__(self, network: N, decay: float) -> None:
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(
                f"ema_decay={decay}: give a number from 0 to below 1, such as 0.999, or null for no average."
            )
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, network: N, iteration: int) -> None:
        """Move towards the network's weights as they are after `iteration`."""
        decay = min(self.decay, (1 + iteration) / (10 + iteration))
        averaged = [local_part(mine) for mine in chain(self.network.parameters(), self.network.buffers())]
        followed = [local_part(theirs) for theirs in chain(network.parameters(), network.buffers())]
        smooth = [pair for pair in zip(averaged, followed, strict=True) if pair[0].is_floating_point()]
        torch._foreach_lerp_([mine for mine, _ in smooth], [theirs for _, theirs in smooth], 1 - decay)
        for mine, theirs in zip(averaged, followed, strict=True):
            if not mine.is_floating_point():
                mine.copy_(theirs)

    def train(self, mode: bool = True) -> "MovingAverage[N]":
        """Stay in evaluation mode: an average is never trained."""
        return super().train(False)
