"""What every super-resolution network says of itself, and what a framework reads off the parts that it joins."""

from typing import NamedTuple

from torch import Tensor, nn

from srlab.types import Prediction


class Network(nn.Module):
    """Base of all frameworks: lr (B, C, H, W) in [0, 1] -> Prediction with sr (B, C, scale H, scale W), not clamped.

    A subclass implements `predict`; calling the network checks the input first.

    Args:
        channels: C.
        scale: the factor, a whole number.
        multiple_of: H and W must be multiples of it.
        halo: an output pixel depends on LR pixels at most this far from its own; None: on the whole image.

    Raises:
        ValueError: at construction for impossible numbers, at the call for an image that does not fit.
    """

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

    def predict(self, lr: Tensor) -> Prediction:
        raise NotImplementedError(f"{type(self).__name__} must implement predict(lr).")

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


def published(part: nn.Module) -> Facts:
    """Read a part's facts; what it leaves out is taken as free (`multiple_of` 1) or unbounded (`halo` None).

    Raises:
        ValueError: it does not publish its channels.
    """
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
