"""What makes each network of clips that network."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor, nn

from srlab.degradation.bd import BD
from srlab.degradation.reduction import Sampled
from srlab.evaluation.protocol import Protocol
from srlab.losses.pixel import L1
from srlab.losses.weighted import WeightedSum, WeightedTerm
from srlab.networks.interpolation import enlarge
from srlab.networks.network import Network
from srlab.networks.video.baselines import MultiFrameBackProjection
from srlab.networks.video.basicvsr import BasicVSR
from srlab.networks.video.flow import FlowNetwork, SpyNet
from srlab.networks.video.frvsr import FRVSR, FNet
from srlab.networks.video.motion import windows
from srlab.networks.video.tdan import TDAN
from srlab.networks.video.vespcn import VESPCN, CoarseToFine
from srlab.paradigms.base import Training
from srlab.paradigms.supervised import Supervised
from tests.networks.video.clips import textured
from tests.networks.video.test_every_network import made

Compose = Callable[..., Network]


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


def test_basicvsr_makes_all_frames_of_a_training_sample_at_once() -> None:
    torch.manual_seed(0)
    network, lr = BasicVSR(1, 2, SpyNet(1, levels=2, widths=(4,)), width=4, blocks=1, refining=2), textured(4, 8, 8)
    assert len(network.fusion) == 4
    with torch.no_grad():
        torch.testing.assert_close(network.train()(lr).sr, network.eval()(lr).sr)


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
