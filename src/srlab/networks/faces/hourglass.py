"""Hourglasses that find landmarks (Newell et al., ECCV 2016, arXiv 1603.06937, section 3), as FSRNet and DIC have them."""

from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import norm_layer


class Bottleneck(nn.Module):
    """x + convolutions of 1x1, 3x3 and 1x1 by way of half the channels: (B, inputs, H, W) -> (B, outputs, H, W).

    Args:
        inputs, outputs: channels; where they differ, x goes through a 1x1 convolution.
        norm: batch, instance or none. Without, there is no activation between the last two, as DIC has it.
    """

    def __init__(self, inputs: int, outputs: int, norm: str) -> None:
        super().__init__()
        half = outputs // 2
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, half, 1),
            norm_layer(norm, half),
            nn.ReLU(),
            nn.Conv2d(half, half, 3, padding=1),
            *([] if norm == "none" else [norm_layer(norm, half), nn.ReLU()]),
            nn.Conv2d(half, outputs, 1),
            norm_layer(norm, outputs),
        )
        self.skip: nn.Module = nn.Identity()
        if inputs != outputs:
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1), norm_layer(norm, outputs))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.skip(x) + self.branch(x)
        return result


class Hourglass(nn.Module):
    """Halves within each other, and back, with a skip at each size: (B, width, H, W) -> the same.

    Args:
        width: channels.
        depth: halvings; H and W are multiples of 2 ** depth.
        norm: see `Bottleneck`.
    """

    def __init__(self, width: int, depth: int, norm: str) -> None:
        super().__init__()
        self.skip, self.before, self.after = (Bottleneck(width, width, norm) for _ in range(3))
        self.within = Hourglass(width, depth - 1, norm) if depth > 1 else Bottleneck(width, width, norm)

    def forward(self, x: Tensor) -> Tensor:
        below = self.after(self.within(self.before(F.max_pool2d(x, 2))))
        joined: Tensor = self.skip(x) + F.interpolate(below, scale_factor=2.0, mode="bilinear", align_corners=True)
        return joined
