"""From a composed configuration to objects: the only place that instantiates.

Three roots are built, `cfg.data`, `cfg.paradigm` and `cfg.trainer`, with the callbacks and loggers that the trainer is
handed. What two parts share is passed in Python, since a node that is reached twice would be built twice.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import hydra.utils
from hydra.errors import InstantiationException
from omegaconf import DictConfig

from srlab.errors import InputError
from srlab.provenance import facts_of, warn_of_another, warn_of_validation
from srlab.signatures import check_signatures

if TYPE_CHECKING:
    from lightning.pytorch import Callback, Trainer

    from srlab.data.module import SuperResolutionData
    from srlab.inference.exported import Trained
    from srlab.networks.network import Network
    from srlab.paradigms.base import SuperResolution

T = TypeVar("T")
REFUSALS = (ValueError, FileNotFoundError, NotADirectoryError, ImportError)


class Training(NamedTuple):
    """What `srlab-train` runs."""

    paradigm: "SuperResolution"
    data: "SuperResolutionData"
    trainer: "Trainer"


def training(cfg: DictConfig) -> Training:
    """Build a training, the parts that can refuse soonest first: no data is read before all of them stand."""
    import lightning.pytorch as pl
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.pytorch.callbacks import ProgressBar

    from srlab import run
    from srlab.callbacks.atomic import AtomicCheckpointIO
    from srlab.callbacks.checkpoints import Checkpoints
    from srlab.callbacks.pruning import reporter

    if cfg.iterations < 1:
        raise InputError(f"iterations={cfg.iterations}: give 1 or more.")
    check_signatures(cfg)
    unresolved = copy.deepcopy(cfg)  # building resolves interpolations in place
    run.quieten_lightning()
    pl.seed_everything(cfg.seed, verbose=False)
    paradigm = build(cfg.paradigm)
    paradigm.config = run.plain(cfg)
    if cfg.weights and not cfg.resume:
        paradigm.start_from(weight_file(cfg.weights))
    data = build(cfg.data)
    check_truth(paradigm, data)
    paradigm.facts = facts_of(data, paradigm.settings.protocol)
    warn_of_validation(data, paradigm.settings.protocol)
    if cfg.weights and not cfg.resume:
        warn_of_another(facts_beside(cfg.weights), data.made_by, paradigm.settings.protocol)
    bar = cfg.trainer.enable_progress_bar  # Lightning refuses a bar that it is told not to show
    callbacks = [one for one in build_all(cfg.callbacks) if bar or not isinstance(one, ProgressBar)]
    if cfg.curriculum:
        callbacks.insert(0, join_curriculum(unresolved, paradigm, data))
    savers = [callback for callback in callbacks if isinstance(callback, Checkpoints)]
    if telling := reporter(savers[0].monitor if savers else None):
        callbacks.append(telling)
    data.check_network(paradigm.network)
    # Lightning would save in the middle of a step when Slurm signals; callbacks/endings.py sees to it
    slurm = [SLURMEnvironment(auto_requeue=False)] if SLURMEnvironment.detect() else []
    trainer = build(
        cfg.trainer,
        callbacks=callbacks,
        enable_checkpointing=bool(savers),
        logger=build_all(cfg.logger),
        plugins=[AtomicCheckpointIO(), *slurm],
        default_root_dir=cfg.run_dir,
        **paradigm.takes_over(cfg.trainer),
    )
    return Training(paradigm, data, trainer)


def check_truth(paradigm: "SuperResolution", data: "SuperResolutionData") -> None:
    """Refuse losses that compare with HR (`InputError`), where the data has none."""
    loss = getattr(paradigm, "loss", None)
    if data.train is None or data.train.truth or loss is None:
        return
    asking = [name for name, term in loss.named_terms() if term.needs_truth]
    if asking:
        raise InputError(
            f"{data.train.name} has no HR, with which loss={','.join(asking)} compares: take loss=consistency."
        )


def join_curriculum(cfg: DictConfig, paradigm: "SuperResolution", data: "SuperResolutionData") -> "Callback":
    """Build what changes on the way, and tell the paradigm and the data; the callback that keeps all of it going.

    Args:
        cfg: as it was composed, its interpolations not yet resolved.
        paradigm: of the run.
        data: of the run.

    Raises:
        InputError: it has a part that no curriculum has, or the network, the paradigm or the data cannot follow.
    """
    from srlab.callbacks.curriculum import FollowCurriculum
    from srlab.curriculum.curriculum import Curriculum

    unknown = set(cfg.curriculum) - set(Curriculum.__dataclass_fields__)
    if unknown:
        raise InputError(
            f"curriculum has no {', '.join(unknown)}: it has {', '.join(Curriculum.__dataclass_fields__)}."
        )
    curriculum = Curriculum(**{name: build(node) for name, node in cfg.curriculum.items() if node is not None})
    curriculum.check(paradigm.network, data.scale)
    degradations = {data.scale: data.degradation}
    if curriculum.scales:
        paradigm.several_scales = curriculum.scales.scales
        for scale in set(paradigm.tested_scales) - {data.scale}:
            other = copy.deepcopy(cfg)
            other.scale = scale  # a degradation reads it by interpolation
            degradations[scale] = build(other.data.degradation)
    data.follow(curriculum, degradations)
    if curriculum.ramps:
        curriculum.ramps.check(paradigm, data.degradation)
    return FollowCurriculum(curriculum)


def network(cfg: DictConfig) -> "Network":
    """Build the network of `srlab-test` and `srlab-upscale`: see `trained`."""
    return trained(cfg).network


def trained(cfg: DictConfig, weights: str | None = None, use: str | None = None) -> "Trained":
    """Build an exported network, that of a checkpoint, or a composition with its weights; and what rebuilds it.

    Args:
        cfg: the composition, and `weights`.
        weights: other weights than those of `cfg`.
        use: of a checkpoint, `ema` or `raw`.

    Raises:
        InputError: a network that learns, without weights; an exported one that is asked for another scale.
    """
    from srlab import run
    from srlab.inference.exported import Trained, describes_itself, open_trained
    from srlab.networks.weights import load_weights

    weights = weights or cfg.weights
    if weights and describes_itself(weights):
        exported = open_trained(weights, run.named_packages(), use)
        for fact in ("scale", "channels"):
            if f"{fact}={cfg[fact]}" not in run.overrides():
                continue
            if fact == "scale" and cfg.scale in getattr(exported.network, "scales", ()):
                exported.network.scale = cfg.scale
            if cfg[fact] != getattr(exported.network, fact):
                raise InputError(
                    f"{fact}={cfg[fact]}, but the network in {weights} has {fact}={getattr(exported.network, fact)}: leave "
                    f"{fact} out, or take another network."
                )
        return exported
    check_signatures(cfg.framework)
    built: Network = build(cfg.framework)
    if weights:
        load_weights(built, weight_file(weights), averaged=use != "raw")
    elif next(built.parameters(), None) is not None:
        raise InputError(
            f"{cfg.network_name} has parameters but no weights: give weights=<file, or folder of an export>, or take a "
            f"network that learns nothing (network=bicubic, nearest or lanczos)."
        )
    return Trained(built.eval(), run.plain(cfg.framework), {"network_name": cfg.network_name})


def facts_beside(weights: str) -> dict[str, Any]:
    """The facts of a network that brings its own composition; a bare weight file has none."""
    from srlab.inference.exported import describe, describes_itself
    from srlab.networks.weights import read

    if not describes_itself(weights):
        return {}
    path = Path(weights).expanduser()
    return describe(path) | (dict(read(path).get("facts", {})) if path.is_file() else {})


def exported_name(cfg: DictConfig) -> str | None:
    """What a network that brings its own composition was called in its training; None for a bare weight file."""
    from srlab.inference.exported import describe, describes_itself

    return str(describe(cfg.weights)["network_name"]) if cfg.weights and describes_itself(cfg.weights) else None


def weight_file(weights: str) -> Path:
    """The file that `weights` means: itself, or that of the exported network in the folder."""
    from srlab.inference.exported import WEIGHTS, find_export

    path = Path(weights).expanduser()
    return find_export(path) / WEIGHTS if path.is_dir() else path


def build(node: Any, **shared: object) -> Any:
    """Build the part that a node describes.

    Args:
        node: a mapping with `_target_`.
        shared: finished objects that the constructor takes beside the node's numbers.

    Raises:
        InputError: the constructor does not take an option, or refuses its value.
    """
    check_signatures(node)
    try:
        return hydra.utils.instantiate(node, **shared, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, REFUSALS) or type(cause).__name__ == "MisconfigurationException":  # Lightning's
            raise InputError(str(cause)) from error
        raise


def refusing(part: Callable[..., T], *arguments: object) -> T:
    """Call a function whose ValueErrors are the user's to mend."""
    try:
        return part(*arguments)
    except REFUSALS as error:
        raise InputError(str(error)) from error


def build_all(group: DictConfig) -> list[Any]:
    """Build each part of a group that holds several by name; a part set to null is left out."""
    return [build(node) for node in group.values() if node is not None]
