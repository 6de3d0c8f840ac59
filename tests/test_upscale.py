"""`srlab-upscale` on files of every kind."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from omegaconf import OmegaConf
from PIL import Image

from srlab.build import build
from srlab.data.images import read_image, to_tensor
from srlab.degradation.resize import resize
from srlab.inference.enlarge import enlarge
from srlab.inference.exported import export
from srlab.networks.network import Network
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
def test_nothing_is_overwritten_and_resume_does_what_is_missing(command: Command, tmp_path: Path) -> None:
    arguments = ["input=mixed", "output=large", "network=bicubic"]
    assert command("upscale", *arguments).status == 0
    (tmp_path / "large/clear_x2.png").unlink()
    before = {path: path.read_bytes() for path in (tmp_path / "large").rglob("*.*")}
    again = command("upscale", *arguments)
    assert (again.status, "nothing is overwritten" in again.err) == (2, True)
    assert command("upscale", *arguments, "resume=true").status == 0
    assert (tmp_path / "large/clear_x2.png").is_file()
    assert all(path.read_bytes() == content for path, content in before.items())
    assert command("upscale", *arguments, "resume=true").status == 0
    assert "weights" in command("upscale", "input=mixed/grey.png", "network=edsr_baseline").err


def test_a_broken_file_stops_no_other_and_is_told_at_the_end(command: Command, tmp_path: Path, mixed: Path) -> None:
    (mixed / "a.png").write_text("no image")
    whole = (mixed / "grey.png").read_bytes()
    (mixed / "cut.png").write_bytes(whole[: len(whole) // 2])
    tifffile.imwrite(mixed / "banded.tif", RNG.random((24, 20, 5), dtype=np.float32))
    outcome = command("upscale", "input=mixed", "output=large", "network=bicubic", "hydra.run.dir=run")
    assert outcome.status == 2
    for name, reason in (("a.png", "cannot be read"), ("cut.png", "cannot be read"), ("banded.tif", "has 5 channels")):
        assert any(name in line and reason in line for line in outcome.err.splitlines()), outcome.err
    assert "3 of 7 images" in outcome.err
    written = sorted(path.name for path in (tmp_path / "large").rglob("*.*"))
    assert written == ["clear_x2.png", "deep_x2.tif", "float_x2.tif", "grey_x2.png"]
    with (tmp_path / "run/upscaled.csv").open(newline="") as file:
        rows = {Path(row["source"]).name: row for row in csv.DictReader(file)}
    assert (rows["deep.tif"]["height"], rows["deep.tif"]["error"]) == ("20", "")
    assert rows["cut.png"]["error"]


@pytest.mark.usefixtures("mixed")
def test_a_pattern_chooses_and_an_output_below_the_input_is_no_input(command: Command, tmp_path: Path) -> None:
    assert command("upscale", "input='mixed/**/*.tif'", "output=large", "network=bicubic").status == 0
    assert sorted(path.name for path in (tmp_path / "large").rglob("*.*")) == ["deep_x2.tif", "float_x2.tif"]
    arguments = ["input=mixed", "output=mixed/large", "network=bicubic", "resume=true"]
    assert command("upscale", *arguments).status == 0
    assert command("upscale", *arguments).status == 0
    assert len([path for path in (tmp_path / "mixed/large").rglob("*.*") if path.is_file()]) == 4
    missing = command("upscale", "input='mixed/*.gif'", "network=bicubic")
    assert (missing.status, "no image fits the pattern" in missing.err) == (2, True)


def small_edsr(folder: Path) -> Network:
    cfg = composed("upscale", ["network=edsr_baseline", "backbone.blocks=2", "backbone.width=8"])
    composition = OmegaConf.to_container(cfg.framework, resolve=True)
    assert isinstance(composition, dict)
    torch.manual_seed(0)
    network: Network = build(cfg.framework)
    export(network, composition, folder, {"network_name": "small"})
    return network.eval()


@pytest.mark.usefixtures("mixed")
def test_tiles_batches_devices_and_workers_change_no_pixel(command: Command, tmp_path: Path) -> None:
    network = small_edsr(tmp_path / "net")
    how = ["tile=8", "batch=3", "device='cpu,cpu'", "workers=3", "precision=32"]
    assert command("upscale", "input=mixed", "weights=net", "output=large", *how).status == 0
    pixels = read_image(tmp_path / "mixed/below/float.tif")
    expected = enlarge(network, to_tensor(pixels)[None])[0].movedim(0, -1).numpy()
    np.testing.assert_allclose(read_image(tmp_path / "large/below/float_x2.tif"), expected, atol=1e-5)


@pytest.mark.slow  # a compiler runs for a minute
@pytest.mark.usefixtures("mixed")
def test_a_compiled_network_enlarges_as_it_does_otherwise(command: Command, tmp_path: Path) -> None:
    network = small_edsr(tmp_path / "net")
    how = ["tile=8", "precision=32", "compile=true"]
    assert command("upscale", "input=mixed/below", "weights=net", "output=large", *how).status == 0
    expected = enlarge(network, to_tensor(read_image(tmp_path / "mixed/below/float.tif"))[None])[0].movedim(0, -1)
    np.testing.assert_allclose(read_image(tmp_path / "large/float_x2.tif"), expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("suffix", [".webp", ".bmp", ".jpg"])
def test_other_formats_are_enlarged_in_their_own(command: Command, tmp_path: Path, suffix: str) -> None:
    (tmp_path / "in").mkdir()
    pixels = RNG.integers(0, 256, (5, 6, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    Image.fromarray(pixels).save(tmp_path / f"in/a{suffix}", lossless=True)  # WebP; others know nothing of it
    outcome = command("upscale", "input=in", "output=large", "network=bicubic", "scale=2", "tile=8")
    assert outcome.status == 0, outcome.err
    source = to_tensor(read_image(tmp_path / f"in/a{suffix}"))[None]
    expected = (resize(source.double(), scale=2).clamp(0, 1) * 255).round()[0].movedim(0, -1).numpy()
    found = read_image(tmp_path / f"large/a_x2{suffix}").astype(np.float64)
    assert np.abs(found - expected).mean() < (3 if suffix == ".jpg" else 0.01)


@pytest.mark.usefixtures("mixed")
def test_self_ensemble_is_the_mean_of_eight(command: Command, tmp_path: Path) -> None:
    network = small_edsr(tmp_path / "net")
    arguments = ["input=mixed/below/float.tif", "weights=net", "output=large", "precision=32", "self_ensemble=true"]
    assert command("upscale", *arguments).status == 0
    lr = to_tensor(read_image(tmp_path / "mixed/below/float.tif"))[None]
    turned = [
        np.rot90(enlarge(network, torch.rot90(image, turn, (-2, -1)))[0].numpy(), -turn, (1, 2))[..., ::mirror]
        for mirror in (1, -1)
        for image in [lr if mirror == 1 else lr.flip(-1)]
        for turn in range(4)
    ]
    expected = np.mean(turned, axis=0).transpose(1, 2, 0)
    # the mean is taken before values are cut off at 0 and 1, which moves it where some of the eight are beyond
    assert float(np.abs(read_image(tmp_path / "large/float_x2.tif") - expected).mean()) < 1e-3


def test_a_network_that_sees_all_is_tiled_with_a_word_of_warning(command: Command, tmp_path: Path) -> None:
    cfg = composed("upscale", ["network=rcan", "backbone.groups=1", "backbone.blocks=1", "backbone.width=16"])
    composition = OmegaConf.to_container(cfg.framework, resolve=True)
    assert isinstance(composition, dict)
    export(build(cfg.framework), composition, tmp_path / "net", {"network_name": "small"})
    Image.fromarray(RNG.integers(0, 256, (100, 90, 3), dtype=np.uint8)).save(tmp_path / "x.png")
    outcome = command("upscale", "input=x.png", "weights=net", "output=large", "tile=32")
    assert outcome.status == 0
    assert "dB PSNR" in outcome.out + outcome.err


def test_a_budget_that_is_too_small_says_what_would_do(command: Command, tmp_path: Path) -> None:
    Image.fromarray(RNG.integers(0, 256, (10, 10, 3), dtype=np.uint8)).save(tmp_path / "x.png")
    outcome = command("upscale", "input=x.png", "network=bicubic", "memory_gb=0.01")
    assert (outcome.status, "is too little: give" in outcome.err) == (2, True)


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("precision=half", "bf16"),
        ("device=gpuu", "device=gpuu: choose"),
        ("input=none.png", "no such file"),
        ("tile=0", "tile=0: give 1 or more"),
        ("factor=2.5", "enlarges 2 times and no other"),
    ],
)
def test_what_cannot_be_is_refused(command: Command, argument: str, expected: str) -> None:
    outcome = command("upscale", "input=mixed", argument)
    assert (outcome.status, expected in outcome.err) == (2, True)


@pytest.mark.usefixtures("mixed")
@pytest.mark.parametrize("argument", ["scale=3", "channels=1"])
def test_an_exported_network_is_not_asked_for_what_it_cannot_do(
    command: Command, tmp_path: Path, argument: str
) -> None:
    small_edsr(tmp_path / "net")
    outcome = command("upscale", "input=mixed", "weights=net", argument)
    assert outcome.status == 2
    assert f"leave {argument.partition('=')[0]} out" in outcome.err
    assert command("upscale", "input=mixed", "weights=net", "scale=2").status == 0


@pytest.fixture
def guided(tmp_path: Path) -> list[str]:
    """A map, the photograph of its scene, and the options for a filter that takes both."""
    for folder in ("depth", "rgb"):
        (tmp_path / folder).mkdir()
    edge = np.zeros((40, 40, 3), np.uint8)
    edge[:, 22:] = 255
    Image.fromarray(edge).save(tmp_path / "rgb/one_color.png")
    Image.fromarray(np.repeat(np.repeat(np.array([[40, 40, 120, 200]], np.uint8), 3, 1)[:, :10], 10, 0)).save(
        tmp_path / "depth/one_depth.png"
    )
    return ["network=joint_bilateral_upsampling", "scale=4", "input=depth", "hydra.run.dir=run"]


def test_a_map_is_enlarged_along_the_edges_of_its_guide(command: Command, tmp_path: Path, guided: list[str]) -> None:
    outcome = command("upscale", *guided, "guide=rgb", "output=large")
    assert outcome.status == 0, outcome.err
    found = read_image(tmp_path / "large/one_depth_x4.png")
    assert (found.shape, found.dtype.name) == ((40, 40, 1), "uint8")
    plain = command("upscale", *guided[1:3], "network=bicubic", "output=plain", "hydra.run.dir=other")
    assert plain.status == 0, plain.err
    steepest = [
        np.abs(np.diff(read_image(path)[20, :, 0].astype(int))).argmax()
        for path in (tmp_path / "large/one_depth_x4.png", tmp_path / "plain/one_depth_x4.png")
    ]
    assert steepest[0] == 21 != steepest[1], "where the photograph has its edge, which LR does not tell"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "takes a guide of 3 channels beside each image, 4 times as large: give guide="),
        (["guide=depth"], "is 10 x 10 with 1 channels, and the guide of"),
        (["guide=empty"], "expected a folder with a guide for each of the 1 images"),
        (["guide=rgb", "self_ensemble=true"], "for networks without a guide"),
        (["guide=rgb", "network=bicubic"], "enlarges images by themselves: leave guide out"),
    ],
)
def test_guides_that_do_not_fit_are_refused(
    command: Command, guided: list[str], arguments: list[str], message: str
) -> None:
    outcome = command("upscale", *guided, *arguments)
    assert outcome.status == 2
    assert message in outcome.err


def test_float_images_beyond_white_are_told(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "metres.npy", np.full((8, 8, 1), 7.5, np.float32))
    outcome = command("upscale", "input=metres.npy", "network=bicubic", "output=large")
    assert (outcome.status, "divide it by its white level" in outcome.err) == (2, True)
