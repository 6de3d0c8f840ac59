"""Networks of cubes with a guide: what each method is, published sizes, and an experiment on a cube that is made up."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from srlab.build import build
from srlab.degradation.mtf import MTF
from srlab.errors import InputError
from srlab.evaluation.results import MEAN, read_results
from srlab.losses.spectral import Consistency, SpatialSpectralVariation, SpectralAngle
from srlab.losses.weighted import Step
from srlab.networks.backbones.edsr import EDSR
from srlab.networks.cubes.expansion import expand
from srlab.networks.cubes.hyperpnn import HyperPNN
from srlab.networks.cubes.pannet import PanNet
from srlab.networks.cubes.pansharpening import Observation, Pansharpening
from srlab.networks.cubes.unmixing import cnmf
from srlab.taxonomy import ELSEWHERE, place
from srlab.types import Batch, Prediction
from tests.conftest import Command, composed
from tests.networks.compositions import CUBES

SINGLE = ["brovey", "pca", "gram_schmidt", "gsa", "sfim", "mtf_glp_cbd", "mtf_glp_hpm"]
SEVERAL = ["hyper_sharpening", "cnmf"]


def mixed(size: int = 32, bands: int = 6, materials: int = 3, seed: int = 0) -> torch.Tensor:
    """A scene of a few materials in patches, mixed at their borders and shaded: (C, H, W) in [0, 1]."""
    generator = torch.Generator().manual_seed(seed)
    spectra = torch.rand(bands, materials, generator=generator, dtype=torch.float64) + 0.1
    places = nn.functional.interpolate(
        torch.rand(1, materials, size // 4, size // 4, generator=generator, dtype=torch.float64),
        size=(size, size),
        mode="bilinear",
    )
    abundances = torch.softmax(12 * places[0], 0)
    shade = 0.5 + 0.5 * torch.rand(size // 2, size // 2, generator=generator, dtype=torch.float64)
    shade = shade.repeat_interleave(2, 0).repeat_interleave(2, 1)
    return torch.einsum("cm,mhw->chw", spectra, abundances) / 1.2 * shade


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


def test_losses_of_cubes_by_hand() -> None:
    sr, hr = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1), torch.tensor([1.0, 1.0]).view(1, 2, 1, 1)
    assert float(SpectralAngle()(sr, hr)) == pytest.approx(1 - 0.5**0.5)
    assert float(SpectralAngle()(3 * hr, hr)) == pytest.approx(0, abs=1e-6)
    cube = mixed(48)[None].float()
    lr, guide = MTF(2).reduce(cube), cube[:, 1:4].mean(1, keepdim=True)
    batch = Batch(lr, cube, torch.zeros(1, dtype=torch.int64), guide=guide)
    loss = Consistency(2, guide_bands=[[1, 4]])
    assert float(loss.measure(Step(Prediction(cube, {}), batch))) == pytest.approx(0, abs=1e-6)
    total, parts = loss.measure_parts(Step(Prediction(cube + 0.1, {}), batch))
    assert float(parts["lr"]) == pytest.approx(0.1, abs=1e-5)
    assert float(total) == pytest.approx(0.2, abs=1e-5)
    with pytest.raises(ValueError, match="data has none: take data with guides"):
        loss.measure(Step(Prediction(cube, {}), Batch(lr, cube, batch.positions)))


@pytest.mark.parametrize("bands", [1, 4])
def test_variation_from_band_to_band_needs_two(bands: int) -> None:
    ramp = torch.arange(5.0).expand(1, bands, 6, 5) + 2 * torch.arange(bands).view(1, -1, 1, 1)
    assert float(SpatialSpectralVariation()(ramp, ramp)) == pytest.approx(1 + 2 * (bands > 1))


def test_consistency_refuses_crops_that_are_all_border() -> None:
    lr, sr = torch.rand(1, 3, 4, 4), torch.rand(1, 3, 16, 16)
    step = Step(Prediction(sr, {}), Batch(lr, sr, torch.zeros(1, dtype=torch.int64)))
    with pytest.raises(InputError, match=r"an LR image of \(4, 4\) .* set data.patch to 5 or more"):
        Consistency(4).measure(step)


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


def test_without_its_guide_the_detail_is_gone(command: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", mixed(64, bands=8).permute(1, 2, 0).numpy())
    detail = {}
    for guides in ("own", "other", "blank"):
        done = command(
            *(
                "test",
                "network=hyper_sharpening",
                "scale=4",
                "channels=8",
                "protocol=wald",
                "data=cube",
                "data.scene.path=cube.npy",
            ),
            *("data.scene.guide_bands=[[0,8]]", f"data.guides={guides}", f"hydra.run.dir={guides}"),
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
        framework = composed(
            "test", [f"network={name}", "scale=4", "channels=6", f"framework.back_projections={times}"]
        )
        network = build(framework.framework).eval()
        given = (lr, guide) if network.guide_channels else (lr,)
        with torch.no_grad():
            lacking.append(float((MTF(4).reduce(network(*given).sr) - lr).abs().mean()))
            trained.append(network.train()(*given).sr)
    assert lacking[2] < 0.5 * lacking[1] < 0.4 * lacking[0]
    assert torch.equal(trained[0], trained[2]) == (
        name == "hyperpnn"
    )  # what is trained is the network, not its correction
    with pytest.raises(ValueError, match="back_projections=-1: give 0 or more"):
        build(composed("test", [f"network={name}", "scale=4", "channels=6", "framework.back_projections=-1"]).framework)
