"""The commands and snippets of the documents, and a small world in which they run as they stand.

Fenced blocks of `sh` and `python` are run in a folder that has what they name: photographs, benchmarks, a run. Training is
cut to two iterations on crops of a few pixels (`tiny`). What no test can run says why in `NOT_RUN`, and is composed instead,
as are commands within sentences: each group, choice and key of theirs exists.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep
from PIL import Image
from scipy import io

from tests.conftest import ROOT, draw_photos

PAGES = [
    "README.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "examples").rglob("README.md")),
]
COMMANDS = {
    "srlab-train": "train",
    "srlab-test": "test",
    "srlab-upscale": "upscale",
    "srlab-export": "export",
    "srlab-report": "report.command",
    "srlab-describe": "describe",
    "srlab-kernel": "kernel",
    "srlab-sweep": "sweep",
    "srlab-shards": "shards",
    "srlab-wandb": "tracking.command",
}
NOT_RUN = {
    "hydra/sweeper=": "takes several trainings: tests/sweeps",
    "hydra/launcher=": "needs a cluster, or its launcher: tests/slurm, tests/sweeps",
    "trainer.devices=4": "needs four devices: tests/paradigms try two processes",
    "wandb": "needs a run with W&B, or a server: tests/tracking",
    "torchrun": "starts processes of its own",
    "srlab-plan": "starts a process for each kind of job: tests/test_plan.py",
    "srun": "needs Slurm",
    "#SBATCH": "needs Slurm",
    "make ": "is the test suite, or minutes: its target exists",
    "pip ": "needs the network: its extra exists",
    "mkdocs": "is run by .ci/run",
    "--help": "is tried in tests/test_cli.py",
    "--all": "takes minutes",
    "celeba": "needs faces and weights of judges: tests/data/test_faces.py, tests/evaluation/test_faces.py",
    "experiment=face": "needs faces: tests/data/test_faces.py",
    "experiment=depth": "is trained at tiny size by tests/test_provenance.py",
    "data.test_root=lu": "needs maps of Lu: tests/evaluation/test_depth.py and tests/networks/test_guided.py score them",
}
STANDS_FOR = {
    " ...": "",
    "runs/train/<date>": "runs/train/one",
    "runs/sweep/<date>": "runs/train",
    "<kernel.npy>": "kernel.npy",
    "<run>": "runs/train/one",
    "iterations=200000": "iterations=4",
    "seed=1,2,3": "seed=1,2",
    "range(5)": "range(2)",
}
PAIRED = (
    "network=edsr_baseline framework.global_residual=true backbone.blocks=4 backbone.width=32 hydra.run.dir=runs/pairs"
)
BEFORE = {
    "runs/psnr": "srlab-train experiment=esrgan_pretrain data=div2k data.root=datasets hydra.run.dir=runs/psnr",
    "weights=runs/pairs": f"srlab-train data=folder data.root=good {PAIRED}",
    "runs/gan": "srlab-train experiment=esrgan weights=runs/psnr data=div2k data.root=datasets hydra.run.dir=runs/gan",
}
"""What makes a run that another page made."""


class Line(NamedTuple):
    """A command, or a snippet of Python, at a line of a page; `inline` where it stands within a sentence."""

    page: str
    number: int
    kind: str
    text: str
    inline: bool = False

    def __str__(self) -> str:
        return f"{self.page}:{self.number}"

    @property
    def words(self) -> list[str]:
        """The command as a shell reads it, with what the world has in the place of <placeholders>."""
        text = self.text
        for placeholder, name in STANDS_FOR.items():
            text = text.replace(placeholder, name)
        return shlex.split(text, comments=True)

    @property
    def reason(self) -> str | None:
        """Why it is not run."""
        return next((reason for sign, reason in NOT_RUN.items() if sign in self.text), None)


def lines_of(page: str) -> Iterator[Line]:
    """The snippets and commands of a page, in their order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = list(re.finditer(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL))
    for block in blocks:
        first = text.count("\n", 0, block.start(2)) + 1
        if block[1] == "python":
            yield Line(page, first, "python", block[2])
        elif block[1] == "sh":
            waiting, start = "", first
            for number, line in enumerate(block[2].splitlines(), first):
                start = start if waiting else number
                waiting += line.removesuffix("\\")
                if not line.endswith("\\"):
                    if waiting.strip() and not waiting.startswith("#!"):
                        yield Line(page, start, "sh", waiting.strip())
                    waiting = ""
    prose = re.sub(r"^ *```.*?^ *```", lambda block: "\n" * block[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    for code in re.finditer(r"`(srlab-\w+ [^`]+)`", prose):
        yield Line(page, prose.count("\n", 0, code.start()) + 1, "sh", " ".join(code[1].split()), inline=True)


def first_of_sweep(arguments: list[str]) -> list[str]:
    """Overrides of one job: each sweep's first choice; flags are left out."""
    overrides = []
    for override in OverridesParser.create().parse_overrides([one for one in arguments if not one.startswith("-")]):
        if override.is_sweep_override():
            value = override.value()
            first = value.start if isinstance(value, IntervalSweep) else next(iter(override.sweep_string_iterator()))
            overrides.append(f"{override.get_key_element()}={first}")
        else:
            overrides.append(str(override.input_line))
    return overrides


def tiny(words: list[str]) -> list[str]:
    """What is added to a command so that it takes seconds."""
    said = " ".join(words)
    added = ["hydra/launcher=basic"] if "-m" in words and "launcher" not in said and "data.index" not in said else []
    if words[0] == "srlab-kernel" or "estimated" in said:
        method = "reduction.method" if "estimated" in said else "method"
        added += [f"{method}.iterations=2"]
        added += [] if "kernel_gan" in said else [f"{method}.patches=200", f"{method}.candidates=400"]
    if words[0] != "srlab-train" or "resume=runs/" in said:
        return added
    added += ["iterations=2", "trainer.val_check_interval=2", "trainer.log_every_n_steps=1", "logger=[csv]"]
    if re.search("zssr|dip_|kernel_gan", said):
        return added
    added += ["data.workers=0", "data.batch_size=2", "data.patch=8"]
    if "hyperspectral" in said:
        return added
    if "experiment=video" in said:
        return [*added, "data.frames=3", "framework.blocks=1"]
    if "data=gratings" in said:
        return [
            *added,
            "data.train.count=2",
            "data.val._target_=own_parts.gratings.Gratings",
            "+data.val.count=1",
            "+data.val.size=32",
        ]
    if "data=" not in said and "hr_root" not in said and "experiment=degradation" not in said:
        added += ["data=folder", "data.root=photos"]
    if "hr_root" in said:
        added += ["data.val_hr_root=photos"] if "lr_root=poor" in said else []
    elif not re.search("data=(div2k|paired|gratings)", said):
        added += ["data.val_root=photos"]
    if "esrgan" in said or "runs/psnr" in said:
        added += ["backbone.blocks=1", "backbone.width=16"]
    if "experiment=esrgan " in f"{said} ":
        added += ["loss.content.features.weights=random"]
    if "degradation_gan" in said:
        added += ["paradigm.degradation_iterations=1"]
    if "cycle_in_cycle" in said:
        added += ["paradigm.inner_iterations=1"]
    return added


def build_world(folder: Path) -> None:
    """Make the files that the documents name, all of them small."""
    photos = draw_photos(folder / "photos")
    names = sorted(photos.glob("*.png"))
    for other in (
        "other",
        "good",
        "HR",
        "benchmarks/Set5",
        "Set5",
        "datasets/DIV2K_train_HR",
        "datasets/DIV2K_valid_HR",
    ):
        shutil.copytree(photos, folder / other)
    for place, name in enumerate(sorted((folder / "datasets/DIV2K_valid_HR").glob("*.png")), 801):
        name.rename(name.with_name(f"{place:04}.png"))
    for low in ("LR", "poor"):
        (folder / low).mkdir()
        for name in names:
            with Image.open(name) as image:
                image.resize((image.width // 2, image.height // 2)).save(
                    folder / low / (name.name if low == "LR" else f"other_{name.name}")
                )
    Image.open(names[0]).resize((96, 88)).save(folder / "photo.png")
    Image.open(names[0]).save(folder / "photos/a.tif")
    Image.open(names[0]).resize((24, 24)).save(folder / "lr.png")
    rng = np.random.default_rng(0)
    for clip in ("clips/walk", "clips/street", "Vid4/city", "theirs/city"):
        for t in range(6):
            frame = folder / clip / f"Frame {t:03d}.png"
            frame.parent.mkdir(parents=True, exist_ok=True)
            Image.open(names[0]).resize((100, 90)).crop((t, 2 * t, 64 + t, 48 + 2 * t)).save(frame)
    shutil.copytree(folder / "clips", folder / "shots")
    np.save(folder / "jasper.npy", rng.integers(0, 5000, (96, 96, 64)))
    io.savemat(folder / "wv2.mat", {"I_MS": rng.random((32, 32, 8)), "I_PAN": rng.random((128, 128))})
    across = np.exp(-(np.arange(-4, 5) ** 2) / 4.0)
    np.save(folder / "kernel.npy", np.outer(across, across) / across.sum() ** 2)


def prepare(folder: Path, words: list[str]) -> None:
    """Make what only this command needs."""
    said = " ".join(words)
    if "hr=hr.png" in said:
        side = 24 * int((re.search(r"_x(\d)", said) or ["", "2"])[1])
        Image.open(folder / "photo.png").resize((side, side)).save(folder / "hr.png")
    if "4x_some.pth" in said and not (folder / "4x_some.pth").exists():
        from tests.community import write_esrgan

        write_esrgan(folder / "4x_some.pth", 4)
    for name in ("esrgan/export", "psnr/export"):
        if f"={name}" in said and not (folder / name).exists():
            shutil.copytree(folder / "runs/train/one/export", folder / name)
