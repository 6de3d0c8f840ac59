"""Multi-supervision: a loss of a network's named outputs on the way, each against HR at its own size.

LapSRN supervises its levels (Lai et al., CVPR 2017, equation 5), DRCN its recursions (Kim et al., CVPR 2016, equation 8),
MemNet its memory blocks (Tai et al., ICCV 2017, equation 12), SRFBN its steps (Li et al., CVPR 2019, equation 12).
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn

from srlab.degradation.blur import blur, gaussian_kernel
from srlab.degradation.resize import resize
from srlab.errors import InputError
from srlab.losses.weighted import Step, Term
from srlab.schedules import Schedule
from srlab.types import Prediction

FINAL = "sr"
"""The name of the network's result, as an output among others."""


class Supervision(Term):
    """A loss of a subset of the outputs, summed or averaged over them; each is logged under its own name.

    Args:
        loss: (output, target) -> ().
        outputs: patterns of the names ("x*", "step*", "step3"); "sr" is the result itself, always the last.
        weights: one for each output that matches, the first output first; None: 1 each.
        average: divide by the sum of the weights; False: sum.
        target_sigmas: the difficulty of each output's target: HR is softened by a Gaussian of this standard deviation,
            in the output's pixels, the first output first (SRFBN's curriculum: descending); None: sharp targets.
        weight, ramp: see `Term`; DRCN's ramp falls from 1 to 0.

    Raises:
        ValueError: no pattern, or negative numbers.
    """

    def __init__(
        self,
        loss: nn.Module,
        outputs: Sequence[str],
        weights: Sequence[float] | None = None,
        average: bool = True,
        target_sigmas: Sequence[float] | None = None,
        weight: float = 1.0,
        ramp: Schedule | None = None,
    ) -> None:
        super().__init__(weight, ramp)
        if not outputs:
            raise ValueError("outputs=[] supervises nothing: name some, as in [step*] or [x2,sr].")
        if min([0.0, *(weights or ()), *(target_sigmas or ())]) < 0:
            raise ValueError(f"weights={weights}, target_sigmas={target_sigmas}: give numbers of 0 or more.")
        if weights is not None and not sum(weights):
            raise ValueError("weights are all 0: leave the loss out instead.")
        self.loss, self.outputs, self.weights = loss, outputs, weights
        self.average, self.target_sigmas = average, target_sigmas

    def measure_parts(self, step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        outputs = self.supervised(step.prediction)
        weights = self._one_each("weights", self.weights, 1.0, outputs)
        sigmas = self._one_each("target_sigmas", self.target_sigmas, 0.0, outputs)
        losses = {
            name: self.loss(output, target_of(step.batch.hr, output, sigma))
            for (name, output), weight, sigma in zip(outputs.items(), weights, sigmas, strict=True)
            if weight
        }
        kept = [weight for weight in weights if weight]
        total = torch.stack([weight * loss for weight, loss in zip(kept, losses.values(), strict=True)]).sum()
        return total / sum(kept) if self.average else total, losses

    def measure(self, step: Step) -> Tensor:
        return self.measure_parts(step)[0]

    def supervised(self, prediction: Prediction) -> dict[str, Tensor]:
        """The outputs whose names match, in the network's order, the result last.

        Raises:
            InputError: there is none.
        """
        known = prediction.intermediate | {FINAL: prediction.sr}
        named = {name: known[name] for name in known if any(fnmatchcase(name, one) for one in self.outputs)}
        if not named:
            raise InputError(
                f"outputs={list(self.outputs)} match none of the network's outputs, {', '.join(known)}: name some of "
                f"these, or take a network with outputs on its way (lapsrn, drcn, memnet, srfbn, dbpn)."
            )
        return named

    @staticmethod
    def _one_each(name: str, given: Sequence[float] | None, default: float, outputs: dict[str, Tensor]) -> list[float]:
        numbers = [default] * len(outputs) if given is None else list(given)
        if len(numbers) != len(outputs):
            raise InputError(f"{name} has {len(numbers)} numbers for the {len(outputs)} outputs {', '.join(outputs)}.")
        return numbers


def target_of(hr: Tensor, output: Tensor, sigma: float = 0.0) -> Tensor:
    """What an output (B, C, h, w) should be: HR (B, C, H, W), reduced by bicubic to its size, and softened.

    Args:
        hr: as large as the output, or a whole multiple.
        output: of the network.
        sigma: of the Gaussian, in the output's pixels; 0: sharp.
    """
    target = hr
    if output.shape[-2:] != hr.shape[-2:]:
        target = resize(hr, size=(output.shape[-2], output.shape[-1])).clamp(0, 1)
    if sigma:
        target = blur(target, gaussian_kernel(2 * round(3 * sigma) + 1, sigma, sigma)[None])
    return target
