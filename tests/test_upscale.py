"""`srlab-upscale` on files of every kind."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from omegaconf import OmegaConf
from PIL import Image

from srlab.build import build
from srlab.data.images import read_image
from srlab.degradation.resize import resize
from srlab.inference.exported import export
from tests.conftest import Command, composed

RNG = np.random.default_rng(0)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder of a grey, an RGBA, a 16-bit and a float image, one of them in a folder below."""
    folder = tmp_path / "mixed"
    (folder / "below").mkdir(parents=True)
    Image.fromarray(RNG.integers(0, 256, (20, 30), dtype=np.uint8)).save(folder / "grey.png")
    Image.fromarray(RNG.integers(0, 256, (20, 30, 4), dtype=np.uint8)).save(folder / "clear.png")
    tifffile.imwrite(folder / "deep.tif", RNG.integers(0, 65536, (20, 30, 3), dtype=np.uint16))
    tifffile.imwrite(folder / "below/float.tif", RNG.random((20, 30, 3), dtype=np.float32))
    return folder


@pytest.mark.usefixtures("mixed")
def test_size_depth_and_channels_are_kept(command: Command, tmp_path: Path) -> None:
    outcome = command("upscale", "input=mixed", "output=large", "network=bicubic", "scale=2")
    assert outcome.status == 0, outcome.err
    found = {str(path.relative_to(tmp_path / "large")): read_image(path) for path in (tmp_path / "large").rglob("*.*")}
    assert {name: (pixels.shape, pixels.dtype.name) for name, pixels in found.items()} == {
        "grey_x2.png": ((40, 60, 1), "uint8"),
        "clear_x2.png": ((40, 60, 4), "uint8"),
        "deep_x2.tif": ((40, 60, 3), "uint16"),
        "below/float_x2.tif": ((40, 60, 3), "float32"),
    }
    source = torch.from_numpy(read_image(tmp_path / "mixed/deep.tif").astype(np.float64) / 65535).movedim(-1, 0)[None]
    expected = (resize(source, scale=2).clamp(0, 1) * 65535).round()[0].movedim(0, -1).numpy()
    assert np.abs(found["deep_x2.tif"].astype(np.float64) - expected).max() <= 1


@pytest.mark.usefixtures("mixed")
def test_nothing_is_overwritten_and_nothing_is_begun_that_cannot_be_done(command: Command, tmp_path: Path) -> None:
    arguments = ["input=mixed/grey.png", "output=large", "network=bicubic"]
    assert command("upscale", *arguments).status == 0
    again = command("upscale", *arguments)
    assert (again.status, "nothing is overwritten" in again.err) == (2, True)
    tifffile.imwrite(tmp_path / "mixed/zz.tif", RNG.random((24, 20, 5), dtype=np.float32))
    banded = command("upscale", "input=mixed", "output=other", "network=bicubic")
    assert (banded.status, "zz.tif has 5 channels" in banded.err) == (2, True)
    assert not (tmp_path / "other").exists()
    assert "weights" in command("upscale", "input=mixed/grey.png", "network=edsr_baseline").err


def test_all_unreadable_files_are_named_and_no_image_is_enlarged(command: Command, tmp_path: Path, mixed: Path) -> None:
    for name in ("a.png", "b.jpg"):
        (mixed / name).write_text("no image")
    outcome = command("upscale", "input=mixed", "output=large")
    assert outcome.status == 2
    assert "a.png" in outcome.err
    assert "b.jpg" in outcome.err
    assert not (tmp_path / "large").exists()


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(
    ("argument", "expected"),
    [("precision=half", "bf16"), ("device=gpuu", "device=gpuu: choose"), ("input=none.png", "no such file")],
)
def test_what_cannot_be_is_refused(command: Command, argument: str, expected: str) -> None:
    outcome = command("upscale", "input=mixed", argument)
    assert (outcome.status, expected in outcome.err) == (2, True)


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("argument", ["scale=3", "channels=1"])
def test_an_exported_network_is_not_asked_for_what_it_cannot_do(
    command: Command, tmp_path: Path, argument: str
) -> None:
    cfg = composed("upscale", ["network=edsr_baseline", "backbone.blocks=1", "backbone.width=8"])
    composition = OmegaConf.to_container(cfg.framework, resolve=True)
    assert isinstance(composition, dict)
    export(build(cfg.framework), composition, tmp_path / "net", {"network_name": "small"})
    outcome = command("upscale", "input=mixed", "weights=net", argument)
    assert outcome.status == 2
    assert f"leave {argument.partition('=')[0]} out" in outcome.err
    assert command("upscale", "input=mixed", "weights=net", "scale=2").status == 0
