"""Networks of clips: what each must do, and what makes it that network."""

import io
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor, nn

from srlab.degradation.bd import BD
from srlab.degradation.reduction import Sampled
from srlab.errors import InputError
from srlab.evaluation.protocol import Protocol
from srlab.inference.memory import Peak
from srlab.losses.pixel import L1
from srlab.losses.weighted import WeightedSum, WeightedTerm
from srlab.networks.interpolation import enlarge
from srlab.networks.network import Network
from srlab.networks.video.baselines import MultiFrameBackProjection
from srlab.networks.video.basicvsr import BasicVSR
from srlab.networks.video.deformable import Deformable, deform, deform_plainly
from srlab.networks.video.flow import FlowNetwork, SpyNet
from srlab.networks.video.frvsr import FRVSR, FNet
from srlab.networks.video.motion import windows
from srlab.networks.video.network import VideoNetwork, frames_of, of_all
from srlab.networks.video.tdan import TDAN
from srlab.networks.video.vespcn import VESPCN, CoarseToFine
from srlab.paradigms.base import Training
from srlab.paradigms.supervised import Supervised
from tests.networks.test_contract import VIDEO
from tests.networks.video.clips import gliding, textured

Compose = Callable[..., Network]

SMALL = {
    "basicvsr": ["flow@framework.flow=spynet_small", "framework.width=8", "framework.blocks=1"],
    "basicvsr_small": ["framework.width=8", "framework.blocks=1"],
    "frvsr": ["framework.width=8", "framework.blocks=1", "framework.flow.width=4"],
    "vespcn": ["framework.width=8", "framework.layers=3", "framework.flow.width=8"],
    "tdan": ["framework.width=8", "framework.blocks=1", "framework.extraction_blocks=1"],
    "mf_ibp": ["framework.iterations=2", "framework.frames=3"],
    "spynet": ["flow@framework.flow=spynet_small"],
}
NAMES = sorted(SMALL)
LEARNED = sorted(set(NAMES) - {"mf_ibp"})
TWINS = sorted(set(LEARNED) - {"spynet"})


def made(composed: Compose, name: str, *overrides: str) -> VideoNetwork:
    if name == "mf_ibp":
        pytest.importorskip("cv2", reason="opencv-python-headless is not installed")
    torch.manual_seed(0)
    network = composed(f"network={name}", "channels=1", *SMALL[name], *overrides)
    assert isinstance(network, VideoNetwork)
    return network


def stirred(network: VideoNetwork) -> VideoNetwork:
    """With weights that move things: networks begin still."""
    for module in network.modules():
        if isinstance(module, FlowNetwork):
            for parameter in module.parameters():
                nn.init.normal_(parameter, std=0.07)
        if isinstance(module, Deformable):
            nn.init.normal_(module.offset.weight, std=0.5)
    return network.eval()


def test_every_network_of_clips_is_tested() -> None:
    assert set(NAMES) >= {name for name in VIDEO if name != "frame_before"}


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_clips_of_odd_sizes_grow_by_the_scale_and_every_parameter_learns(
    composed: Compose, name: str, scale: int
) -> None:
    network = made(composed, name, f"scale={scale}").train()
    prediction = network(textured(3, 9, 7))
    assert prediction.sr.shape == (1, 3, 1, scale * 9, scale * 7)
    if name in LEARNED:
        sum(image.square().sum() for image in (prediction.sr, *prediction.intermediate.values())).backward()
        still = [key for key, tensor in network.named_parameters() if tensor.grad is None or not tensor.grad.any()]
        assert not still
    with pytest.raises(ValueError, match="Expected clips"):
        network(textured(3, 9, 7)[:, 0])


@pytest.mark.parametrize("name", LEARNED)
def test_a_state_dict_makes_the_same_network_again(composed: Compose, name: str) -> None:
    network, copy = stirred(made(composed, name)), made(composed, name).eval()
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    copy.load_state_dict(torch.load(file, weights_only=True))
    lr = textured(2, 8, 8)
    with torch.no_grad():
        assert torch.equal(copy(lr).sr, network(lr).sr)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5])
@pytest.mark.parametrize("name", NAMES)
def test_a_clip_in_chunks_is_the_whole_clip(composed: Compose, name: str, chunk: int) -> None:
    network, lr = stirred(made(composed, name)), textured(5, 8, 10)
    with torch.no_grad():
        torch.testing.assert_close(of_all(network.stream(frames_of(lr), 5, chunk)), network(lr).sr, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"spynet"}))
def test_a_frame_depends_on_the_frames_that_the_network_says(composed: Compose, name: str) -> None:
    network, lr = stirred(made(composed, name)), textured(7, 8, 8)
    other = lr.clone()
    other[:, 5] = textured(1, 8, 8, seed=1)[:, 0]
    with torch.no_grad():
        changed = (network(other).sr - network(lr).sr).abs().amax((0, 2, 3, 4)) > 0
    if network.temporal_halo is None:
        first, last = 5 if network.causal else 0, 6
    else:
        first, last = 5 - network.temporal_halo, 6
    assert changed.nonzero().flatten().tolist() == list(range(first, last + 1))


@pytest.mark.parametrize("name", TWINS)
def test_the_order_of_frames_matters(composed: Compose, name: str) -> None:
    network, lr = stirred(made(composed, name)), textured(5, 8, 8)
    with torch.no_grad():
        assert not torch.allclose(network(lr.flip(1)).sr.flip(1)[:, 2], network(lr).sr[:, 2], atol=1e-4)


@pytest.mark.parametrize("name", TWINS)
def test_twins_have_the_same_parameters_and_see_what_they_say(composed: Compose, name: str) -> None:
    networks = {
        history: stirred(made(composed, name, f"framework.history={history}"))
        for history in ("warped", "unwarped", "none")
    }
    for network in networks.values():
        network.load_state_dict(networks["warped"].state_dict())
    lr = textured(5, 8, 8)
    with torch.no_grad():
        alone = [networks["none"](lr[:, place : place + 1]).sr for place in range(5)]
        results = {history: network(lr).sr for history, network in networks.items()}
    torch.testing.assert_close(results["none"], torch.cat(alone, 1), rtol=0, atol=1e-5)
    assert not torch.allclose(results["warped"], results["unwarped"], atol=1e-5)
    with pytest.raises(InputError, match="expected Literal"):
        made(composed, name, "framework.history=still")


@pytest.mark.parametrize("name", LEARNED)
def test_bfloat16_stays_close_to_float32(composed: Compose, name: str) -> None:
    network, lr = made(composed, name).eval(), gliding(3, 16, 16, 0.5, 0.2)
    with torch.no_grad():
        exact = network(lr).sr
        with torch.autocast("cpu", torch.bfloat16):
            fast = network(lr).sr
    assert fast.dtype is torch.float32
    torch.testing.assert_close(fast, exact, rtol=0.03, atol=0.03)


@pytest.mark.parametrize("name", ["frvsr", "vespcn", "tdan"])
def test_memory_does_not_grow_with_the_clip(composed: Compose, name: str) -> None:
    network = stirred(made(composed, name))
    assert peak_of(network, 24) == peak_of(network, 8)


def test_basicvsr_keeps_one_frames_features_of_each_chunk(composed: Compose) -> None:
    network = stirred(made(composed, "basicvsr"))
    features = 4 * 8 * 8 * 8  # bytes of (1, width, 8, 8)
    assert peak_of(network, 24) - peak_of(network, 8) == (24 - 8) // 2 * features


def peak_of(network: VideoNetwork, length: int) -> int:
    """The most bytes that are held while a clip goes through in chunks of two, each read when it is asked for."""

    def read(start: int, stop: int) -> Tensor:
        return torch.cat([textured(1, 8, 8, seed=place) for place in range(start, stop)], 1)

    with torch.no_grad(), Peak() as counter:
        for _ in network.stream(read, length, 2):
            pass
    return int(counter.peak)


def test_warping_state_brings_a_glide_to_rest(composed: Compose) -> None:
    """On a clip that glides by whole pixels, true flow hands BasicVSR's trunk the very features of the frame before."""

    class Glide(FlowNetwork):
        def estimate(self, target: Tensor, source: Tensor) -> Tensor:
            sign = -1.0 if torch.equal(target[..., 1:], source[..., :-1]) else 1.0
            flow = torch.zeros(len(target), 2, *target.shape[-2:])
            flow[:, 0] = sign
            return flow

    long = textured(1, 12, 20)[:, 0]
    clip = torch.stack([long[..., 6 - time : 18 - time] for time in range(4)], 1)  # one pixel to the right a frame
    torch.manual_seed(0)
    network = BasicVSR(1, 2, Glide(1), width=4, blocks=0).eval()
    with torch.no_grad():
        moving = network.swept(network.forward_trunk, clip, network.flows(clip[:, 1:], clip[:, :-1]), None)
        network.history = "unwarped"
        still = clip[:, :1].expand(-1, 4, -1, -1, -1)
        resting = network.swept(network.forward_trunk, still, torch.zeros(1, 3, 2, 12, 12), None)
    torch.testing.assert_close(moving[-1][..., 4:-4, 7:-4], resting[-1][..., 4:-4, 4:-7])


def test_published_numbers_of_parameters(composed: Compose) -> None:
    def conv(inputs: int, outputs: int, size: int = 3) -> int:
        return inputs * outputs * size**2 + outputs

    trunk = conv(67, 64) + 60 * conv(64, 64)
    basicvsr = 1_440_300 + 2 * trunk + conv(128, 64, 1) + 2 * conv(64, 256) + conv(64, 64) + conv(64, 3)
    encoder = conv(6, 32) + conv(32, 32) + conv(32, 64) + conv(64, 64) + conv(64, 128) + conv(128, 128)
    decoder = conv(128, 256) + conv(256, 256) + conv(256, 128) + conv(128, 128) + conv(128, 64) + conv(64, 64)
    fnet = encoder + decoder + conv(64, 32) + conv(32, 2)
    frvsr = fnet + conv(51, 128) + 22 * conv(128, 128) + conv(128, 3)
    moving = 9 * 64**2 + conv(64, 8 * 18)
    tdan = conv(3, 64) + 10 * conv(64, 64) + conv(128, 64) + 4 * moving + conv(64, 3)
    tdan += conv(15, 64) + 20 * conv(64, 64) + 2 * conv(64, 256) + 9 * 64 * 3
    for name, expected, millions in (
        ("basicvsr", basicvsr, 6.3),
        ("frvsr", frvsr, 5.1),
        ("tdan", tdan, 1.97),
        ("spynet", 1_440_300, 1.44),
    ):
        with torch.device("meta"):
            network = composed(f"network={name}", "scale=4")
        assert sum(parameter.numel() for parameter in network.parameters()) == expected
        assert expected / 1e6 == pytest.approx(millions, abs=0.05 if millions > 2 else 0.005)
    assert basicvsr == 6_291_311, "the authors' code"
    coarse = conv(2, 24, 5) + conv(24, 24) + conv(24, 24, 5) + conv(24, 24) + conv(24, 32)
    fine = conv(5, 24, 5) + 3 * conv(24, 24) + conv(24, 8)
    vespcn = sum(parameter.numel() for parameter in composed("network=vespcn", "scale=4", "channels=1").parameters())
    assert vespcn == coarse + fine + conv(3, 24) + 7 * conv(24, 24) + conv(24, 16)


def test_flow_waits_and_learns_at_its_own_rate(composed: Compose) -> None:
    network = made(composed, "basicvsr")
    rest, flow = network.parameter_groups()
    assert (flow["waits"], flow["rate"]) == (5000, 0.125)
    assert {id(one) for one in flow["params"]} == {id(one) for one in network.flow.parameters()}  # type: ignore[union-attr]
    assert len(rest["params"]) + len(flow["params"]) == len(list(network.parameters()))
    assert len(made(composed, "basicvsr", "framework.flow_waits=0", "framework.flow_rate=1.0").parameter_groups()) == 1


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_deformable_convolution_equals_torchvisions(groups: int) -> None:
    operators = pytest.importorskip("torchvision.ops", reason="torchvision is not installed")
    generator = torch.Generator().manual_seed(0)
    features = torch.rand(2, 4, 7, 9, generator=generator, dtype=torch.float64)
    offsets = 3 * torch.randn(2, 18 * groups, 7, 9, generator=generator, dtype=torch.float64)
    weight = torch.randn(5, 4, 3, 3, generator=generator, dtype=torch.float64)
    expected = operators.deform_conv2d(features, offsets, weight, padding=1)
    torch.testing.assert_close(deform_plainly(features, offsets, weight), expected)
    torch.testing.assert_close(deform(features, offsets, weight), expected.float(), rtol=0, atol=1e-4)


def test_without_offsets_it_is_a_convolution() -> None:
    torch.manual_seed(0)
    layer, features = Deformable(4, groups=2), torch.rand(1, 4, 6, 7)
    for parameter in layer.offset.parameters():
        nn.init.zeros_(parameter)
    torch.testing.assert_close(layer(features), nn.functional.conv2d(features, layer.weight, padding=1))
    with pytest.raises(ValueError, match="not a multiple of groups=3"):
        Deformable(4, groups=3)


def test_windows_hold_the_neighbours_and_the_ends_stand_for_those_beyond() -> None:
    lr = torch.arange(4.0).view(1, 4, 1, 1, 1)
    assert windows(lr, 1).flatten().tolist() == [0, 0, 1, 0, 1, 2, 1, 2, 3, 2, 3, 3]


def test_slow_fusion_merges_two_by_two_with_the_weights_of_all() -> None:
    torch.manual_seed(0)
    network = VESPCN(1, 2, CoarseToFine(1, width=4), frames=5, width=6, layers=6, fusion="slow")
    assert [layer.in_channels for layer in network.merging] == [2, 12, 12, 12]
    assert network(textured(3, 8, 8)).sr.shape == (1, 3, 1, 16, 16)
    with pytest.raises(ValueError, match="of 5 layers at least for 5 frames"):
        VESPCN(1, 2, CoarseToFine(1), frames=5, layers=4, fusion="slow")


def test_frvsr_starts_from_black_and_warps_its_own_result() -> None:
    class Still(FlowNetwork):
        def estimate(self, target: Tensor, source: Tensor) -> Tensor:
            return target.new_zeros(len(target), 2, *target.shape[-2:])

    torch.manual_seed(0)
    network, lr = FRVSR(1, 2, Still(1), width=4, blocks=1).eval(), textured(2, 6, 6)
    with torch.no_grad():
        sr = network(lr).sr
        enlarged = [enlarge(lr[:, place], 2, "bicubic", "first") for place in range(2)]
        first = enlarged[0] + network.srnet(torch.cat([lr[:, 0], torch.zeros(1, 4, 6, 6)], 1))
        folded = nn.functional.pixel_unshuffle(first, 2)
        second = enlarged[1] + network.srnet(torch.cat([lr[:, 1], folded], 1))
    torch.testing.assert_close(sr[:, 0], first)
    torch.testing.assert_close(sr[:, 1], second)


def test_the_reduction_of_bd_is_its_degradation() -> None:
    hr = torch.rand(1, 1, 32, 40, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(Sampled(4)(hr), BD(4).reduce(hr, 0), rtol=0, atol=1e-6)


def test_five_frames_back_project_better_than_one() -> None:
    """Aliased frames of one gliding scene: what one frame cannot show, others do."""
    pytest.importorskip("cv2", reason="opencv-python-headless is not installed")
    from srlab.networks.video.providers import DIS

    scene = sharp(5, 128, 144)
    lr = torch.stack([BD(2, sigma=0.7).reduce(scene[:, place], 0) for place in range(5)], 1)
    errors = []
    for frames in (1, 5):
        network = MultiFrameBackProjection(1, Sampled(2, sigma=0.7), DIS(1), frames, iterations=10)
        with torch.no_grad():
            errors.append(float((network(lr).sr[:, 2] - scene[:, 2])[..., 16:-16, 16:-16].square().mean()))
    assert errors[1] < 0.8 * errors[0]


def sharp(frames: int, height: int, width: int) -> Tensor:
    """A glide (1, T, 1, height, width) by (1.5, 0.5) pixels a frame over texture finer than LR can hold."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 1, 2 * height + 64, 2 * width + 64, generator=generator)
    smooth = nn.functional.avg_pool2d(noise, 5, stride=1)
    smooth = (smooth - smooth.mean()) / smooth.std() * 0.15 + 0.5
    windows_ = [smooth[..., 30 - time :, 30 - 3 * time :][..., : 2 * height, : 2 * width] for time in range(frames)]
    return torch.stack([nn.functional.avg_pool2d(one, 2) for one in windows_], 1).clamp(0, 1)


def test_flow_channels_must_be_the_networks() -> None:
    with pytest.raises(ValueError, match="set the flow's channels"):
        BasicVSR(1, 2, SpyNet(3, levels=2), width=4, blocks=1)(textured(2, 8, 8))
    with pytest.raises(ValueError, match="enlarges by twos"):
        FRVSR(1, 3, FNet(1))
    with pytest.raises(ValueError, match="frames=4"):
        TDAN(1, 2, frames=4)


def test_rates_follow_what_the_groups_say() -> None:
    """Waiting parameters have no rate, then theirs as part of the schedule's; the others have the schedule's throughout."""
    network = BasicVSR(1, 2, SpyNet(1, levels=2, widths=(4,)), width=4, blocks=1, flow_waits=2, flow_rate=0.125)
    settings = Training(
        0, lambda iteration: 0.5 if iteration else 1.0, Mock(spec=Protocol), ema_decay=None, evaluate="raw"
    )
    loss = WeightedSum({"l1": WeightedTerm(L1())})
    paradigm = Supervised(network, settings, loss, partial(torch.optim.Adam, lr=0.1))
    optimizer, rates = paradigm.configure_optimizers(), []
    for iteration in (1, 2, 3):
        total = SimpleNamespace(ready=iteration)
        epoch = SimpleNamespace(_results={}, batch_progress=SimpleNamespace(total=total))
        trainer = SimpleNamespace(fit_loop=SimpleNamespace(epoch_loop=epoch), optimizers=[optimizer], global_rank=0)
        paradigm.trainer = trainer  # type: ignore[assignment]
        paradigm.on_train_batch_start(None, 0)
        rates.append([group["lr"] for group in optimizer.param_groups])
    assert rates == [[0.1, 0.0], [0.05, 0.0], [0.05, pytest.approx(0.00625)]]
