"""Learned upsampling, features (B, C, H, W) -> (B, out, scale H, scale W): sub-pixel, transposed, interpolated.

What they share, and how the framework calls them: `staged.py`.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.interpolants import triangle
from srlab.networks.blocks import Convolution, Padding, start_gaussian
from srlab.networks.interpolation import enlarge, enlarge_halo
from srlab.networks.staged import Upsampler

__all__ = ["Enlargement", "Interpolated", "SubPixel", "Transposed", "Upsampler"]


class SubPixel(Upsampler):
    """Convolution to factor^2 channels, then shuffle (ESPCN; Shi et al., CVPR 2016, arXiv 1609.05158).

    Args:
        in_channels: C, given by the framework.
        scale: 2, 3, 4 or 8, given by the framework.
        out_channels: channels of the result, given by the framework.
        kernel_size: of the convolution (ESPCN, EDSR: 3).
        staged: reach 4 and 8 in steps of 2 (as EDSR does).
        icnr: start all sub-pixels of a pixel from equal weights, so that training starts from nearest-neighbour
            enlargement and without checkerboards (Aitken et al. 2017, arXiv 1707.02937).
        initial_std: start from Gaussian weights; None: PyTorch's default.
        activation: after each stage: none, relu, leaky_relu, prelu, prelu_one or tanh.
        groups: the convolution's channels are split into this many independent groups (CARN-M: 4).
        weight_norm: learn direction and length of each filter apart (WDSR).
        padding_mode: what lies beyond the border for the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        scale: int,
        out_channels: int,
        kernel_size: int = 3,
        staged: bool = True,
        icnr: bool = False,
        initial_std: float | None = None,
        activation: str = "none",
        groups: int = 1,
        weight_norm: bool = False,
        padding_mode: Padding = "zeros",
    ) -> None:
        super().__init__(in_channels, scale, out_channels)
        self.kernel_size = kernel_size
        self.icnr = icnr
        self.initial_std = initial_std
        self.groups = groups
        self.weight_norm = weight_norm
        self.padding_mode = padding_mode
        self.build(staged, activation)

    def stage(self, in_channels: int, factor: int, out_channels: int) -> nn.Module:
        convolution = Convolution(
            in_channels,
            out_channels * factor**2,
            self.kernel_size,
            groups=self.groups,
            padding_mode=self.padding_mode,
            initial_std=self.initial_std,
            weight_norm=self.weight_norm,
        )
        if self.icnr:
            start_as_nearest(convolution, factor)
        return nn.Sequential(convolution, nn.PixelShuffle(factor))

    def stage_halo(self, factor: int, beyond: int) -> int:
        return -(-beyond // factor) + self.kernel_size // 2


def start_as_nearest(convolution: nn.Conv2d, factor: int) -> None:
    """Give the factor^2 sub-pixels of each output channel the weights of the first one, in place (ICNR)."""
    with torch.no_grad():
        for tensor in (convolution.weight, convolution.bias):
            if tensor is not None:
                tensor.copy_(tensor[:: factor**2].repeat_interleave(factor**2, dim=0))


class Transposed(Upsampler):
    """Transposed convolution.

    A kernel that is no multiple of the factor gives the output pixels unequal numbers of terms: the checkerboard.

    Args:
        in_channels: C, given by the framework.
        scale: 2, 3, 4 or 8, given by the framework.
        out_channels: channels of the result, given by the framework.
        kernel_size: None: the factor plus `overlap`.
        overlap: by how much the kernel exceeds the factor; None: by the factor, as bilinear interpolation needs
            (DBPN, SRFBN: 4 at any factor; DSRN: 0).
        padding: how many of the result's pixels are cut off at the top and left; None: centred.
        staged: reach 4 and 8 in steps of 2.
        bilinear: start from bilinear interpolation of each channel (as LapSRN does).
        initial_std: start from Gaussian weights (FSRCNN: 0.001); None: PyTorch's default.
        activation: after each stage: none, relu, leaky_relu, prelu, prelu_one or tanh.
        bias: whether a bias is learned.

    Raises:
        ValueError: the kernel is smaller than the factor, so that pixels would stay empty, or the padding does not fit.
    """

    def __init__(
        self,
        in_channels: int,
        scale: int,
        out_channels: int,
        kernel_size: int | None = None,
        padding: int | None = None,
        staged: bool = False,
        bilinear: bool = False,
        initial_std: float | None = None,
        activation: str = "none",
        overlap: int | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__(in_channels, scale, out_channels)
        self.kernel_size = kernel_size
        self.overlap = overlap
        self.bias = bias
        self.padding = padding
        self.bilinear = bilinear
        self.initial_std = initial_std
        self.build(staged, activation)

    def geometry(self, factor: int) -> tuple[int, int, int]:
        """The kernel's size, the padding, and the extra pixels at the bottom and right that make the size exact."""
        overlap = factor if self.overlap is None else self.overlap
        size = factor + overlap if self.kernel_size is None else self.kernel_size
        padding = (size - factor + 1) // 2 if self.padding is None else self.padding
        extra = factor - size + 2 * padding
        if size < factor:
            raise ValueError(f"kernel_size={size} is less than the factor {factor}: choose {2 * factor}.")
        if not 0 <= extra < factor:
            raise ValueError(
                f"padding={padding} does not fit kernel_size={size} at factor {factor}: leave it at null (centred)."
            )
        return size, padding, extra

    def stage(self, in_channels: int, factor: int, out_channels: int) -> nn.Module:
        size, padding, extra = self.geometry(factor)
        layer = nn.ConvTranspose2d(in_channels, out_channels, size, factor, padding, extra, bias=self.bias)
        if self.initial_std is not None:
            start_gaussian(layer, self.initial_std)
        if self.bilinear:
            start_as_bilinear(layer)
        return layer

    def stage_halo(self, factor: int, beyond: int) -> int:
        # Output p reads input i where 0 <= p - factor i + padding < size; p is -beyond to factor - 1 + beyond.
        size, padding, _ = self.geometry(factor)
        left = (size - 1 - padding + beyond) // factor
        right = (factor - 1 + beyond + padding) // factor
        return max(left, right)


def start_as_bilinear(layer: nn.ConvTranspose2d) -> None:
    """Make a transposed convolution interpolate each channel into its own, in place."""
    size, factor = layer.kernel_size[0], layer.stride[0]
    line = torch.from_numpy(triangle((np.arange(size) + 0.5 - size / 2) / factor)).float()
    line *= factor / line.sum()
    with torch.no_grad():
        layer.weight.zero_()
        for channel in range(layer.out_channels):
            layer.weight[channel % layer.in_channels, channel] = torch.outer(line, line)
        if layer.bias is not None:
            layer.bias.zero_()


class Interpolated(Upsampler):
    """Interpolation, then a convolution at the larger size.

    Args:
        in_channels: C, given by the framework.
        scale: 2, 3, 4 or 8, given by the framework.
        out_channels: channels of the result, given by the framework.
        interpolation: nearest, bilinear, bicubic, lanczos2 or lanczos3.
        kernel_size: of the convolution.
        staged: reach 4 and 8 in steps of 2, a convolution after each (as ESRGAN does).
        activation: after each stage: none, relu, leaky_relu, prelu, prelu_one or tanh.
    """

    def __init__(
        self,
        in_channels: int,
        scale: int,
        out_channels: int,
        interpolation: str = "nearest",
        kernel_size: int = 3,
        staged: bool = False,
        activation: str = "none",
    ) -> None:
        super().__init__(in_channels, scale, out_channels)
        self.interpolation = interpolation
        self.kernel_size = kernel_size
        self.build(staged, activation)

    def stage(self, in_channels: int, factor: int, out_channels: int) -> nn.Module:
        return nn.Sequential(
            Enlargement(factor, self.interpolation), Convolution(in_channels, out_channels, self.kernel_size)
        )

    def stage_halo(self, factor: int, beyond: int) -> int:
        return enlarge_halo(factor, self.interpolation, beyond + self.kernel_size // 2)


class Enlargement(nn.Module):
    """Interpolation of features as a layer: (B, C, H, W) -> (B, C, factor H, factor W)."""

    def __init__(self, factor: int, interpolation: str) -> None:
        super().__init__()
        self.factor = factor
        self.interpolation = interpolation

    def forward(self, features: Tensor) -> Tensor:
        if self.interpolation == "nearest":  # the same pixels, without the arithmetic
            return F.interpolate(features, scale_factor=self.factor, mode="nearest")
        return enlarge(features, self.factor, self.interpolation)
