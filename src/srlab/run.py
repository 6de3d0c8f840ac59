"""A run: its folder, its resolved configuration, its position when it is resumed, and what it leaves behind."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from srlab import resume
from srlab.errors import InputError
from srlab.ranks import is_first, world_size
from srlab.sweeps.jobs import Objective, sweep_folder

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

log = logging.getLogger(__name__)

FORKS = ("_spawn", "_fork", "_notebook")
"""Strategies that start processes in ways of which nothing comes back but weights."""
LEFT_BEHIND = ("checkpoints", "export", "metrics.csv", "results.csv", "kernel.npy")
"""What a run writes that another run in its folder would mix with its own, or write over."""


def prepare(cfg: DictConfig) -> DictConfig:
    """The configuration to run: checked, or the resumed run's own; written to `config.yaml` before anything is built.

    Raises:
        InputError: a key that does not exist, a run that cannot be resumed, a folder that holds another run, a launch
            that would go wrong in silence.
    """
    _refuse_unknown_keys(cfg)
    resumes = "resume" in cfg and not isinstance(cfg.resume, bool)  # of srlab-upscale it is a yes or no
    if resumes and sweep_folder():
        cfg.resume = cfg.resume or resume.AUTO  # a job that was killed goes on when its sweep is run again
    if resumes and cfg.resume:
        cfg = resume.prepared(cfg, overrides())
    composed = cfg.copy()
    _refuse_unsafe_launch(cfg)
    with open_dict(cfg):
        if "network_name" in cfg:
            cfg.network_name = cfg.network_name or network_name(overrides())
        if "trainer" in cfg:
            cfg.trainer.precision = cfg.trainer.precision  # resolved now: a resumed run keeps it on another machine
            cfg.trainer.val_check_interval = min(
                cfg.trainer.val_check_interval, cfg.iterations
            )  # validated at least once
    missing = OmegaConf.missing_keys(cfg)
    if missing:
        example = " ".join(f"{key}=..." for key in sorted(missing))
        raise InputError(f"The configuration needs a value for {', '.join(sorted(missing))}: add {example}.")
    if is_first():
        folder = Path(cfg.run_dir)
        if not (resumes and cfg.resume):
            _refuse_held(folder)
        resume.record(composed, cfg, folder, overrides())
    return cfg


def overrides() -> list[str]:
    """What the user asked for on the command line, group choices and values alike."""
    return list(HydraConfig.get().overrides.task) if HydraConfig.initialized() else []


def named_packages() -> list[str]:
    """The packages whose configurations the user joined (`hydra.searchpath=[pkg://own_parts.conf]`), and so trusts."""
    paths = HydraConfig.get().searchpath if HydraConfig.initialized() else []
    return [path.removeprefix("pkg://").partition(".")[0] for path in paths if path.startswith("pkg://")]


def plain(cfg: DictConfig) -> dict[str, Any]:
    """The resolved configuration as plain containers, for loggers and checkpoints."""
    container = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(container, dict)
    return {str(key): value for key, value in container.items()}


def quieten_lightning() -> None:
    """Leave out what Lightning says of itself, and its warnings against what is meant so here."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    logging.getLogger("lightning.pytorch").propagate = False  # it has a handler of its own
    for message in (
        r".*module\(s\) in eval mode",  # the moving average never trains
        r".*number of training batches .* is smaller than the logging interval",
        r".*does not have many workers",  # decoded images are cut faster than workers hand them on
        r".*ended before the epoch ended and your dataloader is not resumable",  # the stream is
        r".*isinstance\(treespec, LeafSpec\)",
        r".*The `srun` command is available on your system but is not used",  # a login node has it
    ):
        warnings.filterwarnings("ignore", message)


@contextmanager
def recorded(trainer: "Trainer", cfg: DictConfig, checkpoint: Path | None) -> Iterator[None]:
    """Hand the configuration to the loggers, continue their records where a checkpoint goes on, and close them."""
    from srlab.loggers import MetricsCSV
    from srlab.tracking.logger import finish

    for logger in trainer.loggers:
        logger.log_hyperparams(plain(cfg))
        if isinstance(logger, MetricsCSV):  # what a killed run logged beyond the checkpoint that this one starts from
            logger.forget_after(resume.iteration_of(checkpoint) if checkpoint else 0)
    status = 1
    try:
        yield
        status = 0
    finally:
        finish(status)


def best_score(trainer: "Trainer") -> Objective | None:
    """The best validation score of a training, or None where nothing was validated."""
    from srlab.callbacks.checkpoints import Checkpoints

    return next((saver.objective for saver in trainer.checkpoint_callbacks if isinstance(saver, Checkpoints)), None)


def network_name(asked: list[str]) -> str:
    """What tables call the network: its choice, or the parts that it is made of, and the numbers that were changed."""
    choices = HydraConfig.get().runtime.choices if HydraConfig.initialized() else {}
    parts = [choices.get(group) for group in ("framework", "backbone", "upsampler")]
    name = choices.get("network") or "-".join(part for part in parts if part)
    changed = [item for item in asked if item.startswith(("backbone", "upsampler", "framework"))]
    if choices.get("network") is None:
        changed = [item for item in changed if "." in item.partition("=")[0]]
    return " ".join([name or "network", *changed])


def _refuse_unknown_keys(cfg: DictConfig) -> None:
    schema = OmegaConf.get_type(cfg)
    known = set(getattr(schema, "__dataclass_fields__", cfg))
    unknown = [str(key) for key in cfg if key not in known]
    if unknown:
        raise InputError(f"There is no option {', '.join(unknown)}. The top level has: {', '.join(sorted(known))}.")


def _refuse_held(folder: Path) -> None:
    """A run's folder is its own: nothing in it is lost to another run."""
    held = [name for name in LEFT_BEHIND if (folder / name).exists()]
    if held:
        go_on = f", or go on with that run: srlab-train resume={folder}" if "checkpoints" in held else ""
        raise InputError(
            f"{folder} holds a run already ({', '.join(held)}), which would be mixed with this one or lost: give another "
            f"hydra.run.dir{go_on}."
        )


def _refuse_unsafe_launch(cfg: DictConfig) -> None:
    """Refuse processes that would not find each other.

    Several that are started together need a folder that is named: by the time, each has another. A sweep in one process
    cannot start several processes a job: each would run the whole sweep again.
    """
    if world_size() > 1 and resume.folder_goes_by_time() and not cfg.get("resume"):
        raise InputError(
            f"{world_size()} processes were started together, each with a run folder of its own: add hydra.run.dir=<folder>."
        )
    if "trainer" not in cfg:
        return
    strategy = str(OmegaConf.select(cfg, "trainer.strategy._target_") or cfg.trainer.strategy)
    if strategy.endswith(FORKS):
        raise InputError(
            f"trainer.strategy={strategy} leaves what callbacks know in processes that end: take trainer.strategy=ddp."
        )
    if strategy.startswith(("fsdp", "deepspeed")):
        raise InputError(
            f"trainer.strategy={strategy} would leave checkpoints and exports in parts: take trainer=sharded, which "
            f"shares a network's weights."
        )
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
        return
    launcher = HydraConfig.get().runtime.choices.get("hydra/launcher")
    devices = str(cfg.trainer.devices)
    if launcher in {"basic", "joblib"} and (devices not in {"1", "auto"} or strategy != "auto"):
        raise InputError(
            f"A sweep with hydra/launcher={launcher} runs its jobs in one process, which trainer.devices={devices} and "
            f"trainer.strategy={strategy} would start again for each device, sweep and all. Take "
            f"hydra/launcher=isolated (the default), which gives each job a process of its own, or trainer.devices=1."
        )
