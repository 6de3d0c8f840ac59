"""Going on with a run that was ended: its own configuration, its last good checkpoint, and nothing of it lost.

`resume=<folder>` goes on with a run. `resume=auto` goes on with the run in the folder of this one (`hydra.run.dir`), and
starts it where there is none: the same command starts a run and starts it again, however often it is killed.
"""

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from srlab.errors import InputError
from srlab.files import forget_unfinished, write_atomically

log = logging.getLogger(__name__)

AUTO = "auto"
CONFIG = "config.yaml"
COMPOSED, ASKED = Path(".hydra") / CONFIG, Path(".hydra/overrides.yaml")
"""What Hydra writes, and we write again, since it does not survive a kill while it writes."""
CHECKPOINTS = "iteration_*.ckpt"
CHANGEABLE = ("resume", "iterations", "trainer", "logger", "callbacks", "data.workers", "data.cache_gb")
"""What a resumed run may be given another value of."""


def prepared(cfg: DictConfig, asked: list[str]) -> DictConfig:
    """The configuration of the run that `resume` names, with the few changes that it may make; `cfg` where none began.

    Args:
        cfg: what the command line composes, with `resume` set.
        asked: the overrides on that command line.

    Raises:
        InputError: there is no run, or another than the command line asks for.
    """
    if cfg.resume != AUTO:
        return _resumed(Path(cfg.resume).expanduser(), cfg, asked)
    if folder_goes_by_time():
        raise InputError(
            "resume=auto finds the run by its folder, which is a new one each time: add hydra.run.dir=<folder>."
        )
    folder = Path(cfg.run_dir)
    if (folder / CONFIG).is_file():
        return _resumed(folder, cfg, asked, is_same_command=True)
    cfg.resume = None
    return cfg


def folder_goes_by_time() -> bool:
    """Whether the run's folder is a new one each time that the command is given."""
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.RUN:
        return False
    return not any(item.startswith("hydra.run.dir=") for item in HydraConfig.get().overrides.hydra)


def record(composed: DictConfig, cfg: DictConfig, folder: Path, asked: list[str]) -> None:
    """Write what a run is into its folder, last the file by which it is known to have begun; remove torn files.

    Args:
        composed: the configuration as the command line composes it.
        cfg: the same, as it is run.
        folder: the run's.
        asked: the overrides on the command line.
    """
    folder.mkdir(parents=True, exist_ok=True)
    forget_unfinished(folder)
    forget_unfinished(folder / "checkpoints")
    if not (folder / CONFIG).is_file():
        _save(composed, folder / COMPOSED)
        _save(OmegaConf.create(asked), folder / ASKED)
    _save(cfg, folder / CONFIG, resolve=True)


def last_checkpoint(cfg: DictConfig) -> Path | None:
    """The checkpoint that a run goes on from: the newest that can be read; None where the run has yet to save its first.

    Raises:
        InputError: it has saved some, and none can be read.
    """
    if not cfg.resume:
        return None
    folder = Path(cfg.run_dir) / "checkpoints"
    for path in readable(folder):
        return path
    if any(folder.glob(CHECKPOINTS)):
        raise InputError(f"resume={cfg.resume}: {folder} holds no checkpoint that can be read. Start the run anew.")
    log.warning("%s has no checkpoint yet: starting from iteration 0.", cfg.run_dir)
    return None


def readable(folder: Path) -> Iterator[Path]:
    """The whole checkpoints of a folder, the latest iteration first; a damaged one is passed over and named."""
    import torch

    for path in sorted(folder.glob(CHECKPOINTS), reverse=True):
        try:
            torch.load(path, map_location="meta", weights_only=True)
        except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
            log.warning("%s cannot be read (%s): going back to the one before it.", path, error)
        else:
            yield path


def iteration_of(checkpoint: Path) -> int:
    """The iterations that were done when a checkpoint was saved, by its name."""
    return int(checkpoint.stem.rpartition("_")[2])


def _resumed(folder: Path, cfg: DictConfig, asked: list[str], is_same_command: bool = False) -> DictConfig:
    """The configuration of an earlier run, with the few changes that a resumed run may make."""
    composed, resolved = folder / COMPOSED, folder / CONFIG
    if not composed.is_file() or not resolved.is_file():
        raise InputError(f"resume={folder}: expected a run folder, with {CONFIG} and .hydra in it. Give one of runs/.")
    known = list(OmegaConf.load(folder / ASKED)) if is_same_command and (folder / ASKED).is_file() else []
    changed = [item for item in asked if item not in known]
    dropped = [item for item in known if item not in asked]
    refused = [item for item in [*changed, *dropped] if not item.split("=")[0].lstrip("+~").startswith(CHANGEABLE)]
    if refused:
        raise InputError(
            f"resume={folder} goes on with that run's own configuration, which {' '.join(refused)} would change. It may "
            f"change {', '.join(CHANGEABLE[1:])}. For another configuration start a new run, with weights={folder}/export."
        )
    earlier = OmegaConf.load(composed)
    latest = OmegaConf.load(resolved)
    earlier.iterations = latest.iterations  # a run that was made longer stays so
    earlier.trainer.precision = latest.trainer.precision
    earlier.network_name = latest.network_name
    earlier.merge_with_dotlist([item for item in changed if "." in item or item.startswith("iterations")])
    done = max((iteration_of(path) for path in (folder / "checkpoints").glob(CHECKPOINTS)), default=0)
    if earlier.iterations < done:
        raise InputError(f"iterations={earlier.iterations}: {folder} has done {done} already. Give more, or as many.")
    earlier.resume = earlier.run_dir = str(folder)
    merged = OmegaConf.merge(OmegaConf.structured(OmegaConf.get_type(cfg)), earlier)
    assert isinstance(merged, DictConfig)
    return merged


def _save(cfg: object, path: Path, resolve: bool = False) -> None:
    text = io.StringIO()
    OmegaConf.save(cfg, text, resolve=resolve)
    write_atomically(path, lambda file: file.write(text.getvalue().encode()))
