"""Recursive residual units (DRRN; Tai et al., CVPR 2017, section 3).

The paper's last layer is the framework's tail, its skip from input to output the framework's global residual.
"""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution, start_he


class DRRN(nn.Module):
    """Recursive blocks in a row, then a ReLU: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 128).
        blocks: B, recursive blocks (DRRN_B1U25: 1).
        units: U, residual units of a block, with the same weights (DRRN_B1U25: 25).
        rectified_identity: the skips carry the first features after a ReLU. The paper's do not; those of networks
            that were trained with in-place ReLUs do (a known port's weights): a file of weights says which it needs.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 128,
        blocks: int = 1,
        units: int = 25,
        rectified_identity: bool = False,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            RecursiveBlock(width if place else in_channels, width, units, rectified_identity, first=place == 0)
            for place in range(blocks)
        )
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = blocks * (1 + 2 * units)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                start_he(layer)

    def forward(self, image: Tensor) -> Tensor:
        features = image
        for block in self.blocks:
            features = block(features)
        return torch.relu(features)


class RecursiveBlock(nn.Module):
    """A convolution makes the identity; units with one set of weights add to it: (B, C, H, W) -> (B, width, H, W).

    H_u = convolution(relu(convolution(relu(H_{u-1})))) + H_0, for u = 1 to U (equation 4).
    """

    rectified: Tensor

    def __init__(self, in_channels: int, width: int, units: int, rectified_identity: bool, first: bool) -> None:
        super().__init__()
        self.entry = Convolution(in_channels, width, bias=False)
        self.unit = nn.Sequential(
            nn.ReLU(), Convolution(width, width, bias=False), nn.ReLU(), Convolution(width, width, bias=False)
        )
        self.units = units
        self.first = first
        self.register_buffer("rectified", torch.tensor(rectified_identity))

    def forward(self, features: Tensor) -> Tensor:
        identity = self.entry(features if self.first else torch.relu(features))
        identity = torch.where(self.rectified, torch.relu(identity), identity)
        hidden: Tensor = identity
        for _ in range(self.units):
            hidden = self.unit(hidden) + identity
        return hidden
