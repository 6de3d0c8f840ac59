"""The W&B run of a training: offline without an account, and never the reason that a training fails or waits."""

import functools
import logging
import math
import os
import secrets
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec

import wandb
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from srlab.evaluation.metrics import FACTS
from srlab.evaluation.results import COLUMNS, MEAN, Result
from srlab.loggers import Once
from srlab.tracking.code_state import code_state
from srlab.tracking.offline import AXIS, SCORES

log = logging.getLogger(__name__)

P = ParamSpec("P")
IDENTITY = "wandb_id"
"""The file of a run folder that holds the id of its W&B run."""
MODES = ("offline", "online", "shared", "disabled")
OLD_NAMES = {"run": "online", "dryrun": "offline"}
WAITING = {"online", "shared"}
"""The modes that need a server."""


def _unfailing(
    tell: Callable[Concatenate["WeightsAndBiases", P], None],
) -> Callable[Concatenate["WeightsAndBiases", P], None]:
    """Let W&B's own failures, of the process that it runs beside this one too, end its records, and nothing else."""

    @rank_zero_only
    @functools.wraps(tell)
    def told(self: "WeightsAndBiases", /, *args: P.args, **kwargs: P.kwargs) -> None:
        if self.is_lost:
            return
        try:
            tell(self, *args, **kwargs)
        except Exception as error:
            self.is_lost = True
            log.warning("W&B records no more of this run: %s: %s", type(error).__name__, error)

    return told


class WeightsAndBiases(Once, WandbLogger):
    """The W&B run of a run folder: the same run again when it is resumed.

    Where W&B is to be online, and there is no key, or no server answers in time, the run is logged offline with one warning:
    `wandb sync` sends it later. Steps are iterations, so that a resumed run's records follow on the ones before.

    Args:
        folder: the run folder; W&B's files lie in `wandb` below it, the run's id in `wandb_id`.
        project: W&B's project.
        mode: `offline` needs no account; `online`, `disabled`. WANDB_MODE in the environment wins.
        name: of the run; None: its folder's.
        group: runs of one sweep share it.
        init_timeout_seconds: how long an online run waits for the server before it goes on offline.
        finish_timeout_seconds: how long it waits at its end for what is not sent; that stays on the disk.
        system_seconds: between two records of the machine's load.
    """

    def __init__(
        self,
        folder: str,
        project: str = "srlab",
        mode: str = "offline",
        name: str | None = None,
        group: str | None = None,
        init_timeout_seconds: float = 15,
        finish_timeout_seconds: float = 60,
        system_seconds: float = 15,
    ) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it asks the network, offline too
        os.environ.setdefault("WANDB_SILENT", "true")
        asked = os.environ.get("WANDB_MODE") or mode
        self.mode = OLD_NAMES.get(asked, asked)
        if self.mode not in MODES:
            raise ValueError(f"logger.wandb.mode={asked} (or WANDB_MODE): choose one of {', '.join(MODES)}.")
        self.defined: set[str] = set()
        self.is_lost = False
        super().__init__(
            save_dir=str(Path(folder).resolve()),  # W&B's process may have begun elsewhere
            project=project,
            name=name or "/".join(filter(None, (group, Path(folder).resolve().name))),
            group=group,
            id=_identity(Path(folder)),
            resume="allow",
            log_model=False,
            settings=wandb.Settings(
                init_timeout=init_timeout_seconds,
                finish_timeout=finish_timeout_seconds,
                x_stats_sampling_interval=system_seconds,
                silent=True,
            ),
        )
        self._wandb_init.pop("anonymous", None)  # W&B warns of it, set or not

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """W&B's run, begun when it is first asked for."""
        if self._experiment is None:
            self._experiment = self._begin()
            self._experiment.define_metric(AXIS)
            self._experiment.define_metric("*", step_metric=AXIS, step_sync=True)
        return self._experiment

    def _begin(self) -> Any:
        try:
            if self.mode not in WAITING or wandb.login(prompt=False, verify=False):
                return wandb.init(**self._wandb_init | {"mode": self.mode})
            reason = "there is no key: `wandb login`, or WANDB_API_KEY"
        except wandb.Error as error:
            if self.mode not in WAITING:
                raise
            reason = str(error).partition("\n")[0]
            wandb.teardown()  # or the run that did not begin would hold its id
        log.warning("W&B is offline in this run, not online: %s. Later, `wandb sync %s` sends it.", reason, self.files)
        self.mode = "offline"
        return wandb.init(**self._wandb_init | {"mode": self.mode})

    @property
    def files(self) -> str:
        """Where the files of offline runs lie."""
        return f"{self.save_dir}/wandb/offline-run-*"

    @_unfailing
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        """Log the configuration, and which state of the code it is run by."""
        super().log_hyperparams(vars(params) if isinstance(params, Namespace) else params)
        self.experiment.config.update({"code": code_state()}, allow_val_change=True)

    @_unfailing
    def log_image(self, /, key: str, images: list[Any], step: int | None = None, **kwargs: Any) -> None:
        """Log pictures; each further argument is a list with one item a picture (`caption`)."""
        super().log_image(key, images, step, **kwargs)

    @_unfailing
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log numbers of an iteration; without one, as what the run came to."""
        if self._repeated(metrics, step):
            return
        self._define(metrics)
        if step is None:
            self.experiment.summary.update(dict(metrics))
        else:
            self.experiment.log({**metrics, AXIS: int(step)}, step=int(step))

    def _define(self, metrics: Mapping[str, float]) -> None:
        """Have the summary keep the best of each score, and the configuration its unit."""
        units = {}
        for name in metrics.keys() - self.defined:
            self.defined.add(name)
            if facts := FACTS.get(name.rpartition("/")[2]):
                best = "max" if facts.higher_is_better else "min"
                self.experiment.define_metric(name, step_metric=AXIS, step_sync=True, summary=f"{best},last")
                units[name] = facts.unit
        if units:
            known = dict(self.experiment.config.get("units", {}))
            self.experiment.config.update({"units": known | units}, allow_val_change=True)

    @_unfailing
    def log_scores(self, results: Sequence[Result], network: str) -> None:
        """Log each image's scores as one table, and the network's means as `test/<dataset>/<metric>`."""
        rows = [[getattr(row, column) for column in COLUMNS] for row in results if row.image != MEAN]
        finite = [
            [str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row] for row in rows
        ]
        table = wandb.Table(columns=list(COLUMNS), data=finite, allow_mixed_types=True)
        last = (self._last and self._last[0]) or 0
        self.experiment.log({SCORES: table, AXIS: last}, step=last)
        means = {
            f"test/{row.dataset}/{row.metric}": row.value
            for row in results
            if row.image == MEAN and row.network == network
        }
        self.log_metrics(means)

    @_unfailing
    def log_network(self, export: Path, facts: Mapping[str, Any], weights: Path | None) -> None:
        """Log an exported network as the run's artifact, and the network that its training began with as what was used.

        Args:
            export: the folder with weights and configuration, which stays where it is.
            facts: what a user of the network should know.
            weights: the file or folder that the training began with.
        """
        parent = weights and _artifact_of(weights)
        artifact = wandb.Artifact(_artifact(self._id), "network", metadata={**facts, "begun_with": parent})
        artifact.add_dir(str(export.resolve()), policy="immutable", skip_cache=True)  # sent from where it lies: no copy
        if parent and self.mode in WAITING:  # offline, W&B has no lineage: the metadata have it
            try:
                self.experiment.use_artifact(f"{parent}:latest")
            except wandb.Error as error:
                log.warning("W&B does not show what the network began with, %s: %s", parent, error)
        self.experiment.log_artifact(artifact)


def finish(status: int) -> None:
    """End this process's W&B run, if there is one: the next job would log into it."""
    if wandb.run is None:
        return
    try:
        wandb.finish(exit_code=status)
    except Exception as error:  # W&B's process is gone: `_unfailing` has said so, or there was nothing more to say
        log.debug("W&B could not end its run: %s", error)


def _identity(folder: Path) -> str:
    path = folder / IDENTITY
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(4))
    return path.read_text().strip()


def _artifact(identity: str | None) -> str:
    return f"network-{identity}"


def _artifact_of(weights: Path) -> str | None:
    """The artifact of the run that a weight file came from; None for what no run of srlab left."""
    for folder in (weights, *weights.resolve().parents[:2]):
        if (folder / IDENTITY).is_file():
            return _artifact((folder / IDENTITY).read_text().strip())
    return None
