"""Deformable convolution: each tap reads from where its offset says (Dai et al., ICCV 2017, arXiv 1703.06211)."""

import importlib.util

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.blocks import Convolution, start_gaussian
from srlab.networks.guided.ranged import full_precision

HAS_OPERATOR = importlib.util.find_spec("torchvision") is not None


def deform(features: Tensor, offsets: Tensor, weight: Tensor) -> Tensor:
    """(B, C, H, W), (B, 2 G K K, H, W), (C', C, K, K) -> (B, C', H, W): as large, zeros beyond the borders, in float32.

    On a GPU by torchvision's operator where that is installed, else by `deform_plainly`: on a CPU, forward and backward of
    10 x 32 x 24 x 24 take 0.03 s by the latter and 0.26 s by the operator.

    Args:
        features: of C channels, which fall into G groups of offsets.
        offsets: in pixels, for each group and each tap down, then to the right.
        weight: K odd.
    """
    with full_precision(features):
        if HAS_OPERATOR and features.is_cuda:
            from torchvision.ops import deform_conv2d

            result: Tensor = deform_conv2d(
                features.float(), offsets.float(), weight.float(), padding=weight.shape[-1] // 2
            )
            return result
        return deform_plainly(features.float(), offsets.float(), weight.float())


def deform_plainly(features: Tensor, offsets: Tensor, weight: Tensor) -> Tensor:
    """The same in torch's own operations: what each tap reads, sampled and then multiplied."""
    batch, channels, height, width = features.shape
    size = weight.shape[-1]
    groups = offsets.shape[1] // (2 * size**2)
    moved = offsets.reshape(batch * groups, size**2, 2, height, width)
    steps = torch.arange(size, device=offsets.device, dtype=offsets.dtype) - size // 2
    rows = torch.arange(height, device=offsets.device, dtype=offsets.dtype).view(-1, 1)
    columns = torch.arange(width, device=offsets.device, dtype=offsets.dtype)
    down = moved[:, :, 0] + steps.repeat_interleave(size).view(-1, 1, 1) + rows
    right = moved[:, :, 1] + steps.repeat(size).view(-1, 1, 1) + columns
    places = torch.stack([2 * right / max(width - 1, 1) - 1, 2 * down / max(height - 1, 1) - 1], -1)
    read = F.grid_sample(
        features.reshape(batch * groups, channels // groups, height, width),
        places.flatten(1, 2),
        mode="bilinear",
        padding_mode="zeros",
        align_corners=True,
    )
    read = read.view(batch, channels, size**2, height, width)
    return torch.einsum("bckhw,ock->bohw", read, weight.flatten(2))


class Deformable(nn.Module):
    """A deformable convolution, and the convolution that tells its offsets: (B, width, H, W) -> (B, width, H, W).

    Args:
        width: channels.
        groups: of channels that move together.
        kernel_size: odd.

    Raises:
        ValueError: the width is no multiple of the groups.
    """

    def __init__(self, width: int, groups: int = 8, kernel_size: int = 3) -> None:
        super().__init__()
        if width % groups:
            raise ValueError(f"width={width} is not a multiple of groups={groups}: choose a divisor of {width}.")
        self.weight = nn.Parameter(torch.empty(width, width, kernel_size, kernel_size))
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")
        self.offset = Convolution(width, 2 * groups * kernel_size**2, kernel_size)
        start_gaussian(self.offset, 1e-3)  # it begins next to an ordinary convolution, and every layer has a gradient

    def forward(self, features: Tensor, guide: Tensor | None = None) -> Tensor:
        """Move and convolve features, as `guide` (as large) tells, or they themselves."""
        return deform(features, self.offset(features if guide is None else guide), self.weight)
