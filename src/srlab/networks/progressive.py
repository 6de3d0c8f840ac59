"""A pyramid: an image at x2, x4, x8, each level built on the one before (LapSRN, MS-LapSRN, ProSR).

LapSRN: Lai et al., CVPR 2017, arXiv 1704.03915; MS-LapSRN: TPAMI 2018, arXiv 1710.01992; ProSR: Wang et al., CVPRW 2018,
arXiv 1804.02900.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from srlab.networks.blocks import Convolution
from srlab.networks.frameworks import backbone_facts, last_layer, per_channel
from srlab.networks.interpolation import enlarge, enlarge_halo, kernel_named
from srlab.networks.network import ScalableNetwork, channels_of, halo_of_layers, published, take_head
from srlab.types import Prediction

LEVELS = {2: 1, 4: 2, 8: 3}
"""How many levels a scale takes."""


class Progressive(ScalableNetwork):
    """lr (B, C, H, W) -> sr (B, C, scale H, scale W); the lower levels' images are intermediates "x2" and "x4".

    At each level: features go through that level's body, grow by 2, and a tail makes what is added to the enlarged
    image. `network(lr, scale=2)` stops at a lower level.

    Args:
        backbone: image to features; its head starts the pyramid, the rest is the first level's body.
        upsampler: makes each level's upsampler when called with `in_channels`, `scale` (2) and `out_channels`.
        channels: C.
        scale: 2, 4 or 8.
        deeper: makes the body of each level above the first when called with `in_channels`, the lowest first;
            None: copies of the backbone without its head.
        share: all levels have the same weights (MS-LapSRN).
        separate_heads: each scale starts from a head of its own (ProSR).
        tail: makes a level's last layer, features to residual image, when called with `in_channels`, `out_channels`.
        image_upsampler: makes what enlarges the image from level to level, when called as `upsampler` (LapSRN);
            None: every level adds to the LR image, interpolated in one step.
        interpolation: of the LR image, where there is no `image_upsampler`.
        mean: subtracted from each channel before the backbone, and added at the end; None: nothing.

    Attributes:
        blends: by a level's scale, the weight of its residual against that of the level below, enlarged bilinearly; 1 for
            levels that are not named. A curriculum raises it from 0 to 1 while a level is new (ProSR, section 3.4).

    Raises:
        ValueError: a scale that is no power of 2; a backbone that cannot go on from features; channels that differ.
    """

    mean: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        upsampler: Callable[..., nn.Module],
        channels: int,
        scale: int,
        deeper: Sequence[Callable[..., nn.Module]] | None = None,
        share: bool = False,
        separate_heads: bool = False,
        tail: Callable[..., nn.Module] = Convolution,
        image_upsampler: Callable[..., nn.Module] | None = None,
        interpolation: str = "bicubic",
        mean: Sequence[float] | None = None,
    ) -> None:
        kernel_named(interpolation)
        facts = backbone_facts(backbone, channels)
        if scale not in LEVELS:
            raise ValueError(
                f"A pyramid doubles the size at each level and cannot reach scale={scale}: choose scale=2, 4 or 8, or "
                f"framework=post, whose upsamplers reach 3 in one step."
            )
        levels = LEVELS[scale]
        if deeper is not None and len(deeper) < levels - 1:
            raise ValueError(
                f"framework.deeper names {len(deeper)} levels above the first, scale={scale} has {levels - 1}."
            )
        takes_head = separate_heads or share or (levels > 1 and deeper is None)
        head = (
            take_head(backbone, "each level of a pyramid goes on from the one below") if takes_head else nn.Identity()
        )
        if deeper is None and takes_head and channels_of(head) != facts.out_channels:
            raise ValueError(
                f"{type(backbone).__name__} turns {channels_of(head)} channels into {facts.out_channels}, so that no level "
                f"can be followed by its like: give framework.deeper, or choose scale=2 or framework=post."
            )
        bodies = [backbone]
        for level in range(0 if share else levels - 1):
            below = published(bodies[-1]).out_channels
            bodies.append(copy.deepcopy(backbone) if deeper is None else deeper[level](in_channels=below))
        widths = [published(body).out_channels for body in bodies]
        ups = [upsampler(in_channels=width, scale=2, out_channels=width) for width in widths]
        tails = [last_layer(tail, up, published(up).out_channels, channels)[0] for up in ups]
        images = [image_upsampler(in_channels=channels, scale=2, out_channels=channels) for _ in ups if image_upsampler]
        of_head = halo_of_layers(head)
        halos = [published(body).halo for body in bodies]
        if takes_head:  # a copy of the backbone still counts the head that it lost
            kept = len(bodies) if deeper is None else 1
            halos[:kept] = [None if halo is None else halo - of_head for halo in halos[:kept]]
        halo = Pyramid(of_head, halos, ups, [published(layer).halo for layer in tails], images).halo(levels)
        if halo is not None and not images:
            halo = max(halo, enlarge_halo(scale, interpolation))
        scales = [factor for factor in LEVELS if factor <= scale]
        super().__init__(channels, scale, scales, facts.multiple_of, halo)
        starts = [f"x{one}" for one in scales] if separate_heads else ["all"]
        self.heads = nn.ModuleDict({one: copy.deepcopy(head) for one in starts})
        self.backbone = backbone
        self.deeper = nn.ModuleList(bodies[1:])
        self.upsamplers = nn.ModuleList(ups)
        self.tails = nn.ModuleList(tails)
        self.image_upsamplers = nn.ModuleList(images)
        self.separate_heads = separate_heads
        self.interpolation = interpolation
        self.blends: dict[int, float] = {}
        self.register_buffer("mean", per_channel(mean, channels), persistent=False)

    def predict_at(self, lr: Tensor, scale: int) -> Prediction:
        centred = lr - self.mean
        features = self.heads[f"x{scale}" if self.separate_heads else "all"](centred)
        bodies = [self.backbone, *self.deeper]
        image = centred
        residual: Tensor | None = None
        images: dict[str, Tensor] = {}
        for level in range(LEVELS[scale]):
            features = at(self.upsamplers, level)(at(bodies, level)(features))
            below, residual = residual, at(self.tails, level)(features)
            blend = self.blends.get(2 ** (level + 1), 1.0)
            if below is not None and blend < 1:
                residual = blend * residual + (1 - blend) * enlarge(below, 2, "bilinear")
            if len(self.image_upsamplers):
                image = at(self.image_upsamplers, level)(image) + residual
            else:
                image = enlarge(centred, 2 ** (level + 1), self.interpolation) + residual
            images[f"x{2 ** (level + 1)}"] = image + self.mean
        sr = images.pop(f"x{scale}")
        return Prediction(sr, images)


def at(parts: Sequence[nn.Module] | nn.ModuleList, level: int) -> nn.Module:
    """A level's part; where all levels share one, that."""
    return parts[level] if level < len(parts) else parts[0]


@dataclass
class Pyramid:
    """How far the parts of a pyramid reach, to tell how far the whole does."""

    head: int
    bodies: list[int | None]
    upsamplers: list[nn.Module]
    tails: list[int | None]
    images: list[nn.Module]

    def halo(self, level: int, beyond: int = 0) -> int | None:
        """LR pixels around its own that a pixel of this level's image reads, when it needs `beyond` neighbours too."""
        tail = self.tails[level - 1 if level <= len(self.tails) else 0]
        furthest = [None if tail is None else self.features(level, beyond + tail)]
        if self.images:
            below = reach(self.images[level - 1 if level <= len(self.images) else 0], beyond)
            furthest.append(below if level == 1 or below is None else self.halo(level - 1, below))
        known = [halo for halo in furthest if halo is not None]
        return max(known) if len(known) == len(furthest) else None

    def features(self, level: int, beyond: int | None) -> int | None:
        """The same for the features that the level's upsampler makes."""
        for place in reversed(range(level)):
            body = self.bodies[place if place < len(self.bodies) else 0]
            beyond = None if beyond is None else reach(self.upsamplers[min(place, len(self.upsamplers) - 1)], beyond)
            beyond = None if beyond is None or body is None else beyond + body
        return None if beyond is None else beyond + self.head


def reach(upsampler: nn.Module, beyond: int) -> int | None:
    """The halo of an upsampler's output pixels that need `beyond` neighbours too; None where it does not say."""
    method = getattr(upsampler, "reach", None)
    return method(beyond) if callable(method) else None
