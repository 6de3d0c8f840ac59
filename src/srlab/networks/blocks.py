"""The blocks that several designs share; a block that one paper alone uses lives in that paper's file."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from srlab.networks.network import chained_halo

Padding = Literal["zeros", "replicate", "reflect", "circular"]


class Convolution(nn.Conv2d):
    """A convolution that keeps the size: (B, in_channels, H, W) -> (B, out_channels, H, W). Also serves as a tail.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: an odd number.
        dilation: distance of the kernel's taps, in pixels.
        groups: the channels are split into this many independent groups.
        bias: whether a bias is learned.
        padding_mode: what lies beyond the border: zeros, replicate, reflect or circular.
        initial_std: start from Gaussian weights of this standard deviation and zero bias; None: PyTorch's default.

    Raises:
        ValueError: there are no channels, or `kernel_size` is even, so that the output could not keep the size.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: Padding = "zeros",
        initial_std: float | None = None,
    ) -> None:
        if min(in_channels, out_channels) < 1:
            raise ValueError(f"a convolution of {in_channels} to {out_channels} channels: choose a width of 1 or more.")
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size={kernel_size} is even and would shift the image: choose {kernel_size + 1}.")
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            padding=kernel_size // 2 * dilation,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
        )
        self.halo = kernel_size // 2 * dilation
        if initial_std is not None:
            start_gaussian(self, initial_std)


def start_gaussian(layer: nn.Conv2d | nn.ConvTranspose2d, std: float) -> None:
    """Start a layer from Gaussian weights and zero bias, in place."""
    nn.init.normal_(layer.weight, std=std)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def start_he(layer: nn.Conv2d, slope: float = 0.0) -> None:
    """Start a layer before a (P)ReLU of this slope so that the signal keeps its variance (He et al. 2015), in place."""
    nn.init.kaiming_normal_(layer.weight, a=slope)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def activation_layer(name: str, channels: int) -> nn.Module:
    """A new activation by its name: none, relu, leaky_relu (slope 0.2), prelu (a slope a channel) or tanh.

    Raises:
        ValueError: the name is another.
    """
    if name == "prelu":
        return nn.PReLU(channels)
    if name == "leaky_relu":
        return nn.LeakyReLU(0.2, inplace=True)
    plain: dict[str, Callable[[], nn.Module]] = {"none": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh}
    if name not in plain:
        raise ValueError(f"activation={name!r} is unknown: choose one of {', '.join(plain)}, leaky_relu, prelu.")
    return plain[name]()


def norm_layer(name: str, channels: int) -> nn.Module:
    """A new normalisation by its name: none or batch.

    Raises:
        ValueError: the name is another.
    """
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "none":
        return nn.Identity()
    raise ValueError(f"norm={name!r} is unknown: choose none or batch.")


class ResidualBlock(nn.Module):
    """x + residual_scale * convolution(activation(convolution(x))): (B, width, H, W) -> the same.

    As in EDSR without, as in SRResNet with batch normalisation after each convolution.

    Args:
        width: channels.
        kernel_size: of both convolutions.
        residual_scale: damps the branch, which keeps wide networks stable (EDSR: 0.1).
        norm: none or batch.
        activation: none, relu, leaky_relu, prelu or tanh.
    """

    def __init__(
        self,
        width: int,
        kernel_size: int = 3,
        residual_scale: float = 1.0,
        norm: str = "none",
        activation: str = "relu",
    ) -> None:
        super().__init__()
        first, second = (Convolution(width, width, kernel_size) for _ in range(2))
        self.branch = nn.Sequential(
            first, norm_layer(norm, width), activation_layer(activation, width), second, norm_layer(norm, width)
        )
        self.residual_scale = residual_scale
        self.halo = chained_halo(first.halo, second.halo)

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.branch(features)
        return features + self.residual_scale * residual
