"""An image out of noise: a network as the prior of one image (Ulyanov et al., CVPR 2018, arXiv 1711.10925)."""

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution
from srlab.networks.network import Network, published
from srlab.types import Prediction


class NoisePrior(Network):
    """Noise at the size of HR to an image: lr (B, C, H, W) -> sr (1, C, scale H, scale W) in [0, 1].

    Of LR only the size counts. The noise z is fixed, a function of the seed and the size; in training mode, fresh noise
    is added to it at each call. Where the backbone needs multiples, z is larger, and the image's middle is kept.

    Args:
        backbone: noise to features, at the size of HR.
        channels: C.
        scale: HR pixels per LR pixel.
        seed: of z.
        amplitude: z is uniform in [0, amplitude] (published: 0.1).
        jitter: standard deviation of what is added (published: 0.03 at x4, 0.05 at x8).
    """

    def __init__(
        self,
        backbone: nn.Module,
        channels: int,
        scale: int,
        seed: int = 0,
        amplitude: float = 0.1,
        jitter: float = 0.03,
    ) -> None:
        super().__init__(channels, scale, multiple_of=1, halo=None)
        facts = published(backbone)
        if amplitude <= 0 or jitter < 0:
            raise ValueError(f"amplitude={amplitude} must be above 0, and jitter={jitter} 0 or more.")
        self.backbone = backbone
        self.tail = Convolution(facts.out_channels, channels, 1)
        self.noise_channels, self.side_multiple = facts.in_channels, facts.multiple_of
        self.seed, self.amplitude, self.jitter = seed, amplitude, jitter
        self._noise: Tensor | None = None

    def predict(self, lr: Tensor) -> Prediction:
        height, width = (side * self.scale for side in lr.shape[-2:])
        z = self.noise(height, width, lr)
        if self.training and self.jitter:
            z = z + self.jitter * torch.randn_like(z)
        image = torch.sigmoid(self.tail(self.backbone(z)).float())
        top, left = (image.shape[2] - height) // 2, (image.shape[3] - width) // 2
        return Prediction(image[..., top : top + height, left : left + width], {})

    def noise(self, height: int, width: int, like: Tensor) -> Tensor:
        """What an HR image is made of: (1, noise_channels, H', W'), the next multiples; where and laid out as `like` is."""
        unit = self.side_multiple  # two of them, since batch norm and reflection need more than one pixel
        rows, columns = (max(2, -(-side // unit)) * unit for side in (height, width))
        if self._noise is None or self._noise.shape[2:] != (rows, columns) or self._noise.device != like.device:
            z = torch.rand((1, self.noise_channels, rows, columns), generator=torch.Generator().manual_seed(self.seed))
            memory = (
                torch.channels_last
                if like.is_contiguous(memory_format=torch.channels_last)
                else torch.contiguous_format
            )
            self._noise = (self.amplitude * z).to(like.device, memory_format=memory)
        return self._noise
