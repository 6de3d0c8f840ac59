"""What every learning paradigm shares: its network and the average of it, one clock, validation under the protocol."""

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
import torch.distributed
from torch import Tensor
from torch.optim import Optimizer

from srlab.data.stream import key
from srlab.errors import InputError
from srlab.evaluation.evaluate import Scored, score_image
from srlab.evaluation.metrics import Metric
from srlab.evaluation.protocol import Protocol
from srlab.evaluation.results import Score, mean_scores
from srlab.evaluation.strips import Panel
from srlab.evaluation.video_scoring import score_clip
from srlab.inference.enlarge import enlarge, enlarge_clip, evaluating
from srlab.losses.weighted import Terms
from srlab.networks.network import Network, at_scale
from srlab.networks.video.network import Read
from srlab.networks.weights import load_weights
from srlab.paradigms.ema import MovingAverage
from srlab.schedules import Schedule
from srlab.sharding import FullySharded, whole_weights
from srlab.types import Batch, LabelledClip, LabelledImage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Training:
    """What is the same in every paradigm.

    Attributes:
        seed: of the run.
        scheduler: iteration (from 0) -> factor of each optimizer's learning rate.
        protocol: how validation and tests make LR images and score results.
        metrics: further metrics by name, beside the protocol's.
        ema_decay: of the network's moving average; None for none.
        evaluate: `ema` or `raw`: which weights are validated, tested and exported.
        channels_last: keep images and weights with the channels innermost in memory: faster convolutions.
        compile: `torch.compile` the network; state-dict names stay.
    """

    seed: int
    scheduler: Schedule
    protocol: Protocol
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    ema_decay: float | None = 0.999
    evaluate: str = "ema"
    channels_last: bool = True
    compile: bool = False

    def __post_init__(self) -> None:
        if self.evaluate not in {"ema", "raw"}:
            raise ValueError(f"training.evaluate={self.evaluate}: choose ema or raw.")
        if self.evaluate == "ema" and self.ema_decay is None:
            raise ValueError(
                "training.evaluate=ema needs an average: set training.ema_decay, or training.evaluate=raw."
            )


class SuperResolution(pl.LightningModule):
    """A paradigm's base. A paradigm adds its losses, its optimizers and its `training_step`.

    The only clock is the iteration: one training batch. The global random state of each iteration is seeded by (seed,
    iteration, rank), and learning rates and averages are functions of the iteration, so a resumed run goes on exactly.

    Args:
        network: LR -> HR.
        training: what every paradigm has.

    Attributes:
        unexportable: why there is no network that other images could be given; None: there is one.
        shardable: whether all that it trains is its network, whose weights several processes may share.
    """

    unexportable: str | None = None
    shardable = False

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
        self.facts: dict[str, str] = {}
        """What a user of the network should know of its training, to be kept in its checkpoints and its export."""
        self.config: dict[str, Any] = {}
        """The run's resolved configuration in plain containers, to be kept in its checkpoints."""

    @property
    def iteration(self) -> int:
        """Training batches begun so far: in a step, the number of that step from 1."""
        return self.trainer.fit_loop.epoch_loop.batch_progress.total.ready

    @property
    def accumulating(self) -> bool:
        """Whether this iteration's gradients wait for the next one's: a checkpoint of now would lose them."""
        return bool(self.trainer.fit_loop._should_accumulate())

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
    def optimizer_names(self) -> list[str]:
        """What the configuration calls each of the optimizers, in their order; several may be of one node."""
        return ["optimizer"]

    @property
    def networks(self) -> list[Network]:
        """The network and, where there is one, its average."""
        return [self.network] if self.ema is None else [self.network, self.ema.network]

    @property
    def tested_scales(self) -> tuple[int, ...]:
        """At which the network is validated and tested."""
        return self.several_scales or (self.evaluated.scale,)

    # Training

    def configure_model(self) -> None:
        """Share the weights among the processes, where the run is to (trainer=sharded)."""
        strategy = self.trainer.strategy
        if isinstance(strategy, FullySharded):
            if not self.shardable:
                raise InputError(
                    "trainer=sharded is for one network that learns by itself (paradigm=supervised): leave it out, and take "
                    "trainer.strategy=ddp."
                )
            for network in self.networks:
                strategy.shard(network)

    def reassemble(self, make: Callable[[], Network]) -> None:
        """Hold shared weights whole again, on the first process, in networks like that of the training."""
        if not isinstance(self.trainer.strategy, FullySharded):
            return
        weights = [whole_weights(network) for network in self.networks]
        if self.trainer.is_global_zero:
            whole = [make().to(self.device).to(memory_format=self.memory_format) for _ in weights]
            for network, state in zip(whole, weights, strict=True):
                network.load_state_dict(state)
            self.network = whole[0]
            if self.ema is not None:
                self.ema.network = whole[1].eval()

    def start_from(self, path: Path) -> None:
        """Begin with the weights of a file, the average too."""
        load_weights(self.beginner, path)
        if self.ema is not None:
            self.ema.network.load_state_dict(self.network.state_dict())

    @property
    def beginner(self) -> Network:
        """The network that the weights of a file are for."""
        return self.network

    def takes_over(self, trainer: Mapping[str, Any]) -> dict[str, Any]:
        """The Trainer's options that this paradigm sees to itself, as the Trainer is to have them instead: none."""
        return {}

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        logged = self.trainer.fit_loop.epoch_loop._results
        for name in [name for name in logged if name.startswith("training_step.")]:
            del logged[name]  # or what this iteration does not compute would be logged as it was in an earlier one
        if isinstance(batch, Batch):  # HR too: losses and discriminators look at it as they do at SR
            batch.lr, batch.hr = (laid_out(image, self.memory_format) for image in (batch.lr, batch.hr))
            batch.guide = None if batch.guide is None else laid_out(batch.guide, self.memory_format)
        seed = key(self.settings.seed, "step", self.iteration, self.global_rank)
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002 - third-party parts may draw from it
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                learns = self.iteration > group.get("waits", 0)
                group["lr"] = group["initial_lr"] * self.rate_factor() * (group.get("rate", 1.0) if learns else 0.0)

    def rate_factor(self) -> float:
        """Of each optimizer's learning rate, in this iteration."""
        return self.settings.scheduler(self.iteration - 1)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        loss, every = self.trainer.callback_metrics.get("train/loss"), self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if loss is not None and self.iteration % every == 0 and not bool(loss.isfinite()):
            raise InputError(
                f"At iteration {self.iteration} the loss is no number any more ({float(loss)}), and what follows would be "
                f"none either: lower optimizer.lr, set trainer.gradient_clip_val=1, or try trainer.precision=32-true."
            )

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        if self.ema is not None:
            self.ema.update(self.network, self.iteration)

    def prepared(self, optimizer: Optimizer) -> Optimizer:
        """The optimizer, with the rate that the schedule multiplies noted in each group."""
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        return optimizer

    def log_scalars(self, stage: str, scalars: Mapping[str, Tensor | float]) -> None:
        """Log scalars under `<stage>/<name>`, against the iteration."""
        self.log_dict({f"{stage}/{name}": value for name, value in scalars.items()}, batch_size=1)
        self.log("step", float(self.iteration), batch_size=1)  # what Lightning hands its loggers as the x axis

    def log_terms(self, terms: Terms, **others: Tensor | float) -> None:
        """Log what a step minimised, `train/loss`, each of its terms, `train/loss_<name>`, and what else is given."""
        losses = {f"loss_{name}": value for name, value in terms.values.items()}
        self.log_scalars("train", losses | {"loss": terms.total.detach()} | others)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["config"], checkpoint["facts"] = self.config, self.facts

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        # The end of that run, where it was saved, is not the end of this one, which may be longer: Lightning would stop.
        checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["is_last_batch"] = False

    def panels(self, batch: Any) -> list[Panel]:
        """What a paradigm shows of its own, at a validation, of the last training batch: nothing."""
        return []

    # Validation and test

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

    def leave(self, folder: Path) -> dict[str, Path]:
        """Write what this paradigm leaves in the run folder beside checkpoints and scores: where each thing lies."""
        return {}

    def validation_step(self, image: Any, batch_idx: int) -> dict[str, Scored]:
        """Score a `LabelledImage` or a `LabelledClip`."""
        own = (self.evaluated.scale,)  # that of a set's LR files
        scales = self.tested_scales if image.lr is None else own
        scored = {scale: self._scored(image, scale) for scale in scales}
        self.scores.extend(score for one in scored.values() for score in one.scores)
        return {"scored": scored[self.evaluated.scale]}

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

    def _of_all_ranks(self, scores: list[Score]) -> list[Score]:
        if self.trainer.world_size == 1 or isinstance(self.trainer.strategy, FullySharded):
            return scores
        gathered: list[list[Score] | None] = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(gathered, scores)
        return [score for part in gathered if part for score in part]


def laid_out(images: Tensor, memory_format: torch.memory_format) -> Tensor:
    """Images (B, C, H, W), or the frames of clips (B, T, C, H, W), in a memory format of images."""
    return torch.unflatten(images.flatten(0, -4).to(memory_format=memory_format), 0, images.shape[:-3])
