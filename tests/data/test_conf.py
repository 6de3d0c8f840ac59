"""Each choice of `data=` builds, from the one key that a user must give."""

from collections.abc import Callable
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from srlab import build
from srlab.data.module import SuperResolutionData
from srlab.data.shard_files import Form
from srlab.data.sharding import write_shards
from srlab.data.sources import Folder
from srlab.errors import InputError
from tests.conftest import composed

Draw = Callable[..., Path]
CONF = Path(__file__).parents[2] / "conf" / "data"


def compose(choice: str, **values: object) -> DictConfig:
    cfg = composed("test", [f"data={choice}", "iterations=3", "run_dir=."])
    cfg.data = OmegaConf.merge(cfg.data, values)
    return cfg


@pytest.mark.parametrize(
    ("choice", "given"),
    [
        ("builtin", []),
        ("folder", ["root"]),
        ("shards", ["root"]),
        ("paired", ["hr_root", "lr_root"]),
        ("div2k", ["root"]),
        ("benchmark", ["root"]),
        ("unpaired", ["hr_root", "lr_root"]),
        ("benchmark_image", ["root"]),
        ("image", ["image"]),
    ],
)
def test_a_choice_builds(tmp_path: Path, draw: Draw, choice: str, given: list[str]) -> None:
    draw(tmp_path / "DIV2K_train_HR" / "a.png", 100, 100)
    missing = {key for key in OmegaConf.missing_keys(compose(choice)) if key.startswith("data.")}
    assert missing == {f"data.{key}" for key in given}
    cfg = compose(choice, **dict.fromkeys(given, str(tmp_path)))
    if choice == "unpaired":
        cfg.data.lr_root = str(draw(tmp_path / "lr" / "b.png").parent)
        cfg.data.hr_root = str(tmp_path / "DIV2K_train_HR")
    if choice == "shards":
        write_shards(Folder(str(tmp_path)), tmp_path, Form())
    if choice == "image":
        cfg.data.image = str(tmp_path / "DIV2K_train_HR" / "a.png")
    module = build.build(cfg.data)
    assert isinstance(module, SuperResolutionData)
    of_benchmark = choice in {"benchmark", "benchmark_image", "image"}
    assert (module.train is None) == of_benchmark
    module.setup("validate")
    assert len(list(module.val_dataloader())) == (1 if of_benchmark else 6)


def test_all_choices_are_tested() -> None:
    tested = {"builtin", "folder", "shards", "paired", "div2k", "benchmark", "unpaired", "benchmark_image", "image"}
    elsewhere = {"rgbd", "motorcycle", "cube", "clips", "faces"}  # test_rgbd.py, test_cubes.py, and so on
    assert {path.stem for path in CONF.glob("*.yaml")} == tested | elsewhere


def test_a_wrong_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        build.build(compose("folder", root=str(tmp_path / "absent")).data)
