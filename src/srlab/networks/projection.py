"""Between the LR and the HR size and back: layers that iterative designs (DBPN, SRFBN, DSRN) alternate.

Up is any upsampler of the house; down is a strided convolution that undoes a transposed one of the same geometry.
"""

from collections.abc import Callable

from torch import nn

from srlab.networks.blocks import start_he

MakesUpsampler = Callable[..., nn.Module]
"""Makes an upsampler when called with `in_channels`, `scale` and `out_channels`."""

OVERLAP = 4
"""By how much the kernel of a projection exceeds its stride (DBPN, SRFBN: 6, 7, 8 and 12 at x2, x3, x4 and x8)."""


class Up(nn.Sequential):
    """An upsampler and a PReLU: (B, width, H, W) -> (B, width, scale H, scale W)."""

    def __init__(self, width: int, scale: int, upsampler: MakesUpsampler) -> None:
        super().__init__(upsampler(in_channels=width, scale=scale, out_channels=width), nn.PReLU(init=0.2))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                start_he(layer, slope=0.2)


class Down(nn.Sequential):
    """A strided convolution and a PReLU: (B, width, scale H, scale W) -> (B, width, H, W)."""

    def __init__(self, width: int, scale: int) -> None:
        layer = nn.Conv2d(width, width, scale + OVERLAP, scale, OVERLAP // 2)
        start_he(layer, slope=0.2)
        super().__init__(layer, nn.PReLU(init=0.2))


class Fusion(nn.Sequential):
    """A 1x1 convolution and a PReLU: (B, in_channels, H, W) -> (B, width, H, W)."""

    def __init__(self, in_channels: int, width: int) -> None:
        layer = nn.Conv2d(in_channels, width, 1)
        start_he(layer, slope=0.2)
        super().__init__(layer, nn.PReLU(init=0.2))


class Stem(nn.Sequential):
    """The first features: 3x3, then 1x1, each with a PReLU: (B, in_channels, H, W) -> (B, width, H, W)."""

    def __init__(self, in_channels: int, wide: int, width: int) -> None:
        first = nn.Conv2d(in_channels, wide, 3, padding=1)
        start_he(first, slope=0.2)
        super().__init__(first, nn.PReLU(init=0.2), Fusion(wide, width))
        self.halo = 1


def reach_up(upsampler: nn.Module, beyond: int | None) -> int | None:
    """LR pixels around its own that an upsampled pixel reads, when it needs `beyond` neighbours; None: unbounded."""
    reach = getattr(upsampler, "reach", None)
    return None if beyond is None or not callable(reach) else reach(beyond)


def reach_down(scale: int, beyond: int | None) -> int | None:
    """HR pixels beyond its own cell that a pixel of `Down` reads, when it needs `beyond` neighbours."""
    return None if beyond is None else scale * beyond + OVERLAP // 2
