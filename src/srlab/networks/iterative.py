"""Up and down in turn: HR features are made several times, each time corrected (DBPN, SRFBN, DSRN; survey, figure 2d)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution
from srlab.networks.frameworks import backbone_facts, per_channel
from srlab.networks.interpolation import enlarge, enlarge_halo, kernel_named
from srlab.networks.network import Network, published
from srlab.types import Prediction


class Iterative(Network):
    """lr (B, C, H, W) -> sr (B, C, scale H, scale W); each step's image is an intermediate, "step1" the first.

    A design publishes how its steps make the result (`fusion`): "concatenate": the tail sees all steps' features at once,
    and "step k" is what it makes of the first k; "mean": the average of all steps; "last": the last step, which
    is `sr` itself and not repeated among the intermediates.

    Args:
        backbone: an iterative design (dbpn, srfbn, dsrn), to be called with `scale` and `upsampler`; or any backbone of
            one resolution, whose features `projection` takes up and down.
        upsampler: makes each way up when called with `in_channels`, `scale` and `out_channels`.
        channels: C.
        scale: the factor: 2, 3, 4 or 8.
        projection: makes the alternation when called with `in_channels`, `scale` and `upsampler`, for a backbone of
            one resolution; not used with an iterative design.
        tail: makes the last layer, features to image, when called with `in_channels` and `out_channels`.
        interpolation: of the image to which each step's image is added, where `global_residual` is set.
        global_residual: the layers learn what to add to the interpolated image, instead of the image.
        mean: subtracted from each channel before the backbone, and added at the end; None: nothing.

    Raises:
        ValueError: the channels of two neighbours differ, or there is neither an iterative design nor a projection.
    """

    mean: Tensor

    def __init__(
        self,
        backbone: nn.Module | Callable[..., nn.Module],
        upsampler: Callable[..., nn.Module],
        channels: int,
        scale: int,
        projection: Callable[..., nn.Module] | None = None,
        tail: Callable[..., nn.Conv2d] = Convolution,
        interpolation: str = "bicubic",
        global_residual: bool = False,
        mean: Sequence[float] | None = None,
    ) -> None:
        kernel_named(interpolation)
        if not isinstance(backbone, nn.Module):
            design = backbone(scale=scale, upsampler=upsampler)
        elif projection is None:
            raise ValueError(
                f"{type(backbone).__name__} stays at one resolution: give framework.projection, which takes its features "
                f"up and down, or choose backbone=dbpn, srfbn or dsrn, or framework=post."
            )
        else:
            width = backbone_facts(backbone, channels).out_channels
            design = Projected(backbone, projection(in_channels=width, scale=scale, upsampler=upsampler))
        facts = backbone_facts(design, channels)
        fusion, steps = str(design.fusion), design.steps
        assert isinstance(steps, int)
        together = steps if fusion == "concatenate" else 1
        last = tail(in_channels=together * facts.out_channels, out_channels=channels)
        reach = getattr(design, "reach", None)
        halo: int | None = reach(published(last).halo) if callable(reach) else None
        if halo is not None and global_residual:
            halo = max(halo, enlarge_halo(scale, interpolation))
        super().__init__(channels, scale, facts.multiple_of, halo)
        self.backbone = design
        self.tail = last
        self.fusion = fusion
        self.interpolation = interpolation
        self.global_residual = global_residual
        self.register_buffer("mean", per_channel(mean, channels), persistent=False)

    def predict(self, lr: Tensor) -> Prediction:
        centred = lr - self.mean
        states: list[Tensor] = self.backbone(centred)
        base = self.mean
        if self.global_residual:
            base = base + enlarge(centred, self.scale, self.interpolation)
        if self.fusion == "concatenate":
            images = [base + image for image in self.partial_images(states)]
            return Prediction(base + self.tail(torch.cat(states, dim=1)), steps_named(images[:-1]))
        images = [base + self.tail(state) for state in states]
        if self.fusion == "mean":
            return Prediction(torch.stack(images).mean(dim=0), steps_named(images))
        return Prediction(images[-1], steps_named(images[:-1]))

    def partial_images(self, states: list[Tensor]) -> list[Tensor]:
        """What the tail makes of the first state, of the first two, and so on: it is linear in them."""
        tail = self.tail
        width = states[0].shape[1]
        images: list[Tensor] = []
        for place, state in enumerate(states):
            kernel = tail.weight[:, place * width : (place + 1) * width]
            bias = tail.bias if place == 0 else None
            part = nn.functional.conv2d(state, kernel, bias, padding=tail.padding)
            images.append(part if not images else images[-1] + part)
        return images


def steps_named(images: list[Tensor]) -> dict[str, Tensor]:
    return {f"step{place}": image for place, image in enumerate(images, start=1)}


class Projected(nn.Module):
    """A backbone of one resolution and the alternation that goes on from its features, as one design.

    Args:
        backbone: image to features, at the small size.
        projection: those features to HR features of each step.
    """

    def __init__(self, backbone: nn.Module, projection: nn.Module) -> None:
        super().__init__()
        facts = published(backbone)
        self.features = backbone
        self.projection = projection
        self.fusion = projection.fusion
        self.steps = projection.steps
        self.in_channels = facts.in_channels
        self.out_channels = projection.out_channels
        self.multiple_of = facts.multiple_of
        self.halo = facts.halo

    def forward(self, image: Tensor) -> list[Tensor]:
        states: list[Tensor] = self.projection(self.features(image))
        return states

    def reach(self, beyond: int | None) -> int | None:
        reach = getattr(self.projection, "reach", None)
        low = reach(beyond) if callable(reach) else None
        return None if low is None or self.halo is None else low + self.halo
