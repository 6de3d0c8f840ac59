"""`hydra/sweeper=optuna`: the jobs of a sweep are trials of a study, each chosen by what came of those before.

Hydra's own plugin hands a job no trial, so that nothing can be pruned, numbers a resumed study's jobs from 0 again, takes
a NaN for a result, and needs releases of Optuna and SQLAlchemy that are long superseded. This is a thin sweeper over
Optuna's ask and tell. What a job came to is read from its folder, whatever launcher ran it.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from srlab.errors import InputError
from srlab.sweeps import space, study
from srlab.sweeps.jobs import read_job
from srlab.sweeps.planning import JobFailedError

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution

log = logging.getLogger(__name__)


class StudySweeper(Sweeper):
    """Let Optuna choose the swept values.

    The same command again, or at the same time in another process (a further worker), goes on with the study of its
    `hydra.sweep.dir`. A trial that fails is left behind; the study goes on.

    Args:
        n_trials: how many the study is to have, in all.
        batch: trials of this worker at a time; None: as many jobs as the launcher runs at a time.
        direction: `maximize` or `minimize`.
        seed: of what is drawn; None for another each time, as several workers need.
        storage: the URL of a database; None: a journal in the sweep's folder.
        study_name: in the database; None: the folder's.
        sampler: how values are chosen: a node with a `_target_` of Optuna's, as is the next.
        pruner: when a job is ended early by its validation scores; None for never.
        params: values to choose from, beside those on the command line: name -> "interval(0,1)".
    """

    def __init__(
        self,
        n_trials: int,
        sampler: DictConfig,
        pruner: DictConfig | None = None,
        batch: int | None = None,
        direction: str = "maximize",
        seed: int | None = None,
        storage: str | None = None,
        study_name: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> None:
        if n_trials < 1 or (batch is not None and batch < 1):
            raise InputError(f"hydra.sweeper.n_trials={n_trials} and batch={batch}: give 1 or more.")
        if direction not in {"maximize", "minimize"}:
            raise InputError(f"hydra.sweeper.direction={direction}: choose maximize or minimize.")
        self.n_trials, self.batch, self.seed, self.params = n_trials, batch, seed, dict(params or {})

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.config = hydra_context, config
        self.context, self.settings = hydra_context, config.hydra.sweeper
        self.run_by = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )
        if self.batch is None:
            self.batch = max(1, OmegaConf.select(config, "hydra.launcher.n_jobs") or 1)
        self.folder = Path(config.hydra.sweep.dir)

    def sweep(self, arguments: list[str]) -> None:
        """Run what the study lacks.

        Raises:
            JobFailedError: no trial of the study came to a result.
        """
        parser = OverridesParser.create(config_loader=self.context.config_loader)
        given = [*(f"{name}={values}" for name, values in self.params.items()), *arguments]
        fixed, chosen = space.split(parser.parse_overrides(given))
        if not chosen:
            raise InputError(
                "There is nothing to choose: give values, as in optimizer.lr=tag(log,interval(1e-5,1e-3))."
            )
        self._check(fixed, chosen)
        self.folder.mkdir(parents=True, exist_ok=True)
        study.record(self.settings, self.folder, fixed, [f"{name}={values}" for name, values in chosen.items()])
        opened = study.open_study(self.settings, self.folder, self.seed)
        study.queue_again(opened)
        while trials := self._asked(opened, chosen):
            self._run(opened, trials, fixed)
        self._conclude(opened)

    def _check(self, fixed: list[str], chosen: Mapping[str, "BaseDistribution"]) -> None:
        """Compose each choice once: a mistyped one is refused now."""
        firsts = {name: getattr(values, "choices", (getattr(values, "low", None),)) for name, values in chosen.items()}
        for index in range(max(len(values) for values in firsts.values())):
            picked = {name: values[min(index, len(values) - 1)] for name, values in firsts.items()}
            self.validate_batch_is_legal([[*fixed, *space.written(picked)]])

    def _asked(self, opened: "Study", chosen: dict[str, "BaseDistribution"]) -> list["Trial"]:
        """The next trials of this worker: none where the study has all that it is to have."""
        asked: list[Trial] = []
        assert self.batch is not None
        while len(asked) < self.batch:
            known = opened.get_trials(deepcopy=False)
            waits = any(trial.state.name == "WAITING" for trial in known)
            if len(study.counted(known)) >= self.n_trials or (study.EXHAUSTED in opened.user_attrs and not waits):
                break
            trial = opened.ask(chosen)
            trial.set_user_attr(study.WORKER, study.myself())
            before = [one for one in study.counted(opened.get_trials(deepcopy=False)) if one.number < trial.number]
            if len(before) >= self.n_trials:  # another worker asked for the last one meanwhile
                trial.set_user_attr(study.ABANDONED, True)
                opened.tell(trial, state=_failed())
                break
            if not study.copy_twin(opened, trial):
                asked.append(trial)
        return asked

    def _run(self, opened: "Study", trials: Sequence["Trial"], fixed: Sequence[str]) -> None:
        folders = [str(trial.user_attrs.get(study.FOLDER, trial.number)) for trial in trials]
        jobs = [
            [
                *(*fixed, *space.written(trial.params)),
                *(f"hydra.sweep.subdir={folder}", f"++hydra.job.env_set.{study.TRIAL}='{trial._trial_id}'"),
            ]
            for trial, folder in zip(trials, folders, strict=True)
        ]
        try:
            self.run_by.launch(jobs, initial_job_idx=trials[0].number)
        except (HydraException, InputError):
            raise
        except Exception as error:  # of a job, by launchers that hand it on: the jobs' folders say more
            log.warning("%s: %s", type(error).__name__, error)
        for trial, folder in zip(trials, folders, strict=True):
            study.tell(opened, trial, read_job(self.folder / folder))

    def _conclude(self, opened: "Study") -> None:
        ended = study.summary(opened)
        log.info("study of %s: %s", self.folder, ", ".join(f"{count} {state}" for state, count in ended.items()))
        if not ended.get("complete"):
            raise JobFailedError(f"No trial of {self.folder} came to a result.")
        best = opened.best_trial
        log.info("best: %.6g by trial %d: %s", best.value, best.number, " ".join(space.written(best.params)))


def _failed() -> Any:
    from optuna.trial import TrialState

    return TrialState.FAIL
