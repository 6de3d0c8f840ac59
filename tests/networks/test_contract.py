"""What every composition must do. A new choice in `conf` is covered by being there."""

import io

import pytest
import torch
from torch import nn

from srlab.errors import InputError
from srlab.networks.network import Network
from tests.networks.compositions import (
    ALONE,
    CROSSED,
    CUBES,
    FROM_A_FILE,
    GUIDED,
    SMALL_FACES,
    SMALL_PRIOR,
    VIDEO,
    choices,
)
from tests.networks.conftest import Compose

SCALES = (2, 3, 4, 8)

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("overrides", ALONE)
def test_odd_sizes_grow_by_the_scale_and_every_parameter_learns(
    composed: Compose, overrides: list[str], scale: int
) -> None:
    if "framework=progressive" in overrides and scale == 3:
        with pytest.raises(InputError, match=r"cannot reach scale=3: choose scale=2, 4 or 8, or framework=post"):
            composed(*overrides, f"scale={scale}")
    else:
        grows_and_learns(composed(*overrides, f"scale={scale}"), scale)


@pytest.mark.parametrize("overrides", CROSSED)
def test_every_pair_of_parts_fits(composed: Compose, overrides: list[str]) -> None:
    grows_and_learns(composed(*overrides, "scale=4"), 4)


def grows_and_learns(network: Network, scale: int) -> None:
    height, width = 5 * network.multiple_of, 3 * network.multiple_of
    prediction = network(torch.rand(1, 3, height, width))
    assert prediction.sr.shape == (1, 3, scale * height, scale * width)
    assert (network.scale, network.channels) == (scale, 3)
    sum(image.square().sum() for image in (prediction.sr, *prediction.intermediate.values())).backward()
    still = [name for name, tensor in network.named_parameters() if tensor.grad is None or not tensor.grad.any()]
    assert not still


@pytest.mark.parametrize("channels", [1, 31])
@pytest.mark.parametrize("overrides", ALONE)
def test_any_number_of_bands_goes_through(composed: Compose, overrides: list[str], channels: int) -> None:
    network = composed(*overrides, f"channels={channels}")
    size = 4 * network.multiple_of
    assert network(torch.rand(2, channels, size, size)).sr.shape == (2, channels, 2 * size, 2 * size)


@pytest.mark.parametrize("overrides", ALONE)
def test_a_state_dict_makes_the_same_network_again(composed: Compose, overrides: list[str]) -> None:
    network, copy = composed(*overrides).eval(), composed(*overrides).eval()
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    copy.load_state_dict(torch.load(file, weights_only=True))
    lr = torch.rand(1, 3, 4 * network.multiple_of, 4 * network.multiple_of)
    with torch.no_grad():
        torch.testing.assert_close(copy(lr).sr, network(lr).sr, rtol=0, atol=0)


@pytest.mark.parametrize("overrides", ALONE)
def test_bfloat16_stays_close_to_float32(composed: Compose, overrides: list[str]) -> None:
    network = composed(*overrides).eval()
    lr = torch.rand(1, 3, 6 * network.multiple_of, 6 * network.multiple_of)
    with torch.no_grad():
        exact = network(lr).sr
        with torch.autocast("cpu", torch.bfloat16):
            fast = network(lr.to(memory_format=torch.channels_last)).sr
    assert fast.dtype is torch.float32, "bfloat16 has only 8 bits: the image itself is summed in float32"
    torch.testing.assert_close(fast, exact, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("overrides", ALONE)
def test_the_published_halo_bounds_what_a_pixel_depends_on(composed: Compose, overrides: list[str], scale: int) -> None:
    network = composed(*overrides, f"scale={scale}").double().eval()
    for parameter in network.parameters():  # all paths open, all of one sign: nothing cancels, no ReLU closes
        terms = max(1, parameter[0].numel())
        nn.init.uniform_(parameter, 0.5 / terms, 1 / terms)
    if network.halo is None:
        assert reach(network, 0, 8 * network.multiple_of) == 8 * network.multiple_of - 1
        return
    size = 2 * (network.halo + 3) // network.multiple_of * network.multiple_of + 2 * network.multiple_of
    centre = size // 2 // network.multiple_of * network.multiple_of
    # The farthest reach of all the places that a pixel can have within a block, as wavelets and windows make them.
    measured = max(reach(network, centre + place, size) for place in range(network.multiple_of))
    assert network.halo - 1 <= measured <= network.halo


def reach(network: Network, place: int, size: int) -> int:
    """How far from an LR pixel on the diagonal lie those that its SR pixels depend on."""
    lr = torch.rand(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    own = slice(place * network.scale, (place + 1) * network.scale)
    network(lr).sr[..., own, own].square().sum().backward()
    assert lr.grad is not None
    return int((lr.grad[0, 0].nonzero() - place).abs().max())


@pytest.mark.parametrize("name", sorted({*choices("network")} - FROM_A_FILE - GUIDED - CUBES - VIDEO))
def test_every_named_network_runs(composed: Compose, name: str) -> None:
    small = ["backbone.blocks=1"] if name == "edsr" else []
    network = composed(f"network={name}", *small, *SMALL_PRIOR.get(name, []), *SMALL_FACES.get(name, []))
    lr = torch.rand(1, network.channels, 4 * network.multiple_of, 5 * network.multiple_of)
    assert network(lr).sr.shape == (1, network.channels, 2 * lr.shape[2], 2 * lr.shape[3])


@pytest.mark.parametrize("backbone", ["srcnn_955", "vdsr", "espcn", "fsrcnn", "edsr"])
@pytest.mark.parametrize("name", ["srcnn_915", "vdsr", "espcn", "fsrcnn", "edsr_baseline"])
def test_a_named_networks_parts_can_be_exchanged(composed: Compose, name: str, backbone: str) -> None:
    for exchanged in (f"backbone={backbone}", "framework=post", "upsampler=nearest"):
        network = composed(f"network={name}", exchanged)
        lr = torch.rand(1, network.channels, 4, 4)
        assert network(lr).sr.shape == (1, network.channels, 8, 8)


def test_the_numbers_of_a_named_network_are_ordinary_overrides(composed: Compose) -> None:
    network = composed("network=edsr_baseline", "backbone.blocks=8", "backbone.width=16", "channels=4")
    assert network.halo == composed("framework=post", "backbone.blocks=8").halo
    assert network.channels == 4
    assert sum(name.endswith("branch.0.weight") for name in network.state_dict()) == 8
