"""Pansharpening, which learns nothing: what each method must do, and what it makes of guides that tell nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch

from srlab.build import build
from srlab.degradation.mtf import MTF
from srlab.errors import InputError
from srlab.evaluation.results import MEAN, read_results
from srlab.networks.cubes.expansion import expand
from srlab.networks.cubes.pansharpening import Observation, Pansharpening
from srlab.networks.cubes.unmixing import cnmf
from tests.conftest import Command, composed
from tests.mixtures import mixed

SINGLE = ["brovey", "pca", "gram_schmidt", "gsa", "sfim", "mtf_glp_cbd", "mtf_glp_hpm"]
SEVERAL = ["hyper_sharpening", "cnmf"]


def method(name: str, **options: object) -> Pansharpening:
    made = build(composed("test", [f"network={name}", "scale=4", "channels=6"]).framework, **options)
    assert isinstance(made, Pansharpening)
    return made


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_a_guide_brings_detail(name: str) -> None:
    cube = mixed(materials=1)[None]  # all bands alike but for a factor: what every method assumes
    lr, guide = MTF(4).reduce(cube), cube.mean(1, keepdim=True)
    made = method(name)(lr.float(), guide.float()).sr
    assert made.shape == cube.shape
    error = (made - cube).square().mean()
    assert error < 0.7 * (expand(lr, 4) - cube).square().mean()
    other = method(name)(lr.float(), guide.flip(-1).float()).sr  # another scene's
    assert (other - cube).square().mean() > 2 * error


@pytest.mark.parametrize("name", SINGLE)
def test_methods_of_one_band_refuse_several(name: str) -> None:
    with pytest.raises(ValueError, match="takes a panchromatic guide, one band, and this one has 3"):
        method(name, guide_channels=3)(torch.rand(1, 6, 4, 4), torch.rand(1, 3, 16, 16))


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
def test_a_guide_without_detail_and_a_scene_without_data_give_numbers(name: str) -> None:
    """Satellites have both: water under a flat PAN, and tiles beyond the swath."""
    lr = 0.2 + mixed()[None, :, ::4, ::4].float()
    flat, nothing = torch.full((1, 1, 32, 32), 0.4), torch.zeros(1, 1, 32, 32)
    network = method(name)
    assert network(lr, flat).sr.isfinite().all()
    assert network(torch.zeros_like(lr), nothing).sr.isfinite().all()
    if name in ("mtf_glp_cbd", "mtf_glp_hpm", "sfim", "hyper_sharpening"):
        torch.testing.assert_close(network(lr, flat).sr, expand(lr, 4), atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", ["brovey", "sfim", "mtf_glp_hpm"])
def test_ratios_are_bounded_beside_dark_pixels(name: str) -> None:
    """Beside a bright pixel on black, cubic interpolation is below 0, and a ratio would have no bound."""
    lr, guide = torch.zeros(1, 6, 8, 8), torch.full((1, 1, 32, 32), 0.2)
    lr[..., 4, 4], guide[..., 16:20, 16:20] = 1.0, 1.0
    assert expand(lr, 4).min() < -0.05
    assert method(name)(lr, guide).sr.abs().max() <= 10 * expand(lr, 4).abs().max()


def test_what_a_guide_tells_completely_is_found() -> None:
    cube = mixed(bands=3)
    scene = Observation(MTF(4).reduce(cube[None])[0], cube[[1, 0, 2]], MTF(4))  # the guide is the cube itself
    made = build(composed("test", ["network=hyper_sharpening", "scale=4"]).framework, guide_channels=3).method(scene)
    assert (made - cube).abs().max() < 0.02


def test_unmixing_has_no_negative_radiance_and_repeats() -> None:
    cube = mixed()
    scene = Observation(MTF(4).reduce(cube[None])[0], cube.mean(0, keepdim=True), MTF(4))
    made = cnmf(scene, endmembers=3)
    assert made.min() >= 0
    assert torch.equal(made, cnmf(scene, endmembers=3))
    assert (MTF(4).reduce(made[None])[0] - scene.lr).abs().mean() < 0.01  # Wald's consistency


def test_without_its_guide_the_detail_is_gone(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", mixed(64, bands=8).permute(1, 2, 0).numpy())
    detail = {}
    for guides in ("own", "other", "blank"):
        done = command(
            *("test", "network=hyper_sharpening", "scale=4", "channels=8", "protocol=wald", "data=cube"),
            *(
                "data.scene.path=cube.npy",
                "data.scene.guide_bands=[[0,8]]",
                f"data.guides={guides}",
                f"hydra.run.dir={guides}",
            ),
        )
        assert done.status == 0, done.err
        rows = read_results(tmp_path / guides / "results.csv")
        detail[guides] = next(row.value for row in rows if row.image == MEAN and row.metric == "scc")
    assert detail["own"] > 0.7
    assert detail["blank"] < 0.4  # EXP's
    assert detail["other"] < 0.4


def test_a_real_guide_without_its_size_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="no option 'endmembrs'"):
        build(composed("test", ["network=cnmf", "scale=4", "+framework.method.endmembrs=3"]).framework)


def even(guide: torch.Tensor) -> torch.Tensor:
    return torch.full_like(guide, 0.3)


def dark(guide: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(guide)


def half_even(guide: torch.Tensor) -> torch.Tensor:
    guide = guide.clone()
    guide[..., : guide.shape[-1] // 2] = 0.3
    return guide


def half_dark(guide: torch.Tensor) -> torch.Tensor:
    guide = guide.clone()
    guide[..., : guide.shape[-1] // 2] = 0
    return guide


@pytest.mark.parametrize("name", [*SINGLE, *SEVERAL])
@pytest.mark.parametrize("bands", ["seen", "one_dead", "one_even", "places_dead"])
def test_a_guide_that_tells_nothing_brings_nothing(name: str, bands: str) -> None:
    cube = mixed(48, materials=4)[None]
    if bands == "one_dead":
        cube[:, 2] = 0
    elif bands == "one_even":
        cube[:, 2] = 0.4
    elif bands == "places_dead":
        cube[..., 24:, :16] = 0
    lr, guide = MTF(4).reduce(cube).float(), cube.mean(1, keepdim=True).float()
    network = method(name)
    for nothing in (even, dark):
        torch.testing.assert_close(network(lr, nothing(guide)).sr, expand(lr, 4), atol=1e-6, rtol=0)
    for partly in (half_even, half_dark):
        sr = network(lr, partly(guide)).sr
        assert sr.isfinite().all()
        assert float(sr.abs().max()) < 10 * float(expand(lr, 4).abs().max())
        if name in ("sfim", "mtf_glp_cbd", "mtf_glp_hpm", "hyper_sharpening"):  # they add detail alone: here is none
            torch.testing.assert_close(sr[..., :12], expand(lr, 4)[..., :12], atol=1e-5, rtol=0)
    assert network(lr, guide).sr.isfinite().all()
    if bands == "one_dead":
        assert float(network(lr, guide).sr[:, 2].abs().max()) < 1e-6


@pytest.mark.parametrize("name", ["expansion", "gsa", "hyperpnn"])
def test_back_projection_brings_what_lr_says(name: str) -> None:
    cube = mixed(48, materials=4)[None].float()
    lr, guide = MTF(4).reduce(cube), cube.mean(1, keepdim=True)
    lacking, trained = [], []
    for times in (0, 1, 5):
        torch.manual_seed(0)
        options = [f"network={name}", "scale=4", "channels=6", f"framework.back_projections={times}"]
        network = build(composed("test", options).framework).eval()
        given = (lr, guide) if network.guide_channels else (lr,)
        with torch.no_grad():
            lacking.append(float((MTF(4).reduce(network(*given).sr) - lr).abs().mean()))
            trained.append(network.train()(*given).sr)
    assert lacking[2] < 0.5 * lacking[1] < 0.4 * lacking[0]
    assert torch.equal(trained[0], trained[2]) == (name == "hyperpnn")  # trained is the network, not its correction
    with pytest.raises(ValueError, match="back_projections=-1: give 0 or more"):
        build(composed("test", [f"network={name}", "scale=4", "channels=6", "framework.back_projections=-1"]).framework)
