"""What a learned degradation minimises: LR that shows what HR shows, and that nobody tells from real LR."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradation.downscale import downscale
from srlab.losses.adversarial import Objective
from srlab.losses.weighted import Terms
from srlab.networks.frequencies import low_pass

Judge = Callable[[Tensor], Tensor]


class SquaredBias(nn.Module):
    """The squared error of what G makes on average over its noise, from two draws: three (B, C, H, W) -> ().

    The product of two independent errors, E[(G(x, z) - y) (G(x, z') - y)] = (E[G(x, z)] - y)^2, where the squared error
    of one draw expects the noise's variance besides. It may come out below 0.
    """

    def forward(self, first: Tensor, second: Tensor, anchor: Tensor) -> Tensor:
        return ((first - anchor) * (second - anchor)).mean()


class DegradationLoss(nn.Module):
    """alpha x pixel(G(x, z), anchor(x)) + beta x adversarial (Bulat et al., ECCV 2018, equation 1; DSGAN, equation 8).

    Bulat's paper anchors to the average-pooled HR and judges the image whole. DSGAN anchors to the bicubic LR, and parts
    the frequencies between the terms: the low ones are for the pixel term, the high ones for the discriminator (its
    `high_pass`). Means of noise are noise too, however: a pixel term of one draw forbids G the low frequencies of its
    noise, which then comes out blue. `SquaredBias` does not.

    Args:
        objective: of the discriminator, and of G against it.
        pixel: (lr, anchor) -> (), or a `SquaredBias`.
        pixel_weight: alpha.
        adversarial_weight: beta.
        anchor: `average`, or `bicubic`.
        low_pass: the pixel term compares means of so many LR pixels, odd; 1: the images themselves.
    """

    def __init__(
        self,
        objective: Objective,
        pixel: nn.Module,
        pixel_weight: float = 1.0,
        adversarial_weight: float = 0.05,
        anchor: str = "average",
        low_pass: int = 1,
    ) -> None:
        super().__init__()
        if min(pixel_weight, adversarial_weight) < 0 or not pixel_weight + adversarial_weight:
            raise ValueError(
                f"pixel_weight={pixel_weight}, adversarial_weight={adversarial_weight}: give 0 or more, not both 0."
            )
        if anchor not in ("average", "bicubic"):
            raise ValueError(f"anchor={anchor}: choose average (Bulat) or bicubic (DSGAN).")
        if low_pass < 1 or not low_pass % 2:
            raise ValueError(f"low_pass={low_pass}: give an odd number of pixels; 1 for none.")
        self.objective, self.pixel = objective, pixel
        self.pixel_weight, self.adversarial_weight = pixel_weight, adversarial_weight
        self.anchor, self.low_pass = anchor, low_pass

    @property
    def takes_two(self) -> bool:
        """Whether G has to draw twice."""
        return isinstance(self.pixel, SquaredBias) and self.pixel_weight > 0

    def generator(self, fake: Tensor, hr: Tensor, judge: Judge, second: Tensor | None = None) -> Terms:
        """What G minimises, given its LR (B, C, H, W), the HR that it is of, and the discriminator.

        Where the loss `takes_two`, `second` is LR of the same HR by other noise.
        """
        terms: dict[str, tuple[float, Tensor]] = {}
        if self.pixel_weight:
            anchor = self.anchored(hr, hr.shape[-1] // fake.shape[-1])
            compared = [fake, anchor] if second is None else [fake, second, anchor]
            terms["anchor"] = self.pixel_weight, self.pixel(*(low_pass(image, self.low_pass) for image in compared))
        if self.adversarial_weight:
            terms["adversarial"] = self.adversarial_weight, self.objective.generator(judge(fake).float())
        total = torch.stack([weight * value for weight, value in terms.values()]).sum()
        return Terms(total, {name: value.detach() for name, (_, value) in terms.items()})

    def discriminator(self, real: Tensor, fake: Tensor, judge: Judge) -> Tensor:
        """What the discriminator minimises, given real LR and G's, which gets no gradient."""
        logits = (judge(image).float() for image in (real, fake.detach()))
        return self.objective.discriminator(*logits)

    def anchored(self, hr: Tensor, scale: int) -> Tensor:
        """The LR that G is kept near to."""
        if self.anchor == "average":
            return F.avg_pool2d(hr, scale)
        return downscale(hr, scale, 0, rounding="none")
