"""JPEG, by a real encoder (libjpeg through Pillow): what a camera or a website did to the file."""

from io import BytesIO
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from srlab.degradation.base import Degradation, Degraded, Range, as_range, draw, generators


class Jpeg(Degradation):
    """Encode to JPEG and decode again; grey and RGB images, rounded to 8 bit whatever their depth.

    No gradient passes, and the work is done on the CPU.

    Args:
        quality: 1 to 100, or the range from which an integer is drawn per image, both ends included.
        subsampling: of the colour channels.

    Draws `jpeg_quality` (B,).
    """

    def __init__(self, quality: Range, subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0") -> None:
        super().__init__()
        self.scale = 1
        self.margin = 0
        self.quality = as_range("quality", quality, least=1, most=100)
        self.subsampling = subsampling

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        if hr.shape[1] not in (1, 3):
            raise ValueError(f"JPEG holds grey or RGB images, not {hr.shape[1]} channels: leave the JPEG step out.")
        low, high = self.quality
        qualities = [min(int(draw((low, high + 1), generator)), int(high)) for generator in generators(seeds)]
        pixels = (hr.detach().cpu().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
        decoded = [self._encode_and_decode(*pair) for pair in zip(pixels, qualities, strict=True)]
        return Degraded(torch.stack(decoded).to(hr), {"jpeg_quality": torch.tensor(qualities).to(hr)})

    def _encode_and_decode(self, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", quality: int) -> Tensor:
        file = BytesIO()
        image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
        image.save(file, format="JPEG", quality=quality, subsampling=self.subsampling)
        decoded = np.asarray(Image.open(file)).reshape(pixels.shape)
        return torch.from_numpy(decoded.copy()).permute(2, 0, 1).float() / 255
