"""Kill a training at chosen moments, start it again with the same command, and say in what it differs from one left alone.

Trainings run in processes of their own, forked from one that has imported what is slow to import. A paradigm joins with
its line in `LINES`: what a user types after `srlab-train`, beside `BASE`.
"""

import csv
import signal
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from srlab.data.shard_files import Form
from srlab.data.sharding import write_shards
from srlab.data.sources import Folder
from tests.conftest import TINY
from tests.killed import Moment, leaves, train_here

BASE = [*TINY, "callbacks=[checkpoints]", "trainer.log_every_n_steps=2", "hydra.run.dir=run", "resume=auto"]
"""6 iterations on the folder `photos`, saved at every other, validated at the 4th and the 6th."""
GAN = ["paradigm=adversarial", "discriminator=patchgan", "discriminator.width=4", "discriminator.strides=[2,1]"]
UNPAIRED = [
    "data._target_=srlab.data.unpaired.UnpairedData",
    "~data.root",
    "~data.val_root",
    "+data.hr_root=photos/0.png",
    "+data.lr_root=photos/1.png",
    "+data.val_hr_root=photos",
]
LINES: dict[str, list[str]] = {
    "supervised": [],
    "supervised, shards": ["data._target_=srlab.data.choices.ShardsData", "data.root=shards"],
    "supervised, accumulated": ["trainer.accumulate_grad_batches=2", "iterations=7"],
    "players": ["paradigm._target_=tests.paradigms.turns.Turns"],
    "players, accumulated": ["paradigm._target_=tests.paradigms.turns.Turns", "trainer.accumulate_grad_batches=3"],
    "adversarial": [*GAN, "loss=[l1,gan]", "paradigm.rest_above=0.5"],
    "adversarial, accumulated": [
        *GAN,
        "loss=[l1,ragan]",
        "trainer.accumulate_grad_batches=2",
        "paradigm.generator_period=2",
        "iterations=8",
    ],
    "degradation_gan": [
        "paradigm=degradation_gan",
        "paradigm.degradation_iterations=3",
        "degrader.width=4",
        "discriminator_lr.widths=[4]",
        *UNPAIRED,
    ],
    "cycle_in_cycle": [
        "paradigm=cycle_in_cycle",
        "paradigm.inner_iterations=3",
        "paradigm.reverse=true",
        "translator.width=4",
        "translator.blocks=1",
        "discriminator.width=4",
        "discriminator.strides=[2,1]",
        "discriminator_lr.width=4",
        "discriminator_lr.strides=[1]",
        *UNPAIRED,
    ],
    "growing_scales": [
        *("curriculum=[growing_scales]", "curriculum.scales.patches=[8,6,4]", "curriculum.scales.steps=[0.2,0.8]"),
        *("framework=progressive", "framework.separate_heads=true", "scale=4"),
    ],
    "mixed_scales": [
        *("curriculum=[mixed_scales]", "curriculum.scales.patches=[8,6,4]", "framework=multi_scale", "scale=4"),
    ],
    "easy_first, ramps": [
        *("curriculum=[easy_first,growing_noise]", "curriculum.difficulty.probes=16", "degradation=noise"),
        *("optimizer=adamw", "+curriculum.ramps.settings={optimizer.weight_decay:{start:0,end:0.1}}"),
    ],
    "any_scale": ["paradigm=any_scale", "network=meta_edsr", "scale=3", "backbone.blocks=1", "backbone.width=8"],
    "deep_image_prior": [
        "experiment=dip_x4",
        *("data.image=null", "data.hr=photos/0.png", "paradigm.patience=100"),
        *("backbone.in_channels=4", "backbone.width=6", "backbone.skip=2", "backbone.scales=2"),
    ],
    "zero_shot": [
        "experiment=zssr_x2_gradual",
        *("data.image=null", "data.hr=photos/0.png", "backbone.width=6", "backbone.layers=2"),
        *("paradigm.scales=[[1,2],[2,2]]", "paradigm.back_projections=[1,1]", "paradigm.fathers.crop=16"),
    ],
    "kernel_gan": [
        "experiment=kernel_gan",
        *("data.image=null", "data.hr=photos/0.png", "paradigm.crop=20", "paradigm.shave=0", "paradigm.keep=5"),
        *("paradigm.generator.kernel_sizes=[3,3,1]", "paradigm.generator.width=4", "discriminator.width=4"),
    ],
}
"""A tiny training of each paradigm and of each curriculum; growing scales are in mid-blend from iteration 3 to 5."""
TIMEOUT_SECONDS = 120


class Trained(NamedTuple):
    """What a training came to, and how many kills it took on the way."""

    folder: Path
    kills: int

    def served(self) -> list[tuple[str, str]]:
        """Iteration and fingerprint of each batch that was trained on, in order; what was done twice is there twice."""
        pairs = (line.split() for line in (self.folder / "served.txt").read_text().splitlines())
        return [(iteration, fingerprint) for iteration, fingerprint in pairs]

    def samples_cut(self) -> int:
        """Training samples that were read and cut, over all starts."""
        return (self.folder / "cut.txt").stat().st_size


def arguments_of(line: str) -> list[str]:
    """The whole command of a line; an experiment brings its own data and backbone."""
    own = ("data", "backbone") if LINES[line][:1] and LINES[line][0].startswith("experiment=") else ("nothing",)
    return [*(item for item in BASE if not item.startswith(own)), *LINES[line]]


def train(folder: Path, arguments: Sequence[str], kills: Sequence[Moment | float] = ()) -> Trained:
    """Run `srlab-train` in a folder until it ends by itself; the first starts are killed, each at its moment.

    Args:
        folder: where the command is given; it holds `photos`, of which `shards` are made where these are asked for.
        arguments: of the command.
        kills: one a start: a moment, or the seconds after which the kill comes from outside. What ends before its
            moment is not started again.

    Raises:
        AssertionError: the command failed.
    """
    if "data.root=shards" in arguments and not (folder / "shards").exists():
        write_shards(Folder(str(folder / "photos")), folder / "shards", Form(tile=16, images=2))
    for done, kill in enumerate([*kills, None]):
        status = _start(folder, arguments, kill)
        if status == 0:
            return Trained(folder / "run", done)
        log = (folder / "log.txt").read_text()
        assert status == -signal.SIGKILL, f"status {status}:\n{log[-3000:]}"
    raise AssertionError("the last start was not to be killed")


def differences(left_alone: Trained, killed: Trained) -> list[str]:
    """The names of all that is not the same, bit for bit, in two trainings."""
    served = ["served samples"] if set(left_alone.served()) != set(killed.served()) else []
    return served + unequal_files(left_alone.folder, killed.folder)


def unequal_files(one: Path, other: Path) -> list[str]:
    """The names of all that is not the same, bit for bit, in what two trainings left in their run folders."""
    ours, theirs = ({path.name for path in (run / "checkpoints").iterdir()} for run in (one, other))
    found = [f"file {name}" for name in ours ^ theirs]
    for name in ours & theirs:
        paths = (run / "checkpoints" / name for run in (one, other))
        found += _unequal(*(dict(leaves(torch.load(path, weights_only=True), name)) for path in paths))
    found += [name for name in ("metrics.csv", "results.csv") if _rows(one / name) != _rows(other / name)]
    for name in ("export/model.safetensors", "sr.png", "kernel.npy"):
        if _content(one / name) != _content(other / name):
            found.append(name)
    return found


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _start(folder: Path, arguments: Sequence[str], kill: Moment | float | None) -> int:
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.kills_preload"])
    moment = kill if isinstance(kill, Moment) else None
    process = context.Process(target=train_here, args=(folder, list(arguments), moment))
    process.start()
    process.join(kill if isinstance(kill, float) else TIMEOUT_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        assert isinstance(kill, float), f"still running after {TIMEOUT_SECONDS} s: {arguments}"
    assert process.exitcode is not None
    return process.exitcode


def _unequal(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    def equal(one: Any, other: Any) -> bool:
        return torch.equal(one, other) if isinstance(one, Tensor) and isinstance(other, Tensor) else bool(one == other)

    return [name for name in ours.keys() | theirs.keys() if not equal(ours.get(name), theirs.get(name))]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]
