"""A training that notes what it is given, and kills itself at a moment: what runs in the processes of `tests.kills`."""

import hashlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import torch
from torch import Tensor

MOMENTS = (
    "before an iteration",
    "before an optimizer's step",
    "after an optimizer's step",
    "before an image is validated",
    "before a row is logged",
    "in a checkpoint's writing",
    "before a file is renamed",
    "before a file is removed",
)
"""Where a training can be killed; of two players' first optimizer, `after` is between their turns, and where gradients
are accumulated, `before an iteration` is between two that make one step."""


class Moment(NamedTuple):
    """When a training is killed: as it comes to one of `MOMENTS`, for the `nth` time since an iteration began."""

    what: str
    iteration: int
    nth: int = 1


def train_here(folder: Path, arguments: list[str], moment: Moment | None) -> None:
    """Run `srlab-train` in a folder, in this process, which ends itself at the moment."""
    from srlab.train import main

    os.chdir(folder)
    log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    torch.set_num_threads(1)
    _keep_account()
    if moment:
        _kill_at(moment)
    sys.argv = ["srlab-train", *arguments]
    main()


def _keep_account() -> None:
    """Note every batch that is trained on, and every sample that is cut."""
    from srlab.data.crops import Crops
    from srlab.paradigms.base import SuperResolution

    def note_batch(paradigm: SuperResolution, batch: Any, batch_idx: int) -> None:
        with Path("run/served.txt").open("a") as file:
            file.write(f"{paradigm.iteration} {_fingerprint(batch)}\n")

    def note_sample(*_: Any) -> None:
        with Path("run/cut.txt").open("a") as file:
            file.write(".")

    _before(SuperResolution, "on_train_batch_start", note_batch)
    _before(Crops, "__getitem__", note_sample)


def _kill_at(moment: Moment) -> None:
    """Make this process end itself at its moment, as a kill from outside would."""
    from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    from srlab.loggers import MetricsCSV
    from srlab.paradigms.base import SuperResolution

    times, iteration = 0, 0

    def note_iteration(paradigm: SuperResolution, *_: Any) -> None:
        nonlocal iteration
        iteration = paradigm.iteration

    def comes(what: str) -> Callable[..., None]:
        def count(*_: Any, **__: Any) -> None:
            nonlocal times
            times += what == moment.what and iteration >= moment.iteration
            if times == moment.nth:
                os.kill(os.getpid(), signal.SIGKILL)

        return count

    _before(SuperResolution, "on_train_batch_start", comes("before an iteration"))
    _before(SuperResolution, "on_train_batch_start", note_iteration)  # which is done first

    register_optimizer_step_pre_hook(comes("before an optimizer's step"))
    register_optimizer_step_post_hook(comes("after an optimizer's step"))
    _before(SuperResolution, "validation_step", comes("before an image is validated"))
    _before(MetricsCSV, "log_metrics", comes("before a row is logged"))
    _before(Path, "replace", comes("before a file is renamed"))
    _before(Path, "unlink", comes("before a file is removed"))
    save, written = torch.save, comes("in a checkpoint's writing")

    def save_counted(content: object, file: IO[bytes]) -> None:
        save(content, cast("IO[bytes]", _Counted(file, written)))

    torch.save = save_counted  # type: ignore[assignment]


class _Counted:
    """A file that tells of each of its writes, of which a checkpoint is several hundred."""

    def __init__(self, file: Any, written: Callable[..., None]) -> None:
        self.file, self.written = file, written

    def write(self, content: bytes) -> int:
        self.written()
        count: int = self.file.write(content)
        self.file.flush()
        return count

    def flush(self) -> None:
        self.file.flush()


def _before(owner: Any, name: str, act: Callable[..., None]) -> None:
    original = getattr(owner, name)

    def replacement(*args: Any, **kwargs: Any) -> Any:
        act(*args, **kwargs)
        return original(*args, **kwargs)

    setattr(owner, name, replacement)


def _fingerprint(batch: Any) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, leaf in leaves(vars(batch) if is_dataclass(batch) else batch, ""):
        digest.update(name.encode())
        digest.update(
            leaf.detach().cpu().contiguous().numpy().tobytes() if isinstance(leaf, Tensor) else repr(leaf).encode()
        )
    return digest.hexdigest()


def leaves(node: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Every number, text and tensor of a checkpoint by its path, but for the configuration, which names the folder."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key != "config":
                yield from leaves(value, f"{name}/{key}")
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from leaves(value, f"{name}/{index}")
    else:
        yield name, node
