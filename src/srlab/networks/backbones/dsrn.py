"""Two recurrent states, of LR and of HR size, that exchange (DSRN; Han et al., CVPR 2018, arXiv 1805.02704, section 3.3).

As the authors released it: every transition has a delay of one step, the states add what comes in, and the prediction
is made from the average of all HR states.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import Convolution, start_he
from srlab.networks.projection import MakesUpsampler, reach_up


class DSRN(nn.Module):
    """An image (B, in_channels, H, W) -> the HR state of each step, each (B, width, scale H, scale W).

    Args:
        in_channels: channels of the image.
        scale: the factor, given by the framework.
        upsampler: makes the transition from LR to HR, given by the framework (paper: transposed, as wide as the factor).
        width: channels of both states (paper: 128).
        steps: T (paper: 7); the first only fills the LR state, so that there are T - 1 HR states.

    Raises:
        ValueError: fewer than two steps.
    """

    fusion = "mean"

    def __init__(
        self, in_channels: int, scale: int, upsampler: MakesUpsampler, width: int = 128, steps: int = 7
    ) -> None:
        super().__init__()
        if steps < 2:
            raise ValueError(
                f"steps={steps}: the first fills the LR state, the second makes an HR one; choose 2 or more."
            )
        self.stem = nn.Sequential(
            Convolution(in_channels, width // 2), nn.ReLU(), Convolution(width // 2, width), nn.ReLU()
        )
        self.low_to_low = Transition(width)
        self.low_to_high = upsampler(in_channels=width, scale=scale, out_channels=width)
        self.high_to_high = Transition(width) if steps > 2 else None
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                start_he(layer)
        self.scale = scale
        self.in_channels = in_channels
        self.out_channels = width
        self.steps = steps - 1

    def forward(self, image: Tensor) -> list[Tensor]:
        low = self.stem(image)
        high = torch.relu(self.low_to_high(low))
        made = [high]
        fed_back: Tensor | None = None
        for _ in range(self.steps - 1):
            low = self.low_to_low(low) if fed_back is None else self.low_to_low(low) + fed_back
            low = torch.relu(low)
            fed_back = F.avg_pool2d(high, self.scale)
            assert self.high_to_high is not None
            high = torch.relu(self.high_to_high(high) + self.low_to_high(low))
            made.append(high)
        return made

    def reach(self, beyond: int | None) -> int | None:
        """The halo of HR pixels that need `beyond` neighbours, in LR pixels: the longest of all ways through time."""
        if beyond is None or reach_up(self.low_to_high, beyond) is None:
            return None
        low, high = -1, beyond  # neighbours needed of the two states, going back in time; -1: the state is not read
        for _ in range(self.steps - 1):
            above = reach_up(self.low_to_high, high) or 0
            low, high = max(low + 2 if low >= 0 else -1, above), max(high + 2, self.scale * low if low >= 0 else 0)
        return 2 + max(low + 2 if low >= 0 else 0, reach_up(self.low_to_high, high) or 0)


class Transition(nn.Module):
    """x + convolution(relu(convolution(x))): (B, width, H, W) -> the same, from one step of a state to the next."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(Convolution(width, width), nn.ReLU(), Convolution(width, width))

    def forward(self, state: Tensor) -> Tensor:
        change: Tensor = self.branch(state)
        return state + change
