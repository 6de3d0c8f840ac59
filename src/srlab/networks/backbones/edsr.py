"""Residual blocks without batch normalisation (EDSR; Lim et al., CVPRW 2017, arXiv 1707.02921, section 3)."""

from srlab.networks.blocks import Convolution, LongSkip, ResidualBlock


class EDSR(LongSkip):
    """A head, residual blocks and a convolution under a long skip: (B, in_channels, H, W) -> (B, width, H, W).

    Args:
        in_channels: channels of the image.
        width: channels of the features (baseline: 64; EDSR: 256).
        blocks: residual blocks (baseline: 16; EDSR: 32).
        residual_scale: damps each block (baseline: 1; EDSR: 0.1).
        norm: none (the paper's point), or batch.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 64,
        blocks: int = 16,
        residual_scale: float = 1.0,
        norm: str = "none",
    ) -> None:
        head = Convolution(in_channels, width)
        body = [ResidualBlock(width, residual_scale=residual_scale, norm=norm) for _ in range(blocks)]
        super().__init__(in_channels, width, head, [*body, Convolution(width, width)], halo=2 + 2 * blocks)
