"""Reduction by a kernel, as MATLAB's `imresize` does it: the classical degradation."""

from typing import Literal

from torch import Tensor

from srlab.borders import Borders
from srlab.degradation.base import Degradation, Degraded
from srlab.degradation.resize import kernel_support, resize
from srlab.degradation.rounding import quantize
from srlab.interpolants import Kernel

Rounding = Literal["passes", "result", "none"]


class Downscale(Degradation):
    """Antialiased reduction by an integer.

    Args:
        scale: HR pixels per LR pixel.
        kernel: `bicubic` is the field's default.
        borders: `symmetric`, or `replicate` as older MATLABs had it.
        rounding: `passes`: to the image's depth before, between and after the two passes, as MATLAB treats integer
            images; `result`: once at the end, as MATLAB treats a double image that is then saved; `none`: not at all.
            A float image (levels = 0) is never rounded.
    """

    def __init__(
        self, scale: int, kernel: Kernel = "bicubic", borders: Borders = "symmetric", rounding: Rounding = "passes"
    ) -> None:
        super().__init__()
        if scale < 1:
            raise ValueError(f"scale={scale} must be an integer of at least 1.")
        if rounding not in ("passes", "result", "none"):
            raise ValueError(f"rounding={rounding!r} is none of passes, result, none: choose one of them.")
        self.scale = scale
        # A kernel of support w reaches w * scale from the centre of an LR pixel, which itself covers `scale` HR pixels.
        self.margin = 0 if scale == 1 else kernel_support(kernel) * scale
        self.kernel: Kernel = kernel
        self.borders = borders
        self.rounding = rounding

    @property
    def tag(self) -> str:
        return self.kernel  # borders and rounding are too little to be told apart

    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        return Degraded(downscale(hr, self.scale, levels, self.kernel, self.borders, self.rounding), {})


def downscale(
    hr: Tensor,
    scale: int,
    levels: int | Tensor,
    kernel: Kernel = "bicubic",
    borders: Borders = "symmetric",
    rounding: Rounding = "passes",
) -> Tensor:
    """Reduce images by an integer: (B, C, H, W) -> (B, C, ceil(H / scale), ceil(W / scale)). See `Downscale`."""
    between = levels if rounding == "passes" else 0
    lr = resize(hr, scale=1 / scale, kernel=kernel, borders=borders, levels=between)
    return quantize(lr, levels) if rounding == "result" else lr
