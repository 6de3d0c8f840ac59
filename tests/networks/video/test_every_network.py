"""What each network of clips must do, whatever it is made of."""

import io
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from srlab.errors import InputError
from srlab.inference.memory import Peak
from srlab.networks.network import Network
from srlab.networks.video.deformable import Deformable
from srlab.networks.video.flow import FlowNetwork
from srlab.networks.video.network import VideoNetwork, frames_of, of_all
from tests.networks.compositions import VIDEO
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


@pytest.mark.parametrize(("length", "chunk"), [(5, 1), (5, 2), (5, 3), (5, 5), (1, 4)])
@pytest.mark.parametrize("name", NAMES)
def test_a_clip_in_chunks_is_the_whole_clip(composed: Compose, name: str, length: int, chunk: int) -> None:
    network, lr = stirred(made(composed, name)), textured(length, 8, 10)
    with torch.no_grad():
        parts = of_all(network.stream(frames_of(lr), length, chunk))
        torch.testing.assert_close(parts, network(lr).sr, rtol=0, atol=1e-4)


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
