"""Where the tests find real images and published weights, and tiny images that they make."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import hydra
import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from PIL import Image

from srlab.config import register

ROOT = Path(__file__).parent.parent

TINY = [
    "backbone.blocks=1",
    "backbone.width=8",
    "data=folder",
    "data.root=photos",
    "data.val_root=photos",
    "data.batch_size=2",
    "data.patch=8",
    "data.workers=0",
    "iterations=6",
    "logger=[csv]",
    "trainer.val_check_interval=4",
    "trainer.log_every_n_steps=1",
    "trainer.enable_progress_bar=false",
    "callbacks=[checkpoints,strips]",
    "callbacks.checkpoints.every=2",
]
"""A training of seconds on the folder `photos`."""


def train_in_two_processes(folder: Path, *arguments: str) -> None:
    """Run `srlab-train` in a folder on two processes of this machine's CPU."""
    train = Path(sys.executable).with_name("srlab-train")
    two = ["trainer.accelerator=cpu", "trainer.devices=2", "trainer.strategy=ddp"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [str(train), *two, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]


def _folder(variable: str, what: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: it names the folder with {what}")
    path = Path(value)
    if not path.is_dir():
        pytest.fail(f"{variable}={value} is not a folder: set it to the folder with {what}, or unset it")
    return path


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["SRLAB_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real images; tests that need it skip where SRLAB_DATA is unset."""
    return _folder("SRLAB_DATA", "real images")


@pytest.fixture(scope="session")
def faces_root(data_root: Path) -> Path:
    """The folder of faces: `fsrnet/data`, `weights` of priors, and CelebA's landmarks."""
    if not (data_root / "domain/face").is_dir():
        pytest.skip("needs faces: SRLAB_DATA holds no domain/face")
    return data_root / "domain/face"


@pytest.fixture(scope="session")
def weights_root() -> Path:
    """The folder of published weights; tests that need it skip where SRLAB_WEIGHTS is unset."""
    return _folder("SRLAB_WEIGHTS", "published weights")


def composed(command: str, overrides: list[str]) -> DictConfig:
    """What a command would run, without its command line."""
    register()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        return hydra.compose(command, overrides)


class Command:
    """A console command, run in this process: exit status, standard output and error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path) -> None:
        self.monkeypatch, self.capfd, self.folder = monkeypatch, capfd, folder

    def __call__(self, name: str, *arguments: str) -> "Outcome":
        main = importlib.import_module(f"srlab.{name}").main
        GlobalHydra.instance().clear()
        HydraConfig.instance().cfg = None
        self.monkeypatch.chdir(self.folder)
        self.monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
        self.monkeypatch.setattr(sys, "argv", [f"srlab-{name}", *arguments])
        self.capfd.readouterr()
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        out, err = self.capfd.readouterr()
        return Outcome(status, out, err)


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run `command("train", "scale=2", ...)` in an empty folder."""
    return Command(monkeypatch, capfd, tmp_path)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three smooth images of different sizes."""
    return draw_photos(tmp_path / "photos")


def draw_photos(folder: Path) -> Path:
    """Draw three smooth images of different sizes into a new folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index, size in enumerate([(40, 48), (48, 40), (44, 44)]):
        coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return folder
