"""What every super-resolution network says of itself, and what a framework reads off the parts that it joins."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import Tensor, nn

from srlab.types import Batch, Prediction


class Network(nn.Module, ABC):
    """Base of all frameworks: lr (B, C, H, W) in [0, 1] -> Prediction with sr (B, C, scale H, scale W), not clamped.

    A subclass implements `predict`; calling the network checks the input first.

    Args:
        channels: C.
        scale: the factor, a whole number.
        multiple_of: H and W must be multiples of it.
        halo: an output pixel depends on LR pixels at most this far from its own; None: on the whole image.

    Attributes:
        guide_channels: of a guide at the size of HR that the network takes beside LR; None: it takes none.

    Raises:
        ValueError: at construction for impossible numbers, at the call for an image that does not fit.
    """

    guide_channels: int | None = None

    def __init__(self, channels: int, scale: int, multiple_of: int, halo: int | None) -> None:
        super().__init__()
        if channels < 1:
            raise ValueError(f"channels={channels}: an image has at least one channel.")
        require_whole(scale)
        self.channels = channels
        self.scale = scale
        self.multiple_of = multiple_of
        self.halo = halo

    def forward(self, lr: Tensor) -> Prediction:
        self.check(lr)
        return self.predict(lr)

    @abstractmethod
    def predict(self, lr: Tensor) -> Prediction:
        """The prediction for images that fit."""

    def of(self, batch: Batch) -> Prediction:
        """The prediction for a training batch: from what this network takes of it."""
        prediction: Prediction = self(batch.lr)
        return prediction

    def parameter_groups(self) -> list[dict[str, Any]]:
        """What learns, in groups as an optimizer takes them.

        A group that `waits` so many iterations before it learns, or learns at a `rate` of its own, as part of that of all
        others, says so by these keys.
        """
        return [{"params": list(self.parameters())}]

    def check(self, lr: Tensor) -> None:
        if lr.ndim != 4 or lr.shape[1] != self.channels:
            raise ValueError(
                f"Expected LR images (B, {self.channels}, H, W), got {tuple(lr.shape)}: "
                f"set channels to the images' own number, or convert the images."
            )
        if self.multiple_of > 1 and (lr.shape[2] % self.multiple_of or lr.shape[3] % self.multiple_of):
            raise ValueError(
                f"LR height x width {lr.shape[2]} x {lr.shape[3]} is not a multiple of {self.multiple_of}: "
                f"pad the image or choose a crop that is."
            )


class GuidedNetwork(Network):
    """Base of networks that take a guide: (lr (B, C, H, W), guide (B, G, scale H, scale W)) -> Prediction.

    A subclass implements `predict_guided`.

    Args:
        channels, scale, multiple_of, halo: as in Network; the guide reaches as far, times the scale.
        guide_channels: G.

    Raises:
        ValueError: at the call, for a guide that is missing or does not fit.
    """

    def __init__(self, channels: int, scale: int, multiple_of: int, halo: int | None, guide_channels: int) -> None:
        super().__init__(channels, scale, multiple_of, halo)
        self.guide_channels = guide_channels

    def forward(self, lr: Tensor, guide: Tensor | None = None) -> Prediction:
        self.check(lr)
        wanted = (len(lr), self.guide_channels, *(side * self.scale for side in lr.shape[2:]))
        if guide is None or tuple(guide.shape) != wanted:
            found = "none" if guide is None else tuple(guide.shape)
            raise ValueError(
                f"Expected a guide {wanted} at the size of the result, got {found}: give data with guides."
            )
        return self.predict_guided(lr, guide)

    def predict(self, lr: Tensor) -> Prediction:
        raise ValueError(f"{type(self).__name__} predicts from LR and a guide: call it with both.")

    @abstractmethod
    def predict_guided(self, lr: Tensor, guide: Tensor) -> Prediction:
        """The prediction for images and guides that fit."""

    def of(self, batch: Batch) -> Prediction:
        prediction: Prediction = self(batch.lr, batch.guide)
        return prediction


class ScalableNetwork(Network):
    """Base of networks that one set of weights serves at several scales: `network(lr)` or `network(lr, scale=3)`.

    The call without `scale` takes `network.scale`, which may be assigned. A subclass implements `predict_at`.

    Args:
        channels: C.
        scale: the factor without one at the call.
        scales: all factors that the network can do.
        multiple_of: as in Network, at every scale.
        halo: as in Network, the largest of all scales.

    Raises:
        ValueError: at construction or at the call, for a scale that is not among `scales`.
    """

    def __init__(self, channels: int, scale: int, scales: Sequence[int], multiple_of: int, halo: int | None) -> None:
        super().__init__(channels, scale, multiple_of, halo)
        self.scales = tuple(scales)
        self.require(scale)

    def forward(self, lr: Tensor, scale: int | None = None) -> Prediction:
        self.check(lr)
        scale = self.scale if scale is None else scale
        self.require(scale)
        return self.predict_at(lr, scale)

    def predict(self, lr: Tensor) -> Prediction:
        return self.predict_at(lr, self.scale)

    def of(self, batch: Batch) -> Prediction:
        prediction: Prediction = self(batch.lr, batch.scale)
        return prediction

    @abstractmethod
    def predict_at(self, lr: Tensor, scale: int) -> Prediction:
        """The prediction at one of the network's scales."""

    def require(self, scale: int) -> None:
        if scale not in self.scales:
            raise ValueError(f"scale={scale} is none of this network's scales {self.scales}: choose one of these.")


@contextmanager
def at_scale(network: Network, scale: int) -> Iterator[None]:
    """Let a network of several scales stand at one of them, and back; one of a single scale stays.

    Raises:
        ValueError: it has no such scale.
    """
    own = network.scale
    if scale != own:
        if not isinstance(network, ScalableNetwork):
            raise ValueError(f"{type(network).__name__} enlarges {own} times, and not {scale} times.")
        network.require(scale)
    network.scale = scale
    try:
        yield
    finally:
        network.scale = own


def require_whole(scale: float) -> None:
    """Refuse a factor that is not a whole number, 1 or more.

    Raises:
        ValueError: it is not.
    """
    if scale < 1 or scale != int(scale):
        raise ValueError(f"scale={scale}: the factor is a whole number, 1 or more; try 2, 3, 4 or 8.")


class Facts(NamedTuple):
    """What a part publishes: a backbone all four, an upsampler and a tail all but `multiple_of`."""

    in_channels: int
    out_channels: int
    multiple_of: int
    halo: int | None


def published(part: nn.Module | Callable[..., nn.Module]) -> Facts:
    """Read a part's facts; what it leaves out is taken as free (`multiple_of` 1) or unbounded (`halo` None).

    Raises:
        ValueError: it does not publish its channels, or waits for a scale that only another framework gives it.
    """
    if not isinstance(part, nn.Module):
        design = getattr(getattr(part, "func", part), "__name__", part)
        raise ValueError(
            f"{design} goes up and down between the LR and the HR size by itself, so that only framework=iterative "
            f"can hold it: choose that, or with this framework a backbone of one resolution, such as edsr."
        )
    missing = [name for name in ("in_channels", "out_channels") if not isinstance(getattr(part, name, None), int)]
    if missing:
        raise ValueError(
            f"{type(part).__name__} does not publish {' and '.join(missing)}: "
            f"set self.{missing[0]} to a whole number in its constructor."
        )
    return Facts(
        part.in_channels,  # type: ignore[arg-type]
        part.out_channels,  # type: ignore[arg-type]
        getattr(part, "multiple_of", 1),
        getattr(part, "halo", None),
    )


def chained_halo(*halos: int | None) -> int | None:
    """The halo of parts in a row, at one resolution; None as soon as one of them is unbounded."""
    return None if None in halos else sum(halo for halo in halos if halo is not None)


def halo_of_layers(module: nn.Module) -> int:
    """The halo of layers in a row: what their convolutions reach in all."""
    return sum(
        layer.kernel_size[0] // 2 * layer.dilation[0] for layer in module.modules() if isinstance(layer, nn.Conv2d)
    )


def channels_of(head: nn.Module) -> int:
    """The channels that a head's last convolution makes."""
    return [layer.out_channels for layer in head.modules() if isinstance(layer, nn.Conv2d)][-1]


def take_head(backbone: nn.Module, reason: str) -> nn.Module:
    """Take a backbone's head (image to features of its width) out, so that it goes on from features instead.

    Args:
        backbone: publishes `head`; changed in place.
        reason: why the framework needs that, for the message.

    Raises:
        ValueError: the backbone has no head that could be taken apart from the rest.
    """
    head = getattr(backbone, "head", None)
    if not isinstance(head, nn.Module):
        raise ValueError(
            f"{type(backbone).__name__} cannot start from features, since its first layer is not a head of its own, "
            f"but {reason}: choose framework=post, or a backbone with a head, such as edsr."
        )
    backbone.head = nn.Identity()
    return head
