"""Discriminators of degradations: whether an LR image is real, by all of it or by its texture alone."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from srlab.networks.blocks import norm_layer
from srlab.networks.discriminators import Discriminator
from srlab.networks.frequencies import high_pass


class TexturePatches(Discriminator):
    """Convolutions of stride 1 and a logit for each pixel: (B, C, H, W) -> (B, 1, H, W).

    DSGAN's (Fritsche, Gu and Timofte, ICCV workshops 2019) has widths 64, 128, 256, 5x5 kernels and batch norm:
    1,030,273 parameters.

    Args:
        in_channels: C.
        widths: channels of the convolutions.
        kernel_size: of them, odd.
        norm: batch, instance or none, after all but the first; or spectral, of each one's weights.
        high_pass: it sees what a mean of so many pixels leaves over (DSGAN: 5), odd; 1: the image itself.
        contrast: what that is multiplied by. Noise of a few levels of 255 is a hundredth of what convolutions are
            initialised for, and without a norm a discriminator is slow to see it.
    """

    def __init__(
        self,
        in_channels: int,
        widths: Sequence[int] = (64, 128, 256),
        kernel_size: int = 5,
        norm: str = "batch",
        high_pass: int = 1,
        contrast: float = 1.0,
    ) -> None:
        super().__init__(in_channels, smallest=1)
        if high_pass < 1 or not high_pass % 2 or contrast <= 0:
            raise ValueError(f"high_pass={high_pass}, contrast={contrast}: give an odd number of pixels, and above 0.")
        self.high_pass, self.contrast = high_pass, contrast
        layers: list[nn.Module] = []
        before = in_channels
        for width in widths:
            convolution = nn.Conv2d(before, width, kernel_size, padding=kernel_size // 2)
            if norm == "spectral":
                layers.append(spectral_norm(convolution))
            else:
                layers += [convolution, norm_layer(norm if layers else "none", width)]
            layers.append(nn.LeakyReLU(0.2))
            before = width
        last = nn.Conv2d(before, 1, 1)
        self.layers = nn.Sequential(*layers, spectral_norm(last) if norm == "spectral" else last)

    def judge(self, image: Tensor) -> Tensor:
        logits: Tensor = self.layers(self.contrast * self.seen(image))
        return logits

    def seen(self, image: Tensor) -> Tensor:
        """What of an image the convolutions are given, before the contrast."""
        return high_pass(image, self.high_pass) if self.high_pass > 1 else image


class SpectralResNet(Discriminator):
    """Residual blocks with spectral norm, average pooling and a dense layer: (B, C, H, W) -> (B, 1).

    Bulat, Yang and Tzimiropoulos (ECCV 2018, section 3.1) after SN-GAN: five pre-activated blocks of 128 channels, the
    first `halvings` of which halve the image; 2 for 16 x 16 (1,361,184 parameters, the vectors of the spectral norms
    left out), 4 for 64 x 64 (1,394,720).

    Args:
        in_channels: C.
        width: channels.
        blocks: in all.
        halvings: blocks that halve the image.
    """

    def __init__(self, in_channels: int, width: int = 128, blocks: int = 5, halvings: int = 2) -> None:
        if not 1 <= halvings <= blocks:
            raise ValueError(f"halvings={halvings}: give 1 to blocks={blocks}.")
        super().__init__(in_channels, smallest=2**halvings, multiple_of=2**halvings)
        self.blocks = nn.Sequential(
            *(PoolingBlock(width if i else in_channels, width, i < halvings, first=not i) for i in range(blocks))
        )
        self.head = spectral_norm(nn.Linear(width, 1))

    def judge(self, image: Tensor) -> Tensor:
        logits: Tensor = self.head(F.relu(self.blocks(image)).mean((2, 3)))
        return logits


class PoolingBlock(nn.Module):
    """(B, in, H, W) -> (B, out, H, W), or half of that; the first block of a net does not rectify the image."""

    def __init__(self, in_channels: int, width: int, halve: bool, first: bool) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(in_channels, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)]
        for convolution in convolutions:
            nn.init.xavier_uniform_(convolution.weight)
        self.layers = nn.Sequential(
            nn.Identity() if first else nn.ReLU(),
            spectral_norm(convolutions[0]),
            nn.ReLU(),
            spectral_norm(convolutions[1]),
        )
        self.bypass: nn.Module = nn.Identity()
        if halve:
            bypass = nn.Conv2d(in_channels, width, 1)
            nn.init.xavier_uniform_(bypass.weight, gain=2**0.5)
            self.bypass = spectral_norm(bypass)
        self.halve = halve

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.layers(features) + self.bypass(features)
        return F.avg_pool2d(out, 2) if self.halve else out
