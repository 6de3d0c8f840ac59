"""Patch extraction and non-linear mapping at the full size (SRCNN; Dong et al., TPAMI 2016, arXiv 1501.00092).

The paper's third layer, reconstruction, is the framework's tail.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, Padding
from srlab.networks.network import chained_halo


class SRCNN(nn.Module):
    """Convolutions, each with a ReLU: (B, in_channels, H, W) -> (B, widths[-1], H, W).

    Args:
        in_channels: channels of the image.
        kernel_sizes: of each convolution (9-1-5: 9, 1; 9-5-5: 9, 5); the last 5 is the tail's.
        widths: channels after each convolution (paper: 64, 32).
        padding_mode: what lies beyond the border.
        initial_std: of the Gaussian weights at the start (paper: 0.001).

    Raises:
        ValueError: the two lists differ in length.
    """

    def __init__(
        self,
        in_channels: int,
        kernel_sizes: Sequence[int] = (9, 5),
        widths: Sequence[int] = (64, 32),
        padding_mode: Padding = "replicate",
        initial_std: float | None = 0.001,
    ) -> None:
        super().__init__()
        if len(kernel_sizes) != len(widths):
            raise ValueError(
                f"kernel_sizes={list(kernel_sizes)} and widths={list(widths)} must name the same layers: give one each."
            )
        layers: list[nn.Module] = []
        channels = in_channels
        for size, width in zip(kernel_sizes, widths, strict=True):
            layers += [
                Convolution(channels, width, size, padding_mode=padding_mode, initial_std=initial_std),
                nn.ReLU(inplace=True),
            ]
            channels = width
        self.layers = nn.Sequential(*layers)
        self.in_channels = in_channels
        self.out_channels = channels
        self.halo = chained_halo(*(size // 2 for size in kernel_sizes))

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.layers(image)
        return features
