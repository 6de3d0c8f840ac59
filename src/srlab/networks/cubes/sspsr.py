"""SSPSR: a cube enlarged without a guide, in groups of neighbouring bands first (Jiang et al., IEEE TCI 6, 2020).

Groups that overlap go through one branch, shared by all, which enlarges them by half of the scale; where they overlap, they
are averaged, and a trunk of the same kind sees all bands and doubles.
"""

import torch
from torch import Tensor, nn

from srlab.networks.backbones.rcan import ChannelAttention
from srlab.networks.blocks import ResidualBlock
from srlab.networks.cubes.expansion import expand
from srlab.networks.network import Network
from srlab.networks.upsamplers import SubPixel
from srlab.types import Prediction


class SpatialSpectral(nn.Module):
    """A residual block of places, then one of bands, 1 x 1 with channel attention: (B, C, H, W) -> the same.

    Args:
        width: C.
        reduction: of the attention.
        residual_scale: of both blocks.
    """

    def __init__(self, width: int, reduction: int, residual_scale: float) -> None:
        super().__init__()
        self.spatial = ResidualBlock(width, 3, residual_scale)
        self.spectral = nn.Sequential(
            nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1), ChannelAttention(width, reduction)
        )
        self.residual_scale = residual_scale

    def forward(self, features: Tensor) -> Tensor:
        spatial: Tensor = self.spatial(features)
        attended: Tensor = self.spectral(spatial)
        return spatial + self.residual_scale * attended


class Branch(nn.Module):
    """Bands to enlarged features: (B, C, H, W) -> (B, width, scale H, scale W).

    Args:
        channels: C.
        scale: 1: nothing is enlarged.
        blocks: spatial-spectral ones.
        width, reduction, residual_scale: see `SpatialSpectral`.
    """

    def __init__(
        self, channels: int, scale: int, blocks: int, width: int, reduction: int, residual_scale: float
    ) -> None:
        super().__init__()
        self.head = nn.Conv2d(channels, width, 3, padding=1)
        self.blocks = nn.Sequential(*(SpatialSpectral(width, reduction, residual_scale) for _ in range(blocks)))
        self.upsampler = SubPixel(width, scale, width) if scale > 1 else nn.Identity()

    def forward(self, bands: Tensor) -> Tensor:
        shallow = self.head(bands)
        enlarged: Tensor = self.upsampler(shallow + self.blocks(shallow))
        return enlarged


class SSPSR(Network):
    """See the module. An odd scale is the trunk's alone.

    Args:
        channels, scale: as in Network.
        group: neighbouring bands of a group (paper: 8); at most `channels`.
        overlap: bands that a group shares with the next (paper: 2).
        width: channels of features (paper: 256).
        blocks: of branch and trunk each (paper: 3).
        reduction: of the channel attention (authors: 16).
        residual_scale: of the blocks (authors: 0.1).
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        group: int = 8,
        overlap: int = 2,
        width: int = 256,
        blocks: int = 3,
        reduction: int = 16,
        residual_scale: float = 0.1,
    ) -> None:
        super().__init__(channels, scale, multiple_of=1, halo=None)
        self.groups = grouped(channels, group, overlap)
        first, second = (scale // 2, 2) if scale % 2 == 0 else (1, scale)
        own = len(self.groups[0])
        self.branch = Branch(own, first, blocks, width, reduction, residual_scale)
        self.branch_tail = nn.Conv2d(width, own, 3, padding=1)
        self.trunk = Branch(channels, second, blocks, width, reduction, residual_scale)
        self.skip = nn.Conv2d(channels, width, 3, padding=1)
        self.tail = nn.Conv2d(width, channels, 3, padding=1)

    def predict(self, lr: Tensor) -> Prediction:
        features = self.trunk(self.enlarged_in_groups(lr)) + self.skip(expand(lr, self.scale))
        image: Tensor = self.tail(features)
        return Prediction(image, {})

    def enlarged_in_groups(self, lr: Tensor) -> Tensor:
        """All bands by the shared branch, the mean of the groups that a band is in: (B, C, H, W) -> (B, C, s H, s W)."""
        groups = torch.stack([lr[:, group.start : group.stop] for group in self.groups], 1)
        made = self.branch_tail(self.branch(groups.flatten(0, 1)))
        made = made.view(len(lr), len(self.groups), -1, *made.shape[2:])
        total = made.new_zeros(len(lr), self.channels, *made.shape[3:])
        count = made.new_zeros(self.channels, 1, 1)
        for number, group in enumerate(self.groups):
            total[:, group.start : group.stop] += made[:, number]
            count[group.start : group.stop] += 1
        mean: Tensor = total / count
        return mean


def grouped(bands: int, size: int, overlap: int) -> list[range]:
    """Ranges of `size` bands that overlap, the last one reaching back from the end: together they hold every band.

    Raises:
        ValueError: groups that do not go on.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap={overlap} must be 0 or more, and below group={size}.")
    size = min(size, bands)
    starts = [*range(0, bands - size, max(1, size - overlap)), bands - size]
    return [range(start, start + size) for start in starts]
