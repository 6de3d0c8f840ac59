"""Information multi-distillation (IMDN; Hui et al., ACM MM 2019, arXiv 1909.11856, section 3)."""

import torch
from torch import Tensor, nn

from srlab.networks.backbones.rcan import gate
from srlab.networks.blocks import Convolution


class IMDN(nn.Module):
    """A head, distilling blocks, the fusion of all, a long skip: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64), a multiple of 16.
        blocks: multi-distillation blocks (paper: 6).
    """

    def __init__(self, in_channels: int, width: int = 64, blocks: int = 6) -> None:
        super().__init__()
        self.head = Convolution(in_channels, width)
        self.blocks = nn.ModuleList(DistillationBlock(width) for _ in range(blocks))
        self.fusion = nn.Sequential(
            Convolution(blocks * width, width, 1), nn.LeakyReLU(0.05, inplace=True), Convolution(width, width)
        )
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = None  # the attention takes its contrast from the whole image

    def forward(self, image: Tensor) -> Tensor:
        shallow = self.head(image)
        features, made = shallow, []
        for block in self.blocks:
            features = block(features)
            made.append(features)
        fused: Tensor = shallow + self.fusion(torch.cat(made, dim=1))
        return fused


class DistillationBlock(nn.Module):
    """Four steps, each of which keeps a quarter and refines the rest: (B, width, H, W) -> the same (section 3.2).

    Raises:
        ValueError: `width` is not a multiple of 16.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        if width % 16:
            raise ValueError(f"width={width} is not a multiple of 16: a quarter is kept, attention squeezes by 16.")
        self.kept = width // 4
        rest = width - self.kept
        self.steps = nn.ModuleList(
            Convolution(width if step == 0 else rest, self.kept if step == 3 else width) for step in range(4)
        )
        self.activation = nn.LeakyReLU(0.05)
        self.attention = ContrastAttention(width)
        self.fusion = Convolution(width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        kept, rest = [], features
        for step in self.steps[:3]:
            distilled, rest = self.activation(step(rest)).tensor_split([self.kept], dim=1)
            kept.append(distilled)
        kept.append(self.steps[3](rest))
        residual: Tensor = self.fusion(self.attention(torch.cat(kept, dim=1)))
        return features + residual


class ContrastAttention(nn.Module):
    """Rescale channels by a gate on their mean plus standard deviation: (B, C, H, W) -> the same (section 3.3)."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.gate = gate(channels, reduction)

    def forward(self, features: Tensor) -> Tensor:
        mean = features.mean(dim=(2, 3), keepdim=True)
        # The tiny number keeps the root's gradient finite where a channel is constant; the value is not changed.
        deviation = ((features - mean).square().mean(dim=(2, 3), keepdim=True) + 1e-12).sqrt()
        weights: Tensor = self.gate(mean + deviation)
        return features * weights
