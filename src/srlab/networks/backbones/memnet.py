"""Memory blocks: recursions, and a gate over all that was remembered (MemNet; Tai et al., ICCV 2017, arXiv 1708.02209).

The paper's reconstruction layer is the framework's tail, its skip the global residual, and the weighted average of its
multi-supervised version the framework's ensemble.
"""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution, norm_layer, start_he


class MemNet(nn.Module):
    """Features, then memory blocks in a row: (B, in_channels, H, W) -> (B, width, H, W), from the last memory.

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        memories: M, memory blocks (paper: 6).
        recursions: R, residual blocks of a memory block (paper: 6).
        shared: the recursions of a memory block have the same convolutions (the paper's text and count; each has its
            own normalisation, since each sees other statistics). False: each its own (the authors' released file).
        norm: before each ReLU: batch, or none.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        memories: int = 6,
        recursions: int = 6,
        shared: bool = True,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        self.extract = nn.Sequential(norm_layer(norm, in_channels), nn.ReLU(), Convolution(in_channels, width))
        self.memories = nn.ModuleList(
            MemoryBlock(width, recursions, place + 1, shared, norm) for place in range(memories)
        )
        self.last = nn.Sequential(norm_layer(norm, width), nn.ReLU())
        self.in_channels = in_channels
        self.out_channels = width
        self.steps = memories
        self.halo = 1 + 2 * memories * recursions
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                start_he(layer)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.last(self.remembered(image)[-1])
        return features

    def states(self, image: Tensor) -> list[Tensor]:
        """The features of every memory block, each (B, width, H, W)."""
        return [self.last(memory) for memory in self.remembered(image)]

    def remembered(self, image: Tensor) -> list[Tensor]:
        long_term = [self.extract(image)]
        for memory in self.memories:
            long_term.append(memory(long_term))
        return long_term[1:]


class MemoryBlock(nn.Module):
    """A recursive unit makes short-term memories; a gate fuses them with the long-term ones (section 3.1).

    Args:
        width: channels of each memory.
        recursions: short-term memories.
        long_terms: memories of the blocks before, and the first features.
        shared, norm: as in MemNet.
    """

    def __init__(self, width: int, recursions: int, long_terms: int, shared: bool, norm: str) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.ModuleList(Convolution(width, width) for _ in range(2)) for _ in range(1 if shared else recursions)
        )
        self.norms = nn.ModuleList(nn.ModuleList(norm_layer(norm, width) for _ in range(2)) for _ in range(recursions))
        seen = (recursions + long_terms) * width
        self.gate = nn.Sequential(norm_layer(norm, seen), nn.ReLU(), Convolution(seen, width, 1))

    def forward(self, long_term: list[Tensor]) -> Tensor:
        hidden, short_term = long_term[-1], []
        for place, norms in enumerate(self.norms):
            convolutions = self.convolutions[place if len(self.convolutions) > 1 else 0]
            assert isinstance(norms, nn.ModuleList)
            assert isinstance(convolutions, nn.ModuleList)
            branch = hidden
            for norm, convolution in zip(norms, convolutions, strict=True):
                branch = convolution(torch.relu(norm(branch)))
            hidden = hidden + branch
            short_term.append(hidden)
        gated: Tensor = self.gate(torch.cat([*short_term, *long_term], dim=1))
        return gated
