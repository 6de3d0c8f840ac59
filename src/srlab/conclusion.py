"""How a training ends: tested beside bicubic, drawn, and told where everything lies."""

from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig
from rich.console import Console
from rich.markup import escape

from srlab.build import Training
from srlab.evaluation.evaluate import Scored
from srlab.evaluation.results import MEAN, Result, all_scores, compare, results_of
from srlab.evaluation.scoring import RESULTS, score_images, write_and_print
from srlab.evaluation.strips import comparison, stack
from srlab.inference.enlarge import enlarge
from srlab.inference.exported import EXPORT
from srlab.interpolants import Kernel
from srlab.networks.interpolation import Interpolation
from srlab.networks.network import at_scale

if TYPE_CHECKING:
    from srlab.tracking.logger import WeightsAndBiases

BASELINE: Kernel = "bicubic"
PICTURE = "comparison.png"
STRIPS = 4


def conclude(training: Training, cfg: DictConfig) -> None:
    """Test with the weights that validation judged; write `results.csv` and a picture; print what came of it."""
    if not training.trainer.is_global_zero:
        return
    folder = Path(cfg.run_dir)
    left = training.paradigm.leave(folder)
    lines = score(training, cfg, folder) if training.data.test else []
    if (folder / EXPORT).is_dir():
        facts = {
            "network_name": cfg.network_name,
            "scale": cfg.scale,
            "protocol": training.paradigm.settings.protocol.name,
        }
        for tracker in trackers(training):
            tracker.log_network(folder / EXPORT, facts, Path(cfg.weights) if cfg.weights else None)
    console = Console(soft_wrap=True, highlight=False)
    for line in [*lines, *places(folder, left)]:
        console.print(escape(line))
    if training.paradigm.unexportable:
        console.print(f"no network is exported: {training.paradigm.unexportable}")


def score(training: Training, cfg: DictConfig, folder: Path) -> list[str]:
    """Write the scores and a picture; what is to be said of them."""
    paradigm = training.paradigm
    training.data.setup("test")
    results: list[Result] = []
    for scale in paradigm.tested_scales:
        with at_scale(paradigm.evaluated, scale):
            ours, rows = score_at_scale(training, cfg.network_name)
        results += rows
        if scale == paradigm.evaluated.scale:
            draw(ours, folder / PICTURE)
    write_and_print(folder, results)
    for tracker in trackers(training):
        tracker.log_scores(results, cfg.network_name)
    return gains(results)


def score_at_scale(training: Training, name: str) -> tuple[list[Scored], list[Result]]:
    """Test what a training validated, and bicubic beside it, at the scale at which it stands."""
    paradigm = training.paradigm
    network, settings = paradigm.evaluated, paradigm.settings
    bicubic = Interpolation(network.channels, network.scale, BASELINE)
    ours, theirs = (
        score_images(
            method, training.data.test_dataloader(), judged, settings.protocol, settings.metrics, stream=stream
        )
        for judged, method, stream in (
            (network, paradigm.super_resolve, paradigm.super_resolve_clip),
            (bicubic, lambda lr, guide=None: enlarge(bicubic, lr), None),
        )
    )
    return ours, [
        row
        for method, scored in ((name, ours), (BASELINE, theirs))
        for row in results_of(
            all_scores(settings.protocol, [(one.scores, one.traits) for one in scored]),
            settings.protocol,
            method,
            network.scale,
        )
    ]


def trackers(training: Training) -> list["WeightsAndBiases"]:
    """The training's loggers that take tables and networks."""
    from srlab.tracking.logger import WeightsAndBiases

    return [logger for logger in training.trainer.loggers if isinstance(logger, WeightsAndBiases)]


def draw(scored: list[Scored], path: Path) -> None:
    """The first images' strips (LR, bicubic, SR, HR with their PSNR), below each other, as one PNG."""
    stack([comparison(one) for one in scored[:STRIPS]]).save(path)


def gains(results: list[Result]) -> list[str]:
    """How far each dataset's mean lies above bicubic's."""
    baseline = [row for row in results if row.network == BASELINE and row.image == MEAN]
    ours = [row for row in results if row.network != BASELINE and row.image == MEAN]
    headline, units = ours[0].metric, {row.metric: row.unit for row in ours}
    return [
        f"{ours[0].network} is {gain.value:+.2f} {units[gain.metric]} {gain.metric} from bicubic on {gain.dataset} at "
        f"x{gain.scale} (protocol {ours[0].protocol}, {ours[0].protocol_hash})"
        for gain in compare(ours, baseline)
        if gain.metric == headline
    ]


def places(folder: Path, left: dict[str, Path]) -> list[str]:
    """Where each thing that a training leaves behind lies, and what its paradigm `left`."""
    found = left | {
        "checkpoints": folder / "checkpoints",
        "network": folder / EXPORT,
        "metrics": folder / "metrics.csv",
        "W&B run": next(iter(sorted(folder.glob("wandb/*run-*"), reverse=True)), folder / "wandb"),
        "scores": folder / RESULTS,
        "picture": folder / PICTURE,
    }
    return [f"{name:12s} {path}" for name, path in found.items() if path.exists()]
