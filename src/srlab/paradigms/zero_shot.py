"""Zero-shot super-resolution (ZSSR; Shocher, Cohen, Irani; CVPR 2018, arXiv 1712.06087).

A small network is trained on one image, to enlarge what was made smaller from it by the reduction that once made the image
itself; then it enlarges the image. Patches recur across scales, so that what it learns there holds here.
"""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.data.fathers import Ancestor, Fathers
from srlab.degradation.reduction import Reduction
from srlab.degradation.resize import crop_to_multiple, resize
from srlab.errors import InputError
from srlab.inference.back_projection import back_project
from srlab.inference.enlarge import evaluating
from srlab.inference.self_ensemble import median_of_turns
from srlab.losses.weighted import Step, Terms, WeightedSum
from srlab.networks.frameworks import PreUpsampling
from srlab.networks.network import Network
from srlab.paradigms.base import Training
from srlab.paradigms.single_image import FittedNetwork
from srlab.paradigms.slope_policy import SlopePolicy
from srlab.types import Batch, Prediction

log = logging.getLogger(__name__)

Factors = tuple[float, float]
"""Of an enlargement, along height and width."""


class ZeroShot(FittedNetwork):
    """Train on fathers and sons of the image; at each scale in turn, of which each result is a further ancestor.

    Args:
        network, training, reduction, loss, optimizer: see `FittedNetwork`; the network refines an interpolated image.
        fathers: how training images are drawn.
        policy: when the learning rate falls.
        iterations: of the run, shared by the scales; a scale ends sooner where the rate falls below `least_rate`.
        scales: (vertical, horizontal) factors of a gradual enlargement, the last of them the whole; None: one jump.
        back_projections: of the result at each scale.
        ensemble: the result is the median over the image's turns and flips (which of unequal factors keep the axes).
        noise_sigma: of what is added to sons, white at 1: for real photographs, whose noise must not be learned.
        least_rate: learning rate below which a scale has been learned.

    Raises:
        ValueError: options that cannot go together.
    """

    def __init__(
        self,
        network: Network,
        training: Training,
        reduction: Reduction | None,
        loss: WeightedSum,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
        fathers: Fathers,
        policy: SlopePolicy,
        iterations: int,
        scales: Sequence[Sequence[float]] | None = None,
        back_projections: Sequence[int] = (10,),
        ensemble: bool = True,
        noise_sigma: float = 0.0,
        least_rate: float = 9e-6,
    ) -> None:
        super().__init__(network, training, reduction, loss, optimizer)
        if not isinstance(network, PreUpsampling) or getattr(network.backbone, "multiple_of", 1) != 1:
            raise ValueError(
                "Zero-shot training refines images that were interpolated by any factor: choose network=zssr, or "
                "framework=pre with a backbone of any size, such as edsr."
            )
        whole = (float(network.scale), float(network.scale))
        self.scales: list[Factors] = [(float(one[0]), float(one[1])) for one in scales or [whole]]
        self._check(whole, back_projections, iterations)
        self.fathers, self.policy, self.iterations = fathers, policy, iterations
        self.back_projections, self.ensemble, self.noise_sigma = list(back_projections), ensemble, noise_sigma
        self.least_rate = least_rate
        self.results: list[Tensor] = []
        self.began = 0

    def _check(self, whole: Factors, back_projections: Sequence[int], iterations: int) -> None:
        if self.scales[-1] != whole or any(not 1 <= side <= whole[0] for one in self.scales for side in one):
            raise ValueError(
                f"paradigm.scales={self.scales} must go up to {whole}, the run's scale, from pairs of factors of 1 or more."
            )
        if len(self.scales) > 1 and not self.reduction.stretches:
            raise ValueError(
                "A kernel is for one scale, and gradual enlargement has several: take paradigm.scales=null, or "
                "reduction=bicubic."
            )
        if len(back_projections) != len(self.scales) or iterations < len(self.scales):
            raise ValueError(
                f"paradigm.back_projections={list(back_projections)}, iterations={iterations}: there are "
                f"{len(self.scales)} scales, and each needs a number of back-projections, and an iteration at least."
            )

    def takes_over(self, trainer: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing; but the policy judges after each iteration's step of the optimizer, of which there must be one."""
        if trainer.get("accumulate_grad_batches", 1) != 1:
            raise InputError("One image needs no accumulated gradients: set trainer.accumulate_grad_batches=1.")
        return {}

    # State

    @property
    def place(self) -> int:
        """Of the scale that is being learned."""
        return len(self.results)

    @property
    def ancestors(self) -> list[Ancestor]:
        """What fathers are cut from: the LR image, and each scale's result so far."""
        done = zip(self.results, self.scales, strict=False)
        return [Ancestor(self.lr, 1.0), *(Ancestor(result, min(factors)) for result, factors in done)]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        results = [result.cpu() for result in self.results]
        checkpoint["zero_shot"] = {"results": results, "began": self.began, "policy": self.policy.state()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        state = checkpoint["zero_shot"]
        self.results = list(state["results"])
        self.began = state["began"]
        self.policy.restore(state["policy"])

    # Training

    def on_train_start(self) -> None:
        self.results = [result.to(self.device) for result in self.results]
        if self.place == len(self.scales) - 1 and self._learned():  # as it was saved
            self.trainer.should_stop = True

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_start(batch, batch_idx)
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] *= self.policy.factor

    def training_step(self, lr: Tensor, batch_idx: int) -> Tensor:
        father = self.fathers.draw(self.ancestors, multiple=self.network.scale)
        son = self.son_of(father)
        sr = self.refined(son, father)
        batch = Batch(son, father.to(memory_format=self.memory_format), torch.tensor([self.iteration]))
        terms: Terms = self.loss(Step(Prediction(sr, {}), batch, self.iteration))
        known = {"reconstruction": self.policy.errors[-1]} if self.policy.errors else {}
        self.log_terms(terms, rate_factor=self.policy.factor, ancestors=float(self.place + 1), **known)
        return terms.total

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        iteration = self.iteration - self.began - 1
        if self.policy.wants_sample(iteration):
            self.policy.errors.append(self.reconstruction_error())
        if self.policy.check(iteration):
            log.info("iteration %d: the learning rate falls to %g of its start", self.iteration, self.policy.factor)
        if self._learned():
            self._next_scale()

    def son_of(self, father: Tensor) -> Tensor:
        """What the reduction makes of an image at the present scale: (1, C, ...), with noise, in [0, 1]."""
        vertical, horizontal = self.scales[self.place]
        size = (math.ceil(father.shape[-2] / vertical), math.ceil(father.shape[-1] / horizontal))
        son = self.reduction.to_size(father, size)
        return (son + self.noise_sigma * torch.randn_like(son) if self.noise_sigma else son).clamp(0, 1)

    def refined(self, image: Tensor, like: Tensor) -> Tensor:
        """An image, interpolated to the size of another, and refined by the network; not clamped."""
        assert isinstance(self.network, PreUpsampling)
        enlarged = resize(image, size=(like.shape[-2], like.shape[-1]))
        return self.network.refine(enlarged.to(memory_format=self.memory_format))

    @torch.no_grad()
    def reconstruction_error(self) -> float:
        """The mean squared error with which the image itself comes back, reduced and enlarged: no truth is needed."""
        with evaluating(self.network), torch.autocast(self.device.type, enabled=False):
            image = crop_to_multiple(self.lr, self.network.scale)
            back = self.refined(self.son_of(image), image).clamp(0, 1)
        return float((back - image).double().square().mean())

    def _learned(self) -> bool:
        (optimizer,) = self.trainer.optimizers
        rate = optimizer.param_groups[0]["initial_lr"] * self.policy.factor
        return bool(rate < self.least_rate or self.iteration - self.began >= self.iterations // len(self.scales))

    def _next_scale(self) -> None:
        if self.place == len(self.scales) - 1:
            if self.iteration < self.iterations:  # else it ends by itself, and may be made longer
                log.info("iteration %d: the image is learned", self.iteration)
                self.trainer.should_stop = True
            return
        self.results.append(self.enlarged(self.place))
        self.began = self.iteration
        self.policy.restart()
        log.info("iteration %d: on to scale %s", self.iteration, self.scales[self.place])

    # The result

    @torch.no_grad()
    def enlarged(self, place: int) -> Tensor:
        """The image, enlarged to one of the scales, as it is returned: (1, C, H, W) in [0, 1], in float32."""
        vertical, horizontal = self.scales[place]
        size = (math.ceil(self.lr.shape[-2] * vertical), math.ceil(self.lr.shape[-1] * horizontal))
        target = self.lr.new_empty(1, 1, *size)

        def refine(lr: Tensor) -> Tensor:
            lies = vertical == horizontal and lr.shape[-2:] != self.lr.shape[-2:]
            return self.refined(lr, target.mT if lies else target).clamp(0, 1)

        def project(sr: Tensor) -> Tensor:
            return back_project(sr, self.lr, self.reduction, self.back_projections[place])

        with evaluating(self.network), torch.autocast(self.device.type, enabled=False):
            if not self.ensemble:
                return project(refine(self.lr))
            places = range(8) if vertical == horizontal else (0, 2, 4, 6)
            return project(median_of_turns(refine, self.lr, places, finish=project))

    def result(self) -> Tensor:
        return self.enlarged(len(self.scales) - 1)

    def other_results(self) -> dict[str, Tensor]:
        """The network's own output; and what back-projection gains without any network."""
        scale = self.network.scale
        iterations = self.back_projections[-1]
        enlarged = resize(self.lr, scale=scale).clamp(0, 1)
        with torch.no_grad(), evaluating(self.network):
            raw = self.refined(self.lr, enlarged).clamp(0, 1)
        return {"raw": raw, "back_projected": back_project(enlarged, self.lr, self.reduction, iterations)}
