"""One layer applied many times, every recursion supervised (DRCN; Kim et al., CVPR 2016, arXiv 1511.04491, section 3).

The paper's last layer is the framework's tail, its skip the global residual, and its weighted average the framework's
ensemble.
"""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution, start_he


class DRCN(nn.Module):
    """Embedding, inference, reconstruction: (B, in_channels, H, W) -> (B, width, H, W), from the last recursion.

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 256).
        recursions: D, times that the inference layer is applied, with the same weights (paper: 16).
    """

    def __init__(self, in_channels: int, width: int = 256, recursions: int = 16) -> None:
        super().__init__()
        self.embedding = nn.Sequential(Convolution(in_channels, width), nn.ReLU(), Convolution(width, width), nn.ReLU())
        self.inference = Convolution(width, width)
        self.reconstruction = nn.Sequential(Convolution(width, width), nn.ReLU())
        self.in_channels = in_channels
        self.out_channels = width
        self.steps = recursions
        self.halo = 3 + recursions
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                start_he(layer)
        nn.init.dirac_(self.inference.weight)  # the identity, lest a signal explode or vanish over the recursions

    def forward(self, image: Tensor) -> Tensor:
        hidden = self.embedding(image)
        for _ in range(self.steps):
            hidden = torch.relu(self.inference(hidden))
        features: Tensor = self.reconstruction(hidden)
        return features

    def states(self, image: Tensor) -> list[Tensor]:
        """The features of every recursion, each (B, width, H, W)."""
        hidden, made = self.embedding(image), []
        for _ in range(self.steps):
            hidden = torch.relu(self.inference(hidden))
            made.append(self.reconstruction(hidden))
        return made
