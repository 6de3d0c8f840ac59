"""Networks of depth beside a photograph that learn: what each must do, what makes it that network, and published weights."""

from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
import torch
from scipy import fft
from torch import nn
from torch.utils.data import DataLoader

from srlab.data.evaluation import LabelledImages
from srlab.data.rgbd import rgbd_folder
from srlab.degradation.resize import resize
from srlab.evaluation.scoring import score_images
from srlab.inference.enlarge import enlarge
from srlab.networks.guided.dct import dct, inverse_dct, laplacian_spectrum
from srlab.networks.guided.dctnet import SemiCoupled
from srlab.networks.guided.diffusion import GuidedDiffusion
from srlab.networks.guided.fdkn import FDKN
from srlab.networks.guided.fdsr import Octave
from srlab.networks.guided.msgnet import Doubling, MSGNet, halved
from srlab.networks.weights import load_weights
from tests.evaluation.test_depth import shipped
from tests.networks.compositions import GUIDED
from tests.networks.conftest import Compose
from tests.networks.scenes import scene, two_planes

SMALL = {
    "dctnet": ["framework.width=8", "framework.shared=4", "framework.layers=2"],
    "fdkn": ["framework.widths=[8,8,8]"],
    "fdkn_diffusion": ["framework.widths=[8,8,8]", "framework.start.steps=3"],
    "fdsr": ["framework.width=8", "framework.low=2"],
    "msgnet": ["framework.width=8"],
    "guided_diffusion": ["framework.steps=3"],
}
LEARNED = ("dctnet", "fdkn", "fdkn_diffusion", "fdsr", "msgnet")


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
@pytest.mark.parametrize("name", sorted(GUIDED))
def test_every_guided_network_runs_and_knows_no_unit(composed: Compose, name: str, scale: int) -> None:
    torch.manual_seed(0)
    network = composed(f"network={name}", f"scale={scale}", *SMALL.get(name, [])).eval()
    lr, guide = scene(scale=scale)
    with torch.no_grad():
        sr, other = network(lr, guide).sr, network(0.2 + 0.1 * lr, guide).sr
    assert sr.shape == (1, 1, scale * 8, scale * 10)
    torch.testing.assert_close(other, 0.2 + 0.1 * sr, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", LEARNED)
def test_a_gradient_reaches_every_parameter_and_the_guide(composed: Compose, name: str) -> None:
    torch.manual_seed(0)
    network = composed(f"network={name}", "scale=4", *SMALL[name])
    lr, guide = scene(batch=2)
    guide.requires_grad_()
    network(lr, guide).sr.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert guide.grad is not None
    assert guide.grad.abs().max() > 0


@pytest.mark.parametrize("name", sorted(GUIDED - {"msgnet"}))
def test_back_projections_bring_a_result_nearer_to_lr(composed: Compose, name: str) -> None:
    torch.manual_seed(0)
    lr, guide = scene()
    before, after = (
        composed(f"network={name}", "scale=4", *SMALL.get(name, []), f"framework.back_projections={count}").eval()
        for count in (0, 8)
    )
    after.load_state_dict(before.state_dict())
    with torch.no_grad():
        errors = [float((resize(net(lr, guide).sr, scale=1 / 4) - lr).abs().mean()) for net in (before, after)]
    assert errors[1] < 0.5 * errors[0]


def test_cosine_transforms_are_scipys_and_solve_what_they_claim() -> None:
    image = torch.rand(1, 2, 9, 12, generator=torch.Generator().manual_seed(0))
    expected = fft.dctn(image.numpy(), axes=(2, 3), norm="ortho")
    torch.testing.assert_close(dct(image), torch.from_numpy(expected), rtol=0, atol=1e-5)
    torch.testing.assert_close(inverse_dct(dct(image)), image, rtol=0, atol=1e-5)
    padded = np.pad(image.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    five = padded[..., 2:, 1:-1] + padded[..., :-2, 1:-1] + padded[..., 1:-1, 2:] + padded[..., 1:-1, :-2]
    found = inverse_dct(laplacian_spectrum(9, 12) * dct(image))
    torch.testing.assert_close(found, torch.from_numpy(five - 4 * image.numpy()), rtol=0, atol=1e-5)


def test_dctnet_starts_as_its_authors_do(composed: Compose) -> None:
    torch.manual_seed(0)
    network = composed("network=dctnet", "scale=4")
    for name, parameter in network.get_submodule("layers").named_parameters():
        if name.endswith("weight"):
            assert parameter.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.05), name
        else:
            assert not parameter.any(), name
    assert network.get_parameter("log_strength").mean().item() == pytest.approx(0.1, abs=0.01)


def test_dctnet_shares_half_of_its_kernels() -> None:
    layer = SemiCoupled(8, 4)
    for part in (layer.first, layer.second):
        part["guide"].load_state_dict(part["depth"].state_dict())
    features = torch.rand(1, 8, 9, 9)
    depth, guide = layer(features, features)
    assert torch.equal(depth, guide)


def test_fdkn_leaves_what_is_even_and_samples_within_its_window() -> None:
    torch.manual_seed(0)
    network = FDKN(4, window=5, widths=(8, 8, 8), range_from="given").eval()
    with torch.no_grad():
        even = network(torch.full((1, 1, 8, 8), 0.3), torch.rand(1, 3, 32, 32)).sr
        torch.testing.assert_close(even, torch.full_like(even, 0.3))
        ramp = torch.arange(32.0).expand(1, 1, 32, 32)
        far = network.sampled(ramp, torch.full((1, 18, 32, 32), 100.0))
        none = network.sampled(ramp, torch.zeros(1, 18, 32, 32))
    torch.testing.assert_close(far[0, 0, 10, 5:20], ramp[0, 0, 10, 7:22])
    torch.testing.assert_close(none[0, :, 10, 10], torch.tensor([9.0, 10, 11] * 3))


def test_fdkn_samples_what_it_starts_from_beside_the_bicubic_map() -> None:
    start = GuidedDiffusion(4, steps=20)
    network = FDKN(4, widths=(8, 8, 8), start=start)
    for kernels in (network.depth_kernels, network.guide_kernels):
        for head in (kernels.weight, kernels.offset):
            torch.nn.init.zeros_(head.weight)
            torch.nn.init.constant_(head.get_parameter("bias"), 100.0 * (head is kernels.weight))
    with torch.no_grad():  # none of the bicubic map's samples, all of the other's
        network.depth_kernels.weight.get_parameter("bias")[: 9 * 16] = -100.0
    lr, guide = scene()
    with torch.no_grad():
        found = network(lr, guide).sr
        bicubic, diffused = resize(lr, scale=4), start(lr, guide).sr
    means = [torch.nn.functional.pad(image, (1, 1, 1, 1), mode="replicate") for image in (diffused, bicubic)]
    apart = torch.nn.functional.avg_pool2d(means[0] - means[1], 3, stride=1)
    torch.testing.assert_close(found, bicubic + 9 * 0.5 * apart, rtol=0, atol=1e-4)
    with pytest.raises(ValueError, match=r"start\.scale=8"):
        FDKN(8, start=start)


def test_an_octave_convolution_mixes_even_frequencies_as_a_plain_one_and_keeps_two_sizes() -> None:
    layer, plain = Octave(3, 2, 4, 5), torch.nn.Conv2d(5, 9, 3, padding=1, bias=False)
    to_high, to_low = plain.weight[:4], plain.weight[4:]
    for part, weight in (
        (layer.high_to_high, to_high[:, :3]),
        (layer.low_to_high, to_high[:, 3:]),
        (layer.high_to_low, to_low[:, :3]),
        (layer.low_to_low, to_low[:, 3:]),
    ):
        assert part is not None
        part.load_state_dict({"weight": weight})
    levels = torch.rand(1, 5, 1, 1)
    expected = torch.nn.functional.leaky_relu(plain(levels.expand(-1, -1, 5, 5)), 0.2)[..., 2, 2]
    high, low = layer(levels[:, :3].expand(-1, -1, 15, 18), levels[:, 3:].expand(-1, -1, 8, 9))
    assert high.shape == (1, 4, 15, 18)
    assert low is not None
    assert low.shape == (1, 5, 8, 9)
    torch.testing.assert_close(torch.cat([high[..., 7, 8], low[..., 4, 4]], 1), expected)


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
def test_msgnet_keeps_its_maps_over_each_other(scale: int) -> None:
    """With kernels that hand on their middle, or spread it evenly, an LR pixel comes to where it lies in HR."""
    network = MSGNet(scale, width=1, range_from="given")
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.zeros_(layer.weight)
            spread = isinstance(layer, nn.ConvTranspose2d)
            layer.weight.data[..., 1:4, 1:4] = 1.0 if spread else 0.0
            layer.weight.data[..., layer.kernel_size[0] // 2, layer.kernel_size[1] // 2] = 1.0
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)
    lr = torch.zeros(1, 1, 9, 9)
    lr[..., 4, 4] = 1
    with torch.no_grad():
        features = network.head(lr)
        for double in network.doublings:
            features = double(features)[:, :1].expand(-1, 1, -1, -1)
    mass = features[0, 0].sum(0)
    centre = float((mass * torch.arange(len(mass))).sum() / mass.sum())
    assert abs(centre - (scale * 4.5 - 0.5)) <= 0.5
    doubled, fine = Doubling(1, 1, first=False), torch.rand(1, 1, 8, 10)
    with torch.no_grad():
        nn.init.zeros_(doubled[0].weight)[..., 2, 2] = 1  # type: ignore[arg-type]
        nn.init.zeros_(doubled[0].bias)  # type: ignore[arg-type]
        torch.testing.assert_close(doubled(fine)[..., 1::2, 1::2], fine)
        peaks = doubled(fine)
        torch.testing.assert_close(halved(peaks), fine)  # each window holds the pixel that was put into its middle


def test_msgnet_makes_the_high_frequencies_and_keeps_the_low_ones() -> None:
    network = MSGNet(4, width=8, range_from="given").eval()
    nn.init.zeros_(network.tail[1].weight)  # type: ignore[arg-type]
    nn.init.zeros_(network.tail[1].bias)  # type: ignore[arg-type]
    lr, guide = scene()
    low = torch.nn.functional.avg_pool2d(lr, 3, 1, 1, count_include_pad=False)
    with torch.no_grad():
        torch.testing.assert_close(network(lr, guide).sr, network.enlarged(low))


@pytest.mark.parametrize("name", sorted(GUIDED))
def test_even_photographs_and_maps_have_finite_gradients(composed: Compose, name: str) -> None:
    network = composed(f"network={name}", "scale=4", *SMALL.get(name, []))
    lr, guide = torch.full((1, 1, 8, 8), 0.5, requires_grad=True), torch.full((1, 3, 32, 32), 0.4, requires_grad=True)
    sr = network(lr, guide).sr
    sr.square().sum().backward()
    assert sr.isfinite().all()
    for one in (lr, guide, *network.parameters()):
        assert one.grad is not None
        assert one.grad.isfinite().all()


@pytest.mark.parametrize("name", ["fdkn", "fdkn_diffusion", "fdsr", "dctnet"])
def test_a_guided_network_learns_edges_from_the_photograph(composed: Compose, name: str) -> None:
    """Discs and walls: after a few steps it is far better with the photograph than with another."""
    torch.manual_seed(0)
    small = {
        "fdkn": ["framework.widths=[16,16,32]"],
        "fdkn_diffusion": ["framework.widths=[16,16,32]", "framework.start.steps=50"],
        "fdsr": ["framework.width=16", "framework.low=4"],
        "dctnet": ["framework.width=16", "framework.shared=8", "framework.layers=1"],
    }[name]
    network = composed(f"network={name}", "scale=8", *small)
    depth, guide = two_planes()
    depths = torch.cat([depth.roll((down, across), (2, 3)) for down, across in ((0, 0), (5, 3), (-6, 7), (9, -9))])
    guides = torch.cat([guide.roll((down, across), (2, 3)) for down, across in ((0, 0), (5, 3), (-6, 7), (9, -9))])
    lr = resize(depths, scale=1 / 8)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        (network(lr, guides).sr - depths).abs().mean().backward()
        optimizer.step()
    with torch.no_grad():
        own, other = (float((network(lr, photo).sr - depths).square().mean()) for photo in (guides, guides.roll(1, 0)))
    bicubic = float((resize(lr, scale=8) - depths).square().mean())
    assert own < 0.7 * bicubic
    assert own < 0.7 * other


@pytest.mark.slow
def test_published_weights_have_their_published_score(data_root: Path, composed: Compose) -> None:
    """The table of the authors: 0.88223 on Lu at x4, with maps scaled by the range of HR."""
    folder = data_root / "domain/depth"
    network = composed("network=dctnet", "scale=4", "framework.range_from=given").eval()
    images = DataLoader(LabelledImages([rgbd_folder(str(folder / "lu"))]), batch_size=None)
    load_weights(network, folder / "weights/DCTNet_4X.pth")
    found = score_images(
        lambda lr, guide: enlarge(network, lr, guide=guide),
        images,
        network,
        shipped("depth_levels_hr"),
        {},
    )
    assert fmean(one.headline for one in found) == pytest.approx(0.88223, abs=5e-4)
