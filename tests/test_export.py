"""`srlab-export`: what is written computes what the network computes, in srlab, in onnxruntime and in spandrel."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

import srlab
from srlab.build import build
from srlab.data.images import read_image
from srlab.inference.exported import export
from srlab.inference.interpolation import interpolate
from srlab.networks.network import Network
from tests.community import write_esrgan
from tests.conftest import TINY, Command, composed

LR = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(1))
RRDB = ["network=rrdb", "backbone.blocks=2", "backbone.width=8"]
RCAN = ["network=rcan", "backbone.groups=2", "backbone.blocks=2", "backbone.width=16", "backbone.reduction=4"]
SWINIR = ["network=swinir_light", "backbone.width=12", "backbone.depths=[2,2]", "backbone.heads=2", "backbone.window=4"]
EDSR = ["network=edsr_baseline", "backbone.width=8", "backbone.blocks=2"]


def exported(folder: Path, *overrides: str) -> Network:
    """Export a network whose weights are all large enough to be seen."""
    cfg = composed("upscale", [*overrides, "run_dir=."])
    network: Network = build(cfg.framework).eval()
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.05)
    composition = OmegaConf.to_container(cfg.framework, resolve=True)
    assert isinstance(composition, dict)
    export(network, composition, folder, {"network_name": "small"})
    return network


@torch.no_grad()
def image(network: Network, lr: Tensor = LR) -> Tensor:
    sr: Tensor = network(lr).sr
    return sr


def test_interpolation_is_a_line_between_two_networks() -> None:
    first = {"weight": torch.tensor([0.0, 2.0]), "count": torch.tensor(3)}
    second = {"weight": torch.tensor([1.0, -2.0]), "count": torch.tensor(9)}
    between = interpolate(first, second, 0.25)
    assert between["weight"].tolist() == [0.25, 1.0]
    assert [int(interpolate(first, second, alpha)["count"]) for alpha in (0, 0.25, 1)] == [3, 3, 9]
    for other, alpha, message in [
        ({"weight": first["weight"]}, 0.5, "count"),
        (second | {"weight": torch.zeros(3)}, 0.5, r"weight is \(2,\) in one and \(3,\) in the other"),
        (second, 1.5, r"alpha=1.5: choose from 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            interpolate(first, other, alpha)


@pytest.mark.usefixtures("photos")
def test_a_runs_weights_are_exported_averaged_raw_or_between(command: Command, tmp_path: Path) -> None:
    assert command("train", *TINY, "network=edsr_baseline", "hydra.run.dir=run", "training.ema_decay=0.9").status == 0
    checkpoint = tmp_path / "run/checkpoints/iteration_000000006.ckpt"
    state = torch.load(checkpoint, weights_only=True)["state_dict"]

    def held(prefix: str) -> dict[str, Tensor]:
        return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}

    raw, averaged = held("network."), held("ema.network.")
    assert any(not torch.equal(raw[name], averaged[name]) for name in raw)
    cases: dict[str, tuple[list[str], dict[str, Tensor]]] = {
        "as_evaluated": (["weights=run"], averaged),
        "of_the_checkpoint": ([f"weights={checkpoint}"], averaged),
        "averaged": (["weights=run", "use=ema"], averaged),
        "raw": (["weights=run", "use=raw"], raw),
        "between": (
            [f"weights={checkpoint}", "interpolate_with=raw", "alpha=0.25"],
            {name: 0.75 * averaged[name] + 0.25 * raw[name] for name in raw},
        ),
    }
    for name, (arguments, expected) in cases.items():
        outcome = command("export", *arguments, f"output={name}")
        assert outcome.status == 0, outcome.err
        found = srlab.load(tmp_path / name).state_dict()
        assert found.keys() == expected.keys()
        for key, value in expected.items():
            torch.testing.assert_close(found[key], value, rtol=0, atol=1e-7 if name == "between" else 0)
    assert OmegaConf.load(tmp_path / "raw/config.yaml").protocol == "classical_y"
    again = command("export", "weights=run", "output=raw")
    assert (again.status, "nothing is overwritten" in again.err) == (2, True)
    assert command("export", "weights=run", "use=best").status == 2
    assert "take one of RRDBNet" in command("export", "weights=run", "format=published").err
    assert command("export", "weights=run", "hydra.run.dir=own").status == 0
    torch.testing.assert_close(image(srlab.load(tmp_path / "own")), image(srlab.load(checkpoint)))
    assert not torch.equal(image(srlab.load(checkpoint, use="raw")), image(srlab.load(checkpoint)))


@pytest.mark.parametrize(
    ("overrides", "unit"), [(EDSR, 1), (SWINIR, 4), ([*EDSR, "framework=pre"], 1)], ids=["post", "windows", "pre"]
)
def test_onnx_takes_every_size_and_gives_the_same_image(
    command: Command, tmp_path: Path, overrides: list[str], unit: int
) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network = exported(tmp_path / "net", *overrides)
    outcome = command("export", "weights=net", "format=onnx", "output=out")
    assert outcome.status == 0, outcome.err
    session = onnxruntime.InferenceSession(tmp_path / "out/model.onnx", providers=["CPUExecutionProvider"])
    for batch, height, width in [(1, 3, 11), (3, 6, 4)]:
        lr = torch.rand(batch, 3, height * unit, width * unit)
        (sr,) = session.run(["sr"], {"lr": lr.numpy()})
        torch.testing.assert_close(torch.from_numpy(sr), image(network, lr), rtol=1e-4, atol=1e-4)
    assert session.get_modelmeta().custom_metadata_map["scale"] == "2"
    assert not list((tmp_path / "out").glob("*.data")), "the weights are in the file"


def test_what_cannot_be_traced_is_no_onnx(command: Command, tmp_path: Path) -> None:
    exported(tmp_path / "net", "network=meta_edsr", "backbone.width=8", "backbone.blocks=1")
    outcome = command("export", "weights=net", "format=onnx", "output=out")
    assert (outcome.status, "use format=srlab" in outcome.err) == (2, True), outcome.err
    assert not (tmp_path / "out").exists()


PUBLISHED = {
    "ESRGAN x2": ([*RRDB, "scale=2"], "ESRGAN"),
    "ESRGAN x8, grey": ([*RRDB, "scale=8", "channels=1"], "ESRGAN"),
    "RCAN x2": ([*RCAN, "scale=2"], "RCAN"),
    "RCAN x3 without a mean": ([*RCAN, "scale=3", "framework.mean=null"], "RCAN"),
    "SwinIR x2": ([*SWINIR, "scale=2"], "SwinIR"),
    "SwinIR x4": ([*SWINIR, "scale=4"], "SwinIR"),
}


@pytest.mark.parametrize(("overrides", "design"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_layouts_load_in_spandrel_unchanged(
    command: Command, tmp_path: Path, overrides: list[str], design: str
) -> None:
    spandrel = pytest.importorskip("spandrel", reason="spandrel is not installed")
    network = exported(tmp_path / "net", *overrides)
    outcome = command("export", "weights=net", "format=published", "output=out")
    assert outcome.status == 0, outcome.err
    found = spandrel.ModelLoader().load_from_file(tmp_path / "out/model.safetensors").eval()
    assert (found.architecture.id, found.scale, found.input_channels) == (design, network.scale, network.channels)
    lr = LR[:, : network.channels]
    assert image(network, lr).std() > 1e-3
    torch.testing.assert_close(found(lr.clone()), image(network, lr).clamp(0, 1), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "overrides",
    [[*RRDB, "backbone.residual_scale=0.5"], [*RRDB, "framework.global_residual=true"], [*RRDB, "backbone.growth=8"]],
)
def test_numbers_that_a_published_file_cannot_say_are_refused(
    command: Command, tmp_path: Path, overrides: list[str]
) -> None:
    exported(tmp_path / "net", *overrides)
    outcome = command("export", "weights=net", "format=published", "output=out")
    assert (outcome.status, (tmp_path / "out").exists()) == (2, False), outcome.err


@pytest.mark.usefixtures("photos")
def test_a_strangers_file_is_tested_used_fine_tuned_and_handed_on(command: Command, tmp_path: Path) -> None:
    spandrel = pytest.importorskip("spandrel", reason="spandrel is not installed")
    stranger = ["network=spandrel", f"weights={write_esrgan(tmp_path / 'stranger.pth')}"]
    reference = spandrel.ModelLoader().load_from_file(tmp_path / "stranger.pth").eval()

    outcome = command("upscale", *stranger, "input=photos/0.png", "output=large", "precision=32")
    assert outcome.status == 0, outcome.err
    lr = torch.from_numpy(read_image(tmp_path / "photos/0.png").astype(np.float32) / 255).movedim(-1, 0)[None]
    expected = (reference(lr)[0] * 255).round().movedim(0, -1).numpy()
    assert np.abs(read_image(tmp_path / "large/0_x2.png") - expected).max() <= 1

    data = ["data=benchmark", "data.root=photos"]
    tested = command("test", *stranger, *data, "hydra.run.dir=tested")
    assert tested.status == 0, tested.err
    with (tmp_path / "tested/results.csv").open() as file:
        assert {row["network"] for row in csv.DictReader(file)} == {"spandrel"}

    learning = [item for item in TINY if not item.startswith("backbone")]
    outcome = command("train", *learning, *stranger, "hydra.run.dir=run", "training.ema_decay=0.5")
    assert outcome.status == 0, outcome.err
    tuned: Any = srlab.load(tmp_path / "run")
    assert not torch.equal(image(tuned), reference.model(LR))
    torch.testing.assert_close(image(srlab.load(tmp_path / "run/checkpoints/iteration_000000006.ckpt")), image(tuned))
    again = spandrel.ModelLoader().load_from_file(tmp_path / "run/export/model.safetensors").eval()
    torch.testing.assert_close(again.model(LR), image(tuned))
    assert str(tmp_path) not in (tmp_path / "run/export/config.yaml").read_text()
    assert command("export", "weights=run", "format=published", "output=out").status == 0
    torch.testing.assert_close(
        spandrel.ModelLoader().load_from_file(tmp_path / "out/model.safetensors").eval().model(LR), image(tuned)
    )


def test_a_file_that_spandrel_does_not_know_is_refused(command: Command, tmp_path: Path) -> None:
    torch.save({"some.weight": torch.zeros(3)}, tmp_path / "odd.pth")
    (tmp_path / "in.npy").touch()
    outcome = command("test", "network=spandrel", "weights=odd.pth")
    assert (outcome.status, "no network that spandrel knows" in outcome.err) == (2, True), outcome.err
    assert "give weights=<file>" in command("test", "network=spandrel").err
