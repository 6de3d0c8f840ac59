"""Where the upsampling happens: before the backbone (`PreUpsampling`) or after it (`PostUpsampling`).

Both join the same parts and take the same numbers, so that a sweep can exchange one for the other.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution
from srlab.networks.ensemble import ensemble_of
from srlab.networks.interpolation import enlarge, enlarge_halo, kernel_named
from srlab.networks.network import Facts, Network, ScalableNetwork, chained_halo, published
from srlab.types import Prediction

__all__ = ["Network", "PostUpsampling", "PreUpsampling"]


def backbone_facts(backbone: nn.Module, channels: int) -> Facts:
    """What a backbone publishes, once it is known to take the images.

    Raises:
        ValueError: it takes another number of channels.
    """
    facts = published(backbone)
    if facts.in_channels != channels:
        raise ValueError(
            f"{type(backbone).__name__} takes {facts.in_channels} channels, the framework hands it {channels}: "
            f"set channels={facts.in_channels}, or leave backbone.in_channels to follow channels."
        )
    return facts


def last_layer(
    tail: Callable[..., nn.Module] | None, source: nn.Module, made: int, channels: int
) -> tuple[nn.Module, int | None]:
    """The layer that turns the `made` channels of `source` into the image, and its halo; without a tail, an identity.

    Raises:
        ValueError: there is no tail, and `source` does not make the image's channels itself.
    """
    if tail is not None:
        layer = tail(in_channels=made, out_channels=channels)
        return layer, published(layer).halo
    if made != channels:
        raise ValueError(
            f"Without a tail, {type(source).__name__} itself must make the image's {channels} channels, "
            f"but it makes {made}: give the framework a tail, for example a Convolution."
        )
    return nn.Identity(), 0


def per_channel(mean: Sequence[float] | None, channels: int) -> Tensor:
    """The mean to subtract, as (1, C, 1, 1): as given, or its average where the images have other bands; None: zero."""
    values = [0.0] if mean is None else list(mean)
    if len(values) != channels:
        values = [sum(values) / len(values)] * channels
    return torch.tensor(values).view(1, channels, 1, 1)


class PreUpsampling(ScalableNetwork):
    """Interpolate to the full size, then refine there: lr (B, C, H, W) -> sr (B, C, scale H, scale W).

    The same weights can serve several scales (VDSR, section 3.3): `network(lr, scale=3)`.

    Args:
        backbone: image to features, at the full size.
        channels: C.
        scale: the factor, a whole number.
        tail: makes the last layer, features to image, when called with `in_channels` and `out_channels`;
            None: the backbone makes the image.
        interpolation: nearest, bilinear, bicubic, lanczos2 or lanczos3.
        global_residual: the layers learn what to add to the interpolated image, instead of the image.
        mean: subtracted from each channel before the backbone, and added at the end; None: nothing.
        ensemble: predict from each of a recursive backbone's states, return those as intermediate outputs, and
            learn to average them (DRCN, multi-supervised MemNet); else only the last state counts.
        scales: all factors that the network is for; None: `scale` alone.

    Raises:
        ValueError: the channels of two neighbours differ, an interpolation is unknown, the backbone has no states, or
            `scale` is none of `scales`.
    """

    mean: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        channels: int,
        scale: int,
        tail: Callable[..., nn.Module] | None = Convolution,
        interpolation: str = "bicubic",
        global_residual: bool = True,
        mean: Sequence[float] | None = None,
        ensemble: bool = False,
        scales: Sequence[int] | None = None,
    ) -> None:
        facts = backbone_facts(backbone, channels)
        last, last_halo = last_layer(tail, backbone, facts.out_channels, channels)
        beyond = chained_halo(facts.halo, last_halo)
        scales = [scale] if scales is None else scales
        halo = None if beyond is None else max(enlarge_halo(one, interpolation, beyond) for one in scales)
        multiple = math.lcm(*(facts.multiple_of // math.gcd(facts.multiple_of, int(one)) for one in scales))
        super().__init__(channels, scale, scales, multiple, halo)
        self.backbone = backbone
        self.tail = last
        self.interpolation = interpolation
        self.global_residual = global_residual
        self.ensemble = ensemble_of(backbone) if ensemble else None
        self.register_buffer("mean", per_channel(mean, channels), persistent=False)

    def predict_at(self, lr: Tensor, scale: int) -> Prediction:
        enlarged = enlarge(lr - self.mean, scale, self.interpolation)
        if self.ensemble is None:
            return Prediction(self.image(self.backbone(enlarged), enlarged), {})
        states: list[Tensor] = self.backbone.states(enlarged)  # type: ignore[operator]
        prediction: Prediction = self.ensemble([self.image(state, enlarged) for state in states])
        return prediction

    def refine(self, enlarged: Tensor) -> Tensor:
        """An image that was interpolated elsewhere, by any factor: (B, C, H, W) -> (B, C, H, W), not clamped."""
        centred = enlarged - self.mean
        return self.image(self.backbone(centred), centred)

    def image(self, features: Tensor, enlarged: Tensor) -> Tensor:
        image: Tensor = self.tail(features)
        return image + enlarged + self.mean if self.global_residual else image + self.mean


class PostUpsampling(Network):
    """Features at the small size, one learned upsampling last: lr (B, C, H, W) -> sr (B, C, scale H, scale W).

    Args:
        backbone: image to features, at the small size.
        upsampler: makes the upsampler when called with `in_channels`, `scale` and `out_channels`.
        channels: C.
        scale: the factor: 2, 3, 4 or 8.
        tail: makes the last layer, features to image at the full size, when called with `in_channels` and
            `out_channels`; None: the upsampler maps straight to the image (as in ESPCN, FSRCNN, IMDN).
        interpolation: of the image to which the result is added, where `global_residual` is set.
        global_residual: the layers learn what to add to the interpolated image, instead of the image.
        mean: subtracted from each channel before the backbone, and added at the end; None: nothing.
        shortcut: makes a second, learned upsampler that leads straight from the LR image to the HR image when called
            with `in_channels`, `scale` and `out_channels` (WDSR); None: none.

    Raises:
        ValueError: the channels of two neighbours differ, or an interpolation is unknown.
    """

    mean: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        upsampler: Callable[..., nn.Module],
        channels: int,
        scale: int,
        tail: Callable[..., nn.Module] | None = Convolution,
        interpolation: str = "bicubic",
        global_residual: bool = False,
        mean: Sequence[float] | None = None,
        shortcut: Callable[..., nn.Module] | None = None,
    ) -> None:
        kernel_named(interpolation)  # refused now, not at the first image
        facts = backbone_facts(backbone, channels)
        width = facts.out_channels
        built = upsampler(in_channels=width, scale=scale, out_channels=channels if tail is None else width)
        made = published(built)
        last, last_halo = last_layer(tail, built, made.out_channels, channels)
        halo = chained_halo(facts.halo, made.halo, last_halo if last_halo is None else -(-last_halo // scale))
        if halo is not None and global_residual:
            halo = max(halo, enlarge_halo(scale, interpolation))
        direct = None if shortcut is None else shortcut(in_channels=channels, scale=scale, out_channels=channels)
        if halo is not None and direct is not None:
            straight = published(direct).halo
            halo = None if straight is None else max(halo, straight)
        super().__init__(channels, scale, facts.multiple_of, halo)
        self.backbone = backbone
        self.upsampler = built
        self.tail = last
        self.shortcut = direct
        self.interpolation = interpolation
        self.global_residual = global_residual
        self.register_buffer("mean", per_channel(mean, channels), persistent=False)

    def predict(self, lr: Tensor) -> Prediction:
        centred = lr - self.mean
        image = self.tail(self.upsampler(self.backbone(centred)))
        if self.shortcut is not None:
            image = image + self.shortcut(centred)
        if self.global_residual:
            image = image + enlarge(centred, self.scale, self.interpolation)
        return Prediction(image + self.mean, {})
