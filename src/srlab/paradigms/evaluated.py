"""A network and the average of it, validated and tested under the protocol."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import fmean
from typing import Any

import lightning.pytorch as pl
import torch
import torch.distributed
from torch import Tensor

from srlab.evaluation.evaluate import Scored, score_image
from srlab.evaluation.results import Score, mean_scores
from srlab.evaluation.video_scoring import require_scorable, score_clip
from srlab.inference.enlarge import enlarge, enlarge_clip, evaluating
from srlab.networks.network import Network, at_scale
from srlab.networks.video.network import Read
from srlab.paradigms.ema import MovingAverage
from srlab.paradigms.settings import Training
from srlab.sharding import FullySharded
from srlab.types import LabelledClip, LabelledImage

log = logging.getLogger(__name__)


class Evaluated(pl.LightningModule):
    """What is asked for SR, and scored, while and after a paradigm trains it.

    Args:
        network: LR -> HR.
        training: what every paradigm has.
    """

    def __init__(self, network: Network, training: Training) -> None:
        super().__init__()
        self.settings = training
        self.memory_format = torch.channels_last if training.channels_last else torch.contiguous_format
        self.network = network.to(memory_format=self.memory_format)
        self.ema = MovingAverage(self.network, training.ema_decay) if training.ema_decay is not None else None
        if training.compile:
            self.network.compile()
        self.several_scales: tuple[int, ...] = ()
        """Which the network is trained at, where these are several."""
        self.scores: list[Score] = []

    @property
    def iteration(self) -> int:
        """Training batches begun so far: in a step, the number of that step from 1."""
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.ready

    @property
    def evaluated(self) -> Network:
        """The network that is validated, tested and exported."""
        if self.ema is not None and self.settings.evaluate == "ema":
            return self.ema.network
        return self.network

    @property
    def monitor(self) -> str:
        """The logged metric in which the best weights are best."""
        return f"val/{self.settings.protocol.metric_names[0]}"

    @property
    def tested_scales(self) -> tuple[int, ...]:
        """At which the network is validated and tested."""
        return self.several_scales or (self.evaluated.scale,)

    def super_resolve(self, lr: Tensor, guide: Tensor | None = None) -> Tensor:
        """What a user of the trained network gets: (B, C, H, W) -> (B, C, scale H, scale W) in [0, 1], in float32.

        A clip (B, T, C, H, W) becomes a clip.
        """
        with evaluating(self.evaluated), torch.autocast(self.device.type, enabled=False):
            lr = laid_out(lr.to(self.device), self.memory_format)
            return enlarge(self.evaluated, lr, guide=None if guide is None else guide.to(self.device))

    def super_resolve_clip(self, read: Read, length: int) -> Iterator[Tensor]:
        """The same for a clip that is read some frames at a time: parts of its SR (1, t, C, scale H, scale W)."""
        with evaluating(self.evaluated), torch.autocast(self.device.type, enabled=False):
            yield from enlarge_clip(
                self.evaluated, lambda *part: laid_out(read(*part).to(self.device), self.memory_format), length
            )

    def on_fit_start(self) -> None:
        """Refuse what validation could not score (`InputError`) before the first iteration, not after the thousandth."""
        data = getattr(self.trainer, "datamodule", None)
        if data is None or not self.trainer.enable_validation:
            return
        images: Any = data.val_dataloader().dataset
        if len(images) and isinstance(image := images[0], LabelledImage | LabelledClip):
            for scale in self._scales(image):
                require_scorable(image, self.settings.protocol, scale, self.evaluated.channels, self.settings.metrics)

    def validation_step(self, image: Any, batch_idx: int) -> dict[str, Scored]:
        """Score a `LabelledImage` or a `LabelledClip`."""
        scored = {scale: self._scored(image, scale) for scale in self._scales(image)}
        self.scores.extend(score for one in scored.values() for score in one.scores)
        return {"scored": scored[self.evaluated.scale]}

    def _scales(self, image: LabelledImage | LabelledClip) -> tuple[int, ...]:
        """At which an image is scored: all, but with LR files of its set only theirs, the network's own."""
        return self.tested_scales if image.lr is None else (self.evaluated.scale,)

    def _scored(self, image: LabelledImage | LabelledClip, scale: int) -> Scored:
        """An image or a clip at a scale, which is named with its set where the network has several: "set5_x3"."""
        if len(self.tested_scales) > 1:
            image = replace(image, dataset=f"{image.dataset}_x{scale}")
        network = self.evaluated
        with at_scale(network, scale):
            facts = self.settings.protocol, scale, network.channels, self.settings.metrics
            if isinstance(image, LabelledClip):
                return score_clip(self.super_resolve_clip, image, *facts)
            return score_image(self.super_resolve, image, *facts)

    def on_validation_epoch_start(self) -> None:
        self.scores = []

    def on_validation_epoch_end(self) -> None:
        scores = self._of_all_ranks(self.scores)
        means = {f"{score.dataset}/{score.metric}": score.value for score in mean_scores(scores)}
        for metric in dict.fromkeys(score.metric for score in scores):  # a set's order is another in each process
            means[metric] = fmean(score.value for score in scores if score.metric == metric)
        self.log_scalars("val", means)
        summary = ", ".join(f"{name} {value:.4g}" for name, value in means.items() if "/" in name)
        log.info("iteration %d: %s", self.iteration, summary)

    def log_scalars(self, stage: str, scalars: Mapping[str, Tensor | float]) -> None:
        """Log scalars under `<stage>/<name>`, against the iteration."""
        self.log_dict({f"{stage}/{name}": value for name, value in scalars.items()}, batch_size=1)
        self.log("step", float(self.iteration), batch_size=1)  # what Lightning hands its loggers as the x axis

    def _of_all_ranks(self, scores: list[Score]) -> list[Score]:
        if self.trainer.world_size == 1 or isinstance(self.trainer.strategy, FullySharded):
            return scores
        gathered: list[list[Score] | None] = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(gathered, scores)
        return [score for part in gathered if part for score in part]


def laid_out(images: Tensor, memory_format: torch.memory_format) -> Tensor:
    """Images (B, C, H, W), or the frames of clips (B, T, C, H, W), in a memory format of images."""
    return torch.unflatten(images.flatten(0, -4).to(memory_format=memory_format), 0, images.shape[:-3])
