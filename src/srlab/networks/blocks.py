"""The blocks that several designs share; a block that one paper alone uses lives in that paper's file."""

from collections.abc import Callable, Iterable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm as normalise_weight

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
        weight_norm: learn direction and length of each filter apart (Salimans and Kingma 2016; WDSR).

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
        weight_norm: bool = False,
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
        if weight_norm:
            normalise_weight(self)
        # oneDNN's bfloat16 gradient of such weights reads beyond its input: no numbers, or a crash (torch 2.14, one CPU).
        self.in_float32 = dilation > 1 and in_channels % 16 != 0

    def forward(self, features: Tensor) -> Tensor:
        if self.in_float32 and features.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return super().forward(features.float())
        return super().forward(features)


class HiddenTail(nn.Module):
    """A tail of two layers at the full size: (B, in_channels, H, W) -> (B, out_channels, H, W) (EnhanceNet, ESRGAN).

    Args:
        in_channels: channels of the features, and of the hidden layer.
        out_channels: channels of the image.
        kernel_size: of both convolutions.
        activation: between them: relu, leaky_relu, prelu, prelu_one or tanh.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 3, activation: str = "relu") -> None:
        super().__init__()
        self.hidden = Convolution(in_channels, in_channels, kernel_size)
        self.activation = activation_layer(activation, in_channels)
        self.last = Convolution(in_channels, out_channels, kernel_size)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.halo = self.hidden.halo + self.last.halo

    def forward(self, features: Tensor) -> Tensor:
        image: Tensor = self.last(self.activation(self.hidden(features)))
        return image


def start_gaussian(layer: nn.Conv2d | nn.ConvTranspose2d, std: float) -> None:
    """Start a layer from Gaussian weights and zero bias, in place."""
    nn.init.normal_(layer.weight, std=std)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def start_he(layer: nn.Conv2d | nn.ConvTranspose2d, slope: float = 0.0) -> None:
    """Start a layer before a (P)ReLU of this slope so that the signal keeps its variance (He et al. 2015), in place."""
    nn.init.kaiming_normal_(layer.weight, a=slope)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def activation_layer(name: str, channels: int) -> nn.Module:
    """A new activation by its name: none, relu, leaky_relu (slope 0.2; or "leaky_relu:0.1"), prelu (a slope a
    channel), prelu_one (one slope) or tanh.

    Raises:
        ValueError: the name is another.
    """
    if name == "prelu":
        return nn.PReLU(channels)
    if name == "prelu_one":
        return nn.PReLU()
    if name == "leaky_relu":
        return nn.LeakyReLU(0.2, inplace=True)
    if name.startswith("leaky_relu:"):
        return nn.LeakyReLU(float(name.removeprefix("leaky_relu:")), inplace=True)
    plain: dict[str, Callable[[], nn.Module]] = {"none": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh}
    if name not in plain:
        raise ValueError(
            f"activation={name!r} is unknown: choose one of {', '.join(plain)}, leaky_relu, prelu, prelu_one."
        )
    return plain[name]()


def norm_layer(name: str, channels: int) -> nn.Module:
    """A new normalisation by its name: none, batch or instance (with learned weights).

    Raises:
        ValueError: the name is another.
    """
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    if name == "none":
        return nn.Identity()
    raise ValueError(f"norm={name!r} is unknown: choose none, batch or instance.")


class ResidualBlock(nn.Module):
    """x + residual_scale * convolution(activation(convolution(x))): (B, width, H, W) -> the same.

    As in EDSR without, as in SRResNet with batch normalisation after each convolution.

    Args:
        width: channels.
        kernel_size: of both convolutions.
        residual_scale: damps the branch, which keeps wide networks stable (EDSR: 0.1).
        norm: none or batch.
        activation: none, relu, leaky_relu, prelu, prelu_one or tanh.
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


class LongSkip(nn.Module):
    """A head, and a body that learns what to add to its features: (B, in_channels, H, W) -> (B, width, H, W).

    The frame of residual networks from SRResNet on; a subclass says what the body is made of.

    Args:
        in_channels: channels of the image.
        width: channels of the features.
        head: image to features.
        body: layers in a row, features to features.
        halo: of head and body together; None: unbounded.
    """

    def __init__(
        self, in_channels: int, width: int, head: nn.Module, body: Iterable[nn.Module], halo: int | None
    ) -> None:
        super().__init__()
        self.head = head
        self.body = nn.Sequential(*body)
        self.in_channels = in_channels
        self.out_channels = width
        self.halo = halo

    def forward(self, image: Tensor) -> Tensor:
        shallow = self.head(image)
        deep: Tensor = shallow + self.body(shallow)
        return deep


class DenseLayers(nn.Module):
    """3x3 convolutions, each fed with all before it: (B, in_channels, H, W) -> (B, in_channels + layers * growth, H, W).

    The output is the input and every layer's features, concatenated (Huang et al., CVPR 2017; RDN, ESRGAN, SRDenseNet).

    Args:
        in_channels: channels of the input.
        growth: channels that each layer adds.
        layers: convolutions.
        activation: after each: relu, leaky_relu, prelu, prelu_one or tanh.
    """

    def __init__(self, in_channels: int, growth: int, layers: int, activation: str = "relu") -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(Convolution(in_channels + place * growth, growth), activation_layer(activation, growth))
            for place in range(layers)
        )
        self.out_channels = in_channels + layers * growth
        self.halo = layers

    def forward(self, features: Tensor) -> Tensor:
        for layer in self.layers:
            features = torch.cat([features, layer(features)], dim=1)
        return features
