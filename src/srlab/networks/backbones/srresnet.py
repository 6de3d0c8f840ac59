"""Residual blocks with batch normalisation (SRResNet; Ledig et al., CVPR 2017, arXiv 1609.04802, section 2.1)."""

from torch import nn

from srlab.networks.blocks import Convolution, LongSkip, ResidualBlock, activation_layer, norm_layer


class SRResNet(LongSkip):
    """A wide-kernelled head, residual blocks, a convolution, a long skip: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (paper: 64).
        blocks: residual blocks (paper: 16).
        head_kernel_size: of the first convolution (paper: 9).
        norm: after each convolution of the body: batch, or none.
        activation: in the head and the blocks (paper: one learned slope for all channels, prelu_one).
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        blocks: int = 16,
        head_kernel_size: int = 9,
        norm: str = "batch",
        activation: str = "prelu_one",
    ) -> None:
        head = nn.Sequential(Convolution(in_channels, width, head_kernel_size), activation_layer(activation, width))
        body = [ResidualBlock(width, norm=norm, activation=activation) for _ in range(blocks)]
        last = [Convolution(width, width), norm_layer(norm, width)]
        super().__init__(in_channels, width, head, [*body, *last], halo=head_kernel_size // 2 + 2 * blocks + 1)
