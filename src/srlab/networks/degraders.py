"""Learned degradations: an HR image and noise -> the LR image that a camera of a certain kind would have made.

What is learned from two sets without pairs (`paradigms/degradation_gan.py`) to make pairs for SR.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from kornia.enhance.jpeg import jpeg_codec_differentiable
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradation.downscale import downscale


class Degrader(nn.Module, ABC):
    """Base: (hr (B, C, scale H, scale W) in [0, 1], noise) -> lr (B, C, H, W), of which the noise decides all chance.

    Args:
        channels: C.
        scale: HR pixels per LR pixel.
        multiple_of: HR's height and width must be multiples of it.
    """

    def __init__(self, channels: int, scale: int, multiple_of: int) -> None:
        super().__init__()
        self.channels, self.scale, self.multiple_of = channels, scale, multiple_of

    @abstractmethod
    def forward(self, hr: Tensor, noise: Tensor) -> Tensor: ...

    @abstractmethod
    def noise_shape(self, height: int, width: int) -> tuple[int, ...]:
        """The shape of an image's noise, given the HR size."""

    def draw(self, hr: Tensor, generators: Sequence[torch.Generator] | None = None) -> Tensor:
        """Standard normal noise for a batch: from a generator on the CPU for each image, or the global random state."""
        shape = self.noise_shape(*hr.shape[-2:])
        if generators is None:
            return torch.randn(len(hr), *shape, device=hr.device, dtype=hr.dtype)
        return torch.stack([torch.randn(shape, generator=generator) for generator in generators]).to(hr)


class HighToLow(Degrader):
    """An encoder-decoder of residual blocks (Bulat, Yang and Tzimiropoulos, ECCV 2018, section 3.1).

    Two residual blocks before each of four halvings and each doubling; at x4, six groups of two. The paper's noise
    vector becomes, by a dense layer, one more channel of a 64 x 64 HR image; larger images get a vector for each
    64 x 64 of their pixels. 1,336,515 parameters at x4 without the noise's, as the authors' `Gen_h2l_0424` has.

    Args:
        channels: C.
        scale: 2, 4, 8 or 16.
        width: features.
        noise: `vector`, the paper's; `pixel`, a normal value for each HR pixel, added with a learned weight for each
            channel that starts at 0, as the authors' code has it; or `none`.
        vector: length of the noise vector.
        tile: HR pixels on a side that share a vector.
    """

    def __init__(
        self, channels: int, scale: int, width: int = 64, noise: str = "vector", vector: int = 64, tile: int = 64
    ) -> None:
        if scale not in (2, 4, 8, 16):
            raise ValueError(f"scale={scale}: this generator halves and doubles: take scale 2, 4, 8 or 16.")
        if noise not in ("vector", "pixel", "none"):
            raise ValueError(f"degrader.noise={noise}: choose vector, pixel or none.")
        super().__init__(channels, scale, multiple_of=16)
        self.noise, self.vector, self.tile = noise, vector, tile
        self.spread = nn.Linear(vector, tile * tile) if noise == "vector" else None
        self.weight = nn.Parameter(torch.zeros(channels)) if noise == "pixel" else None
        self.head = nn.Conv2d(channels + (noise == "vector"), width, 3, padding=1)
        down = [
            [*_residuals(width), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, stride=2, padding=1)]
            for _ in range(4)
        ]
        up = [
            [*_residuals(width), nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.ReLU()]
            for _ in range(4 - int(math.log2(scale)))
        ]
        self.body = nn.Sequential(*(layer for group in [*down, *up] for layer in group))
        self.tail = nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, hr: Tensor, noise: Tensor) -> Tensor:
        image = 2 * hr - 1
        if self.spread is not None:
            image = torch.cat([image, self._spread_out(noise, hr)], 1)
        if self.weight is not None:
            image = image + self.weight[:, None, None] * noise
        lr: Tensor = self.tail(self.body(F.relu(self.head(image))))
        return (torch.tanh(lr) + 1) / 2

    def noise_shape(self, height: int, width: int) -> tuple[int, ...]:
        shapes = {
            "vector": (-(-height // self.tile), -(-width // self.tile), self.vector),
            "pixel": (1, height, width),
            "none": (0,),
        }
        return shapes[self.noise]

    def _spread_out(self, noise: Tensor, hr: Tensor) -> Tensor:
        """Vectors (B, rows, columns, V) -> a channel (B, 1, H, W), tile by tile."""
        assert self.spread is not None
        batch, rows, columns = noise.shape[:3]
        tiles: Tensor = self.spread(noise).view(batch, rows, columns, self.tile, self.tile)
        plane = tiles.permute(0, 1, 3, 2, 4).reshape(batch, 1, rows * self.tile, columns * self.tile)
        return plane[..., : hr.shape[2], : hr.shape[3]]


class BasicBlock(nn.Module):
    """Two convolutions, each with batch norm, around an identity: (B, F, H, W) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.layers(features)
        return changed


class AfterBicubic(Degrader):
    """Bicubic reduction, then residual blocks at the LR size (DSGAN; Fritsche, Gu and Timofte, ICCV workshops 2019).

    As published (8 blocks of 64, no noise, a sigmoid instead of the residual) it has 594,380 parameters.

    Args:
        channels: C.
        scale: HR pixels per LR pixel.
        width: features.
        blocks: residual blocks.
        noise_channels: maps of normal noise beside the image, from which noise can be made; 0: none.
        residual: learn what to add to the bicubic LR, beginning with nothing; else the image itself.
        white: add as many maps again, one a channel, each as strong at each pixel as the network says: a sensor's noise,
            independent from pixel to pixel, which the network then need not make. It begins with none.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        width: int = 64,
        blocks: int = 8,
        noise_channels: int = 0,
        residual: bool = False,
        white: bool = False,
    ) -> None:
        if min(width, blocks) < 1 or noise_channels < 0:
            raise ValueError(f"width={width}, blocks={blocks}, noise_channels={noise_channels}: give positive numbers.")
        super().__init__(channels, scale, multiple_of=scale)
        self.noise_channels, self.residual, self.white = noise_channels, residual, white
        self.head = nn.Sequential(nn.Conv2d(channels + noise_channels, width, 3, padding=1), nn.PReLU())
        self.body = nn.Sequential(*(PReLUBlock(width) for _ in range(blocks)))
        self.tail = nn.Conv2d(width, channels, 3, padding=1)
        self.strength = nn.Conv2d(width, channels, 3, padding=1) if white else None
        beginners = [self.tail] if residual else []
        for layer in beginners if self.strength is None else [*beginners, self.strength]:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, hr: Tensor, noise: Tensor) -> Tensor:
        lr = downscale(hr, self.scale, 0, rounding="none")
        beside, added = noise[:, : self.noise_channels], noise[:, self.noise_channels :]
        features = self.body(self.head(torch.cat([lr, beside], 1)))
        learned: Tensor = self.tail(features)
        made = lr + learned if self.residual else torch.sigmoid(learned)
        return made if self.strength is None else made + self.strength(features) * added

    def noise_shape(self, height: int, width: int) -> tuple[int, ...]:
        maps = self.noise_channels + self.channels * self.white
        return maps, height // self.scale, width // self.scale


class Compressed(Degrader):
    """What another degrader makes, as a JPEG file of a known quality has it: (hr, noise) -> lr.

    Convolutions do not know where blocks of 8 x 8 begin, nor what an encoder rounds to zero. This is the encoder, with
    roundings that pass a gradient (Reich et al., WACV 2024; kornia's), colours at half the size. The noise decides where
    within a block the image begins, as the crops of a training do. The quality is no matter of gradients: those that
    pass the roundings do not lead to it.

    Args:
        degrader: of grey or RGB images.
        quality: 1 to 100, of the encoder.

    Raises:
        ValueError: a quality out of range, or channels that JPEG does not have.
    """

    def __init__(self, degrader: Degrader, quality: float) -> None:
        if not 1 <= quality <= 100:
            raise ValueError(f"degrader.quality={quality}: give that of the real LR's JPEG files, 1 to 100.")
        if degrader.channels not in (1, 3):
            raise ValueError(f"JPEG holds grey or RGB images, not {degrader.channels} channels: take another degrader.")
        super().__init__(degrader.channels, degrader.scale, degrader.multiple_of)
        self.degrader, self.quality = degrader, float(quality)

    def forward(self, hr: Tensor, noise: Tensor) -> Tensor:
        raw = self.degrader(hr, noise)
        height, width = raw.shape[-2:]
        corners = [self.corner(one) for one in noise]
        padded = [
            F.pad(one[None], (left, 8 - left, top, 8 - top), mode="replicate")
            for one, (top, left) in zip(raw, corners, strict=True)
        ]
        files = jpeg_codec_differentiable(
            torch.cat(padded).expand(-1, 3, -1, -1).clamp(0, 1), raw.new_tensor([self.quality])
        )
        lr = torch.stack(
            [one[:, top : top + height, left : left + width] for one, (top, left) in zip(files, corners, strict=True)]
        )
        return lr if self.channels == 3 else lr.mean(1, keepdim=True)

    def noise_shape(self, height: int, width: int) -> tuple[int, ...]:
        return self.degrader.noise_shape(height, width)

    @staticmethod
    def corner(noise: Tensor) -> tuple[int, int]:
        """How far within a block an image begins, 0 to 7 down and to the right, by the first two numbers of its noise."""
        places = (8 * torch.special.ndtr(noise.detach().flatten()[:2].float())).long().clamp(max=7).tolist()
        return (places[0], places[1]) if len(places) == 2 else (0, 0)


class PReLUBlock(nn.Module):
    """Two convolutions with a PReLU between them, around an identity: (B, F, H, W) -> the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.PReLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.layers(features)
        return changed


def _residuals(width: int) -> list[nn.Module]:
    return [BasicBlock(width), BasicBlock(width)]
