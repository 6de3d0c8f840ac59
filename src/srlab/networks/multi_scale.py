"""One network for several scales: a shared middle between scale-specific paths (MDSR; Lim et al., CVPRW 2017, section 3.3).

CARN is the special case whose only scale-specific part is the upsampler. A step at one scale trains the shared middle
and that scale's path; the other paths take no part, so that they get no gradient and an optimiser leaves them alone.
"""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from srlab.networks.blocks import Convolution, ResidualBlock
from srlab.networks.frameworks import backbone_facts, last_layer, per_channel
from srlab.networks.interpolation import enlarge, enlarge_halo, kernel_named
from srlab.networks.network import ScalableNetwork, chained_halo, published, take_head
from srlab.types import Prediction


class ScaleSpecific(ScalableNetwork):
    """lr (B, C, H, W) -> sr (B, C, s H, s W) for each s of `scales`, as the call asks: `network(lr, scale=s)`.

    Args:
        backbone: image to features, at the small size: shared by all scales.
        upsampler: makes one scale's upsampler when called with `in_channels`, `scale` and `out_channels`.
        channels: C.
        scale: the factor where a call names none.
        scales: all factors (paper: 2, 3, 4).
        preprocess: makes one scale's layers between the shared head and the rest of the backbone when called with
            `width`, to lessen what differs between the scales; None: none.
        tail: makes the shared last layer, features to image, when called with `in_channels` and `out_channels`.
        interpolation: of the image to which the result is added, where `global_residual` is set.
        global_residual: the layers learn what to add to the interpolated image, instead of the image.
        mean: subtracted from each channel before the backbone, and added at the end; None: nothing.

    Raises:
        ValueError: the channels of two neighbours differ, `scale` is none of `scales`, or with `preprocess` the
            backbone has no head.
    """

    mean: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        upsampler: Callable[..., nn.Module],
        channels: int,
        scale: int,
        scales: Sequence[int] = (2, 3, 4),
        preprocess: Callable[..., nn.Module] | None = None,
        tail: Callable[..., nn.Module] | None = Convolution,
        interpolation: str = "bicubic",
        global_residual: bool = False,
        mean: Sequence[float] | None = None,
    ) -> None:
        kernel_named(interpolation)
        facts = backbone_facts(backbone, channels)
        if scale not in scales:
            raise ValueError(
                f"scale={scale} is none of framework.scales={list(scales)}: choose one of these, or add it to them."
            )
        width = facts.out_channels
        made = channels if tail is None else width
        paths = {one: upsampler(in_channels=width, scale=one, out_channels=made) for one in scales}
        last, last_halo = last_layer(tail, paths[scale], published(paths[scale]).out_channels, channels)
        before = {one: nn.Identity() if preprocess is None else preprocess(width=width) for one in scales}
        halos = [
            chained_halo(
                facts.halo,
                published(paths[one]).halo,
                getattr(before[one], "halo", 0),
                last_halo if last_halo is None else -(-last_halo // one),
            )
            for one in scales
        ]
        known = [halo for halo in halos if halo is not None]
        if global_residual:
            known += [enlarge_halo(one, interpolation) for one in scales]
        super().__init__(channels, scale, scales, facts.multiple_of, None if None in halos else max(known))
        self.head = nn.Identity() if preprocess is None else take_head(backbone, "the scales' own layers follow it")
        self.preprocess = nn.ModuleDict({f"x{one}": layers for one, layers in before.items()})
        self.backbone = backbone
        self.upsamplers = nn.ModuleDict({f"x{one}": path for one, path in paths.items()})
        self.tail = last
        self.interpolation = interpolation
        self.global_residual = global_residual
        self.register_buffer("mean", per_channel(mean, channels), persistent=False)

    def predict_at(self, lr: Tensor, scale: int) -> Prediction:
        path = f"x{scale}"
        centred = lr - self.mean
        image = self.tail(self.upsamplers[path](self.backbone(self.preprocess[path](self.head(centred)))))
        if self.global_residual:
            image = image + enlarge(centred, scale, self.interpolation)
        return Prediction(image + self.mean, {})


class Preprocessing(nn.Sequential):
    """Residual blocks with large kernels: (B, width, H, W) -> the same (MDSR: two blocks of 5x5).

    Args:
        width: channels, given by the framework.
        blocks: residual blocks.
        kernel_size: of their convolutions.
    """

    def __init__(self, width: int, blocks: int = 2, kernel_size: int = 5) -> None:
        super().__init__(*(ResidualBlock(width, kernel_size) for _ in range(blocks)))
        self.halo = 2 * blocks * (kernel_size // 2)
