"""Networks of cubes that learn: what each is, published sizes, and an experiment on a cube that is made up."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from srlab.build import build
from srlab.evaluation.results import MEAN, read_results
from srlab.networks.backbones.edsr import EDSR
from srlab.networks.cubes.expansion import expand
from srlab.networks.cubes.hyperpnn import HyperPNN
from srlab.networks.cubes.pannet import PanNet
from srlab.taxonomy import ELSEWHERE, place
from tests.conftest import Command, composed
from tests.mixtures import mixed
from tests.networks.compositions import CUBES


@pytest.mark.parametrize("name", sorted(CUBES - {"pansharpening"}))
def test_every_network_of_cubes_runs(name: str) -> None:
    scale = 3
    network = build(
        composed("test", [f"network={name}", f"scale={scale}", "channels=5", "backbone=edsr"]).framework
    ).eval()
    lr, guide = torch.rand(2, 5, 6, 8), torch.rand(2, 1, 6 * scale, 8 * scale)
    with torch.no_grad():
        sr = network(lr, guide).sr if network.guide_channels else network(lr).sr
    assert sr.shape == (2, 5, 6 * scale, 8 * scale)
    assert sr.isfinite().all()
    assert place(network)[0] != ELSEWHERE


def test_hyperpnn_has_the_counted_size() -> None:
    network = HyperPNN(198, 4)
    assert sum(parameter.numel() for parameter in network.parameters()) == 145_286
    assert network(torch.rand(1, 198, 4, 4), torch.rand(1, 1, 16, 16)).sr.shape == (1, 198, 16, 16)


def test_pannet_maps_spectra_and_sees_high_frequencies_alone() -> None:
    network = PanNet(EDSR(7, 8, 1), 6, 4).eval()
    lr, guide = torch.rand(1, 6, 8, 8), torch.rand(1, 1, 32, 32)
    sr = network(lr, guide).sr
    # a constant added to the cube goes straight to the result, one added to the guide nowhere
    torch.testing.assert_close(network(lr + 0.1, guide + 0.3).sr, sr + 0.1, atol=1e-4, rtol=0)
    nn.init.zeros_(network.tail.weight)  # type: ignore[arg-type]
    nn.init.zeros_(network.tail.bias)  # type: ignore[arg-type]
    torch.testing.assert_close(network(lr, guide).sr, expand(lr, 4))
    with pytest.raises(ValueError, match=r"takes 6 channels, the framework hands it 7"):
        PanNet(EDSR(6, 8, 1), 6, 4)


@pytest.mark.parametrize("network", [HyperPNN(3, 4), PanNet(EDSR(4, 8, 1), 3, 4)], ids=["hyperpnn", "pannet"])
def test_a_pixel_depends_on_the_halo_alone(network: HyperPNN | PanNet) -> None:
    lr, guide = torch.rand(1, 3, 24, 24, requires_grad=True), torch.rand(1, 1, 96, 96, requires_grad=True)
    network.eval()(lr, guide).sr[..., 48, 48].sum().backward()
    assert network.halo is not None
    for image, scale in ((lr, 1), (guide, 4)):
        assert image.grad is not None
        seen = image.grad.abs().sum((0, 1)).nonzero()
        assert (seen - 12 * scale).abs().max() <= network.halo * scale


def test_the_experiment_runs(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", mixed(64, bands=8).permute(1, 2, 0).numpy())
    done = command(
        *("train", "experiment=hyperspectral_x4", "channels=8", "data.scene.path=cube.npy"),
        *("data.scene.guide_bands=[[0,8]]", "data.train_rows=[0,32]", "data.test_rows=[32,64]", "data.patch=4"),
        *("iterations=4", "trainer.val_check_interval=2", "framework.width=8", "logger=[csv]", "hydra.run.dir=run"),
    )
    assert done.status == 0, done.err
    found = {row.metric for row in read_results(tmp_path / "run/results.csv") if row.image == MEAN}
    assert {"ergas", "sam", "q2n", "psnr_band"} <= found
    assert (tmp_path / "run/comparison.png").is_file()
    wrong = command(
        "test", "network=gsa", "scale=4", "channels=8", "protocol=wald", "data=cube", "data.scene.path=cube.npy"
    )
    assert wrong.status == 2
    assert "has no guides, and the network takes one" in wrong.err
