"""A study of Optuna's: stored in its sweep's folder, so that workers, jobs and later starts all know of every trial.

The trials are kept in a journal beside the jobs, which several processes and machines may share on one file system, or in
a database by its URL.
"""

import logging
import math
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra.utils
from omegaconf import DictConfig, OmegaConf

from srlab.errors import InputError
from srlab.files import write_atomically
from srlab.sweeps.jobs import DONE, INTERRUPTED, PRUNED, Job, find_jobs, sweep_folder

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)

STUDY, JOURNAL = "study.yaml", "study.log"
TRIAL = "SRLAB_TRIAL"
"""The variable by which a job knows its trial."""
WORKER, FOLDER, NOTE, ABANDONED = "worker", "folder", "note", "abandoned"
"""What is noted with a trial: who runs it, in which folder, why it failed, and that it does not count."""
EXHAUSTED = "exhausted"
"""What is noted with a study all of whose values are tried."""
UNCLAIMED_SECONDS = 60
"""After which a trial that nobody says to run was asked for by a process that was killed."""


def open_study(settings: DictConfig, sweep: Path, seed: int | None = None) -> "Study":
    """Open a sweep's study; begin it where there is none.

    Args:
        settings: of the sweeper: `storage`, `study_name`, `direction`, `sampler`, `pruner`.
        sweep: the folder.
        seed: of what this process draws; None for another each time.

    Raises:
        InputError: Optuna is not installed, or the study goes the other way.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise InputError('hydra/sweeper=optuna needs Optuna: pip install "srlab[optuna]".') from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=settings.storage or JournalStorage(JournalFileBackend(str(sweep / JOURNAL))),
        study_name=settings.study_name or sweep.resolve().name,
        direction=settings.direction,
        pruner=hydra.utils.instantiate(settings.pruner) if settings.pruner else optuna.pruners.NopPruner(),
        load_if_exists=True,
    )
    if study.direction.name.lower() != settings.direction:
        raise InputError(f"{sweep} holds a study with direction={study.direction.name.lower()}: give another folder.")
    if seed is not None:
        seed += len(study.get_trials(deepcopy=False))  # or a study that goes on would draw what it drew
    study.sampler = hydra.utils.instantiate(settings.sampler, seed=seed)
    return study


def record(settings: DictConfig, sweep: Path, fixed: list[str], chosen: list[str]) -> None:
    """Write down what a study is of, for its jobs and for later starts.

    Raises:
        InputError: the folder holds other jobs, or a study of something else.
    """
    path = sweep / STUDY
    if path.is_file():
        earlier = OmegaConf.load(path)
        assert isinstance(earlier, DictConfig)
        for name, now in (("fixed", fixed), ("chosen", chosen)):
            if sorted(earlier[name]) != sorted(now):
                raise InputError(
                    f"{sweep} holds a study of {' '.join(earlier[name])}, and this is of {' '.join(now)}, whose results "
                    f"do not compare: give another hydra.sweep.dir."
                )
    elif any(find_jobs(sweep)):
        raise InputError(f"{sweep} holds the jobs of another sweep: give another hydra.sweep.dir.")
    kept = {name: settings[name] for name in ("storage", "study_name", "direction", "sampler", "pruner")}
    text = OmegaConf.to_yaml(OmegaConf.create({**kept, "fixed": fixed, "chosen": chosen}))
    write_atomically(path, lambda file: file.write(text.encode()))


def trial_of_this_job() -> "Trial | None":
    """The trial that this process is a job of, to be reported to; None outside a study, or where it has ended."""
    identity, sweep = os.environ.get(TRIAL), sweep_folder()
    if identity is None or sweep is None:
        return None
    import optuna

    settings = OmegaConf.load(sweep / STUDY)
    assert isinstance(settings, DictConfig)
    trial = optuna.Trial(open_study(settings, sweep), int(identity))
    return None if trial.storage.get_trial(int(identity)).state.is_finished() else trial


def myself() -> str:
    """This process, as a worker is named."""
    return f"{socket.gethostname()}:{os.getpid()}"


def queue_again(study: "Study") -> None:
    """Queue the trials again that a killed worker of this machine, or an interrupted job, left unfinished.

    Of several workers that see this, one succeeds in ending the old trial, and it alone queues the new one, which has the
    old one's folder, and so goes on from its last checkpoint.
    """
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=[TrialState.RUNNING]):
        if _is_worked_on(trial):
            continue
        try:
            study._storage.set_trial_user_attr(trial._trial_id, ABANDONED, True)
            if not study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL):
                continue
        except UpdateFinishedTrialError:
            continue
        log.info("Trial %d was left unfinished: it is queued again.", trial.number)
        study.enqueue_trial(trial.params, user_attrs={FOLDER: trial.user_attrs.get(FOLDER, trial.number)})


def _is_worked_on(trial: "FrozenTrial") -> bool:
    worker = trial.user_attrs.get(WORKER)
    if worker is None:
        assert trial.datetime_start is not None
        return time.time() - trial.datetime_start.timestamp() < UNCLAIMED_SECONDS
    host, _, pid = worker.rpartition(":")
    return bool(pid) and (Job((), "running", host, int(pid)).is_alive() or host != socket.gethostname())


def tell(study: "Study", trial: "Trial", job: Job | None) -> None:
    """Tell a study what the job of a trial came to; a result that is no number is a failure.

    Raises:
        InputError: the study goes the wrong way for what its jobs measure.
    """
    from optuna.trial import TrialState

    if job is not None and job.status == INTERRUPTED:
        trial.set_user_attr(WORKER, ":")  # nobody's: a later start goes on with it
        return
    if job is not None and job.status == PRUNED:
        _end(study, trial, state=TrialState.PRUNED)
        return
    objective = job.objective if job is not None and job.status == DONE else None
    if objective is not None and not math.isnan(objective.value):
        if (study.direction.name == "MAXIMIZE") != objective.higher_is_better:
            right = "maximize" if objective.higher_is_better else "minimize"
            raise InputError(
                f"hydra.sweeper.direction: {objective.metric} asks for {right}. Give another hydra.sweep.dir."
            )
        _end(study, trial, objective.value)
        return
    trial.set_user_attr(NOTE, (job.error if job else "") or "it came to no number")
    _end(study, trial, state=TrialState.FAIL)


def _end(study: "Study", trial: "Trial", value: float | None = None, state: Any = None) -> None:
    """Store how a trial ended, and whether the sampler has nothing left to try."""
    try:
        study.tell(trial, value, state=state)
    except RuntimeError as error:
        if "Study.stop" not in str(error):
            raise
        study.set_user_attr(EXHAUSTED, True)  # the trial is stored before this is raised


def counted(trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
    """The trials that have begun, each that was queued again but once."""
    from optuna.trial import TrialState

    return [trial for trial in trials if trial.state != TrialState.WAITING and ABANDONED not in trial.user_attrs]


def copy_twin(study: "Study", trial: "Trial") -> bool:
    """End a trial of values that another has tried, or is trying, as that one ended; whether there is one.

    The same values give the same result: the seed is theirs too.
    """
    from optuna.trial import TrialState

    states = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING]
    earlier = [one for one in study.get_trials(states=states) if one.number < trial.number]
    twin = next((one for one in earlier if one.params == trial.params), None)
    if twin is None:
        return False
    trial.set_user_attr(NOTE, f"the same values as trial {twin.number}")
    if twin.state == TrialState.RUNNING:
        _end(study, trial, state=TrialState.FAIL)
        return True
    for step, value in twin.intermediate_values.items():
        trial.report(value, step)
    _end(study, trial, twin.value if twin.state == TrialState.COMPLETE else None, state=twin.state)
    return True


def summary(study: "Study") -> dict[str, Any]:
    """How many trials ended how, and the best."""
    trials = counted(study.get_trials(deepcopy=False))
    states = [trial.state.name.lower() for trial in trials]
    return {state: states.count(state) for state in dict.fromkeys(states)}
