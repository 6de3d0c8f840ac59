"""What paradigms share that learn from one LR image alone."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from srlab.data.pixels import to_pixels
from srlab.data.single_image import SingleImageData
from srlab.data.writing import write_image
from srlab.degradation.reduction import Reduction
from srlab.errors import InputError
from srlab.estimation.writing import write_kernel
from srlab.losses.weighted import Terms, WeightedSum
from srlab.networks.network import Network
from srlab.paradigms.base import SuperResolution, Training
from srlab.types import BareImage, LabelledImage

RESULT = "sr"
"""The result's file in the run folder: `sr.png`, or `.tif` where PNG cannot hold it."""


class SingleImage(SuperResolution, ABC):
    """A base. A paradigm adds its `training_step` and its `result`; the run leaves that, and the kernel that it trusted.

    The HR image, where one is given, is seen by validation alone. Without one, validation reports how well the result,
    reduced, agrees with LR (`val/lr_psnr`), and draws pictures. The network's weights are not averaged over iterations:
    with one image, what is averaged, if anything, is the result.

    Args:
        network: what makes the result, or is a part of what does.
        training: what every paradigm has.
        reduction: how LR is thought to have come from HR.
    """

    lr: Tensor

    def __init__(
        self,
        network: Network,
        training: Training,
        reduction: Reduction | None,
    ) -> None:
        super().__init__(network, replace(training, ema_decay=None, evaluate="raw"))
        if reduction is None:
            raise ValueError("How was the image reduced? Choose reduction=bicubic, or reduction=kernel with its path.")
        if reduction.scale != network.scale:
            raise ValueError(f"reduction.scale={reduction.scale}, but scale={network.scale}: set them alike.")
        self.reduction = reduction
        self.given: BareImage | None = None
        self.has_truth = False

    @property
    def monitor(self) -> str:
        return super().monitor if self.has_truth else "val/lr_psnr"

    def setup(self, stage: str) -> None:
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, SingleImageData):
            raise InputError(
                f"{type(self).__name__} learns from one image: choose data=image with data.image=<file>, or "
                f"data=benchmark_image."
            )
        self.given, self.has_truth = data.given, data.hr_files is not None
        self.register_buffer("lr", self.given.lr[None].to(memory_format=self.memory_format), persistent=False)
        self.reduction.see(self.lr)

    def log_terms(self, terms: Terms, **others: Tensor | float) -> None:
        """Log where the loggers write: an iteration is so short that Lightning's accounts would be a fifth of it."""
        if self.iteration % self.trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            super().log_terms(terms, **others)

    # The result

    @abstractmethod
    def result(self) -> Tensor:
        """The image, super-resolved: (1, C, scale h, scale w) in [0, 1]."""

    def other_results(self) -> dict[str, Tensor]:
        """What else is worth a score beside the result, by its name in the logs."""
        return {}

    @torch.no_grad()
    def super_resolve(self, lr: Tensor, guide: Tensor | None = None) -> Tensor:
        if not torch.equal(lr.to(self.lr.device), self.lr):
            raise InputError(f"{type(self).__name__} was trained on one image, and enlarges that one alone.")
        with torch.autocast(self.device.type, enabled=False):
            return self.result().float()

    def leave(self, folder: Path) -> dict[str, Path]:
        assert self.given is not None
        sr = self.super_resolve(self.lr)[0]
        suffix = "png" if self.given.levels and len(sr) in (1, 3) else "tif"
        path = folder / f"{RESULT}.{suffix}"
        write_image(path, to_pixels(sr, self.given.levels))
        kernel, _, shown = write_kernel(folder, self.reduction.kernel.double().cpu().numpy())
        return {"result": path, "kernel": kernel, "its picture": shown}

    # Validation

    def validation_step(self, image: LabelledImage | BareImage, batch_idx: int) -> dict[str, Any]:
        if isinstance(image, LabelledImage):
            outputs: dict[str, Any] = dict(super().validation_step(image, batch_idx))
            scored = outputs["scored"]
            sr, protocol = scored.sr, self.settings.protocol
            others = {
                f"{name}_{metric}": value
                for name, other in self.other_results().items()
                for metric, value in protocol.score(other.cpu(), scored.case).items()
            }
        else:
            sr, others = self.super_resolve(self.lr).cpu(), {}
            outputs = {"lr": self.lr.cpu(), "sr": sr}
        self.log_scalars("val", {"lr_psnr": self.agreement(sr)} | others)
        return outputs

    @torch.no_grad()
    def agreement(self, sr: Tensor) -> float:
        """PSNR in dB between LR and the result, reduced: what a wrong result fails first."""
        error = (self.reduction(sr.to(self.device)) - self.lr).double().square().mean()
        return float(-10 * torch.log10(error.clamp(min=1e-12)))


class FittedNetwork(SingleImage):
    """A base for paradigms that train one network on the image.

    Args:
        network, training, reduction: see `SingleImage`.
        loss: the objective.
        optimizer: parameters -> optimizer.
    """

    def __init__(
        self,
        network: Network,
        training: Training,
        reduction: Reduction | None,
        loss: WeightedSum,
        optimizer: Callable[[Iterable[Parameter]], Optimizer],
    ) -> None:
        super().__init__(network, training, reduction)
        self.loss, self.make_optimizer = loss, optimizer

    def configure_optimizers(self) -> Optimizer:
        return self.prepared(self.make_optimizer(self.network.parameters()))
