"""What a learned degradation minimises: LR that shows what HR shows, and that nobody tells from real LR."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.degradation.downscale import downscale
from srlab.losses.adversarial import Objective
from srlab.losses.weighted import Terms
from srlab.networks.degradation_discriminators import high_pass, low_pass

Judge = Callable[[Tensor], Tensor]


class DegradationLoss(nn.Module):
    """alpha x pixel(G(x, z), anchor(x)) + beta x adversarial (Bulat et al., ECCV 2018, equation 1; DSGAN, equation 8).

    Bulat's paper anchors to the average-pooled HR and judges the image whole. DSGAN anchors to the bicubic LR, and parts
    the frequencies between the terms: the low ones are for the pixel term, the high ones for the discriminator.

    Args:
        objective: of the discriminator, and of G against it.
        pixel: (lr, anchor) -> ().
        pixel_weight: alpha.
        adversarial_weight: beta.
        anchor: `average`, or `bicubic`.
        low_pass: the pixel term compares means of so many LR pixels, odd; 1: the images themselves.
        high_pass: the discriminator sees what such means leave over; 1: the images themselves.
    """

    def __init__(
        self,
        objective: Objective,
        pixel: nn.Module,
        pixel_weight: float = 1.0,
        adversarial_weight: float = 0.05,
        anchor: str = "average",
        low_pass: int = 1,
        high_pass: int = 1,
    ) -> None:
        super().__init__()
        if min(pixel_weight, adversarial_weight) < 0 or not pixel_weight + adversarial_weight:
            raise ValueError(
                f"pixel_weight={pixel_weight}, adversarial_weight={adversarial_weight}: give 0 or more, not both 0."
            )
        if anchor not in ("average", "bicubic"):
            raise ValueError(f"anchor={anchor}: choose average (Bulat) or bicubic (DSGAN).")
        if min(low_pass, high_pass) < 1 or not low_pass % 2 or not high_pass % 2:
            raise ValueError(f"low_pass={low_pass}, high_pass={high_pass}: give odd numbers of pixels; 1 for none.")
        self.objective, self.pixel = objective, pixel
        self.pixel_weight, self.adversarial_weight = pixel_weight, adversarial_weight
        self.anchor, self.low_pass, self.high_pass = anchor, low_pass, high_pass

    def generator(self, fake: Tensor, hr: Tensor, judge: Judge) -> Terms:
        """What G minimises, given its LR (B, C, H, W), the HR that it is of, and the discriminator."""
        terms: dict[str, tuple[float, Tensor]] = {}
        if self.pixel_weight:
            anchor = self.anchored(hr, hr.shape[-1] // fake.shape[-1])
            pair = (low_pass(image, self.low_pass) for image in (fake, anchor))
            terms["anchor"] = self.pixel_weight, self.pixel(*pair)
        if self.adversarial_weight:
            terms["adversarial"] = self.adversarial_weight, self.objective.generator(judge(self.seen(fake)).float())
        total = torch.stack([weight * value for weight, value in terms.values()]).sum()
        return Terms(total, {name: value.detach() for name, (_, value) in terms.items()})

    def discriminator(self, real: Tensor, fake: Tensor, judge: Judge) -> Tensor:
        """What the discriminator minimises, given real LR and G's, which gets no gradient."""
        logits = (judge(self.seen(image)).float() for image in (real, fake.detach()))
        return self.objective.discriminator(*logits)

    def anchored(self, hr: Tensor, scale: int) -> Tensor:
        """The LR that G is kept near to."""
        if self.anchor == "average":
            return F.avg_pool2d(hr, scale)
        return downscale(hr, scale, 0, rounding="none")

    def seen(self, lr: Tensor) -> Tensor:
        """What the discriminator sees of an LR image."""
        return high_pass(lr, self.high_pass) if self.high_pass > 1 else lr
