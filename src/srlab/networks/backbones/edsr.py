"""Residual blocks without batch normalisation (EDSR; Lim et al., CVPRW 2017, arXiv 1707.02921, section 3)."""

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, ResidualBlock


class EDSR(nn.Module):
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
        super().__init__()
        self.head = Convolution(in_channels, width)
        self.body = nn.Sequential(
            *(ResidualBlock(width, residual_scale=residual_scale, norm=norm) for _ in range(blocks)),
            Convolution(width, width),
        )
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = 2 + 2 * blocks

    def forward(self, image: Tensor) -> Tensor:
        shallow = self.head(image)
        deep: Tensor = shallow + self.body(shallow)
        return deep
