"""What each design claims of itself: recursions share weights, scales have paths of their own, every output is returned."""

import pytest
import torch
from torch import nn

from srlab.errors import InputError
from srlab.networks.blocks import Convolution
from srlab.networks.interpolation import enlarge
from tests.networks.conftest import Compose


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def weights(network: nn.Module) -> int:
    """Learned numbers, without those of normalisations, which belong to one step each."""
    norms = {id(p) for m in network.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()}
    return sum(parameter.numel() for parameter in network.parameters() if id(parameter) not in norms)


@pytest.mark.parametrize(
    ("backbone", "framework", "few", "many"),
    [
        ("drcn", "pre", ["backbone.width=8", "backbone.recursions=1"], ["backbone.recursions=16"]),
        ("drrn", "pre", ["backbone.width=8", "backbone.units=1"], ["backbone.units=25"]),
        ("ms_lapsrn", "post", ["backbone.width=8", "backbone.recursions=1"], ["backbone.recursions=8"]),
        ("srfbn", "iterative", ["backbone.width=8", "backbone.steps=1"], ["backbone.steps=4"]),
        ("dsrn", "iterative", ["backbone.width=8", "backbone.steps=3"], ["backbone.steps=7"]),
    ],
)
def test_more_steps_have_no_more_weights(
    composed: Compose, backbone: str, framework: str, few: list[str], many: list[str]
) -> None:
    parts = [f"backbone={backbone}", f"framework={framework}"]
    small, large = composed(*parts, *few), composed(*parts, *few, *many)
    assert weights(small) == weights(large)
    for parameter in small.parameters():  # away from special starts, such as DRCN's identity
        nn.init.uniform_(parameter, -0.1, 0.2)
    large.load_state_dict(small.state_dict())
    lr = torch.rand(1, 3, 8, 8)
    assert not torch.allclose(small(lr).sr, large(lr).sr), "the further steps do something"


def test_memnets_recursions_share_their_convolutions(composed: Compose) -> None:
    def recursive_unit(recursions: int, shared: bool) -> int:
        network = composed("network=memnet", f"backbone.recursions={recursions}", f"backbone.shared={shared}")
        return weights(network.get_submodule("backbone.memories.0.convolutions"))

    assert recursive_unit(2, True) == recursive_unit(6, True) == 2 * (9 * 64**2 + 64)
    assert recursive_unit(6, False) == 6 * recursive_unit(6, True)


def test_a_pyramid_that_shares_has_the_weights_of_one_level(composed: Compose) -> None:
    networks = [composed("network=ms_lapsrn", f"scale={scale}", "backbone.width=8") for scale in (2, 4, 8)]
    assert len({weights(network) for network in networks}) == 1
    networks[2].load_state_dict(networks[0].state_dict())
    lr = torch.rand(1, 1, 6, 6)
    torch.testing.assert_close(networks[2](lr).intermediate["x2"], networks[0](lr).sr)


@pytest.mark.parametrize("name", ["mdsr", "carn", "carn_m"])
def test_a_step_at_one_scale_leaves_the_other_scales_paths_alone(composed: Compose, name: str) -> None:
    network = composed(f"network={name}", "backbone.width=16", *(["backbone.blocks=2"] if name == "mdsr" else []))
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.1)

    def step(scale: int) -> None:
        optimizer.zero_grad()
        network(torch.rand(1, 3, 6, 6), scale=scale).sr.square().mean().backward()
        optimizer.step()

    for scale in (2, 4):  # Adam has momentum for both, which must not move them either
        step(scale)
    before = {key: tensor.clone() for key, tensor in network.named_parameters()}
    step(3)
    for key, tensor in network.named_parameters():
        if ".x2." in key or ".x4." in key:
            assert tensor.grad is None, key
            assert torch.equal(tensor, before[key]), key
        else:
            assert tensor.grad is not None, key
            assert tensor.grad.any(), key
            assert not torch.equal(tensor, before[key]), key


def test_a_network_of_several_scales_does_each(composed: Compose) -> None:
    network = composed("network=carn", "backbone.width=8", "scale=3")
    lr = torch.rand(1, 3, 5, 7)
    assert {scale: network(lr, scale=scale).sr.shape[2:] for scale in network.scales} == {  # type: ignore[union-attr]
        2: (10, 14),
        3: (15, 21),
        4: (20, 28),
    }
    assert network(lr).sr.shape[2:] == (15, 21)
    network.scale = 2
    torch.testing.assert_close(network(lr).sr, network(lr, scale=2).sr, rtol=0, atol=0)
    with pytest.raises(ValueError, match=r"scale=8 is none of this network's scales \(2, 3, 4\)"):
        network(lr, scale=8)
    with pytest.raises(InputError, match=r"scale=8 is none of framework.scales=\[2, 3, 4\]"):
        composed("network=carn", "scale=8")


@pytest.mark.parametrize(("name", "size", "steps"), [("drcn", "recursions", 5), ("memnet", "memories", 3)])
def test_an_ensemble_is_the_learned_sum_of_the_steps_it_returns(
    composed: Compose, name: str, size: str, steps: int
) -> None:
    network = composed(f"network={name}", "backbone.width=8", f"backbone.{size}={steps}").eval()
    own = network.get_parameter("ensemble.weights")
    torch.testing.assert_close(own, torch.full((steps,), 1 / steps))
    nn.init.uniform_(own)
    prediction = network(torch.rand(1, 1, 6, 6))
    assert list(prediction.intermediate) == [f"step{step}" for step in range(1, steps + 1)]
    expected = sum(weight * image for weight, image in zip(own, prediction.intermediate.values(), strict=True))
    torch.testing.assert_close(prediction.sr, expected)
    without = composed(f"network={name}", "backbone.width=8", f"backbone.{size}={steps}", "framework.ensemble=false")
    without.eval().load_state_dict({k: v for k, v in network.state_dict().items() if not k.startswith("ensemble")})
    lr = torch.rand(1, 1, 6, 6)
    torch.testing.assert_close(without(lr).sr, network(lr).intermediate[f"step{steps}"])


def test_feedback_returns_what_fewer_steps_would(composed: Compose) -> None:
    parts = ["network=srfbn_s", "backbone.width=8"]
    network = composed(*parts)
    prediction = network(lr := torch.rand(1, 3, 6, 6))
    assert list(prediction.intermediate) == ["step1", "step2", "step3"]
    for steps in (1, 2, 3):
        fewer = composed(*parts, f"backbone.steps={steps}")
        fewer.load_state_dict(network.state_dict())
        torch.testing.assert_close(fewer(lr).sr, prediction.intermediate[f"step{steps}"])


def test_back_projection_returns_the_share_of_the_first_stages(composed: Compose) -> None:
    network = composed("network=dbpn", "backbone.width=8", "backbone.stages=3")
    prediction = network(lr := torch.rand(1, 3, 6, 6))
    assert list(prediction.intermediate) == ["step1", "step2"]
    tail = network.get_submodule("tail")
    assert isinstance(tail, nn.Conv2d)
    with torch.no_grad():
        tail.weight[:, 16:] = 0  # the tail no longer sees the third stage
    torch.testing.assert_close(network(lr).sr, prediction.intermediate["step2"], rtol=1e-4, atol=1e-5)


def test_the_dual_states_prediction_is_the_mean_of_its_steps(composed: Compose) -> None:
    prediction = composed("network=dsrn", "backbone.width=8", "scale=3")(torch.rand(1, 3, 6, 6))
    assert len(prediction.intermediate) == 6  # seven steps, of which the first fills the LR state
    torch.testing.assert_close(prediction.sr, torch.stack(list(prediction.intermediate.values())).mean(dim=0))


@pytest.mark.parametrize("name", ["lapsrn", "ms_lapsrn", "prosrs"])
def test_a_pyramid_returns_the_image_of_each_level(composed: Compose, name: str) -> None:
    network = composed(f"network={name}", "scale=8")
    prediction = network(torch.rand(1, network.channels, 5, 4))
    assert {key: image.shape[2:] for key, image in prediction.intermediate.items()} == {"x2": (10, 8), "x4": (20, 16)}
    assert prediction.sr.shape[2:] == (40, 32)


def test_lapsrns_lower_level_is_the_network_of_that_scale(composed: Compose) -> None:
    network = composed("network=lapsrn", "backbone.width=8", "scale=4")
    prediction = network(lr := torch.rand(1, 1, 5, 4))
    torch.testing.assert_close(network(lr, scale=2).sr, prediction.intermediate["x2"])
    prediction.intermediate["x2"].sum().backward()
    reached = {key for key, tensor in network.named_parameters() if tensor.grad is not None}
    assert not any(key.startswith(("deeper", "tails.1")) or ".1.stages" in key for key in reached)


def test_a_pyramid_starts_from_the_interpolated_image(composed: Compose) -> None:
    lr = torch.rand(1, 1, 8, 8)
    for name, kernel in (("lapsrn", "bilinear"), ("prosrs", "bicubic")):
        network = composed(f"network={name}", "scale=4", "channels=1")
        for key, tensor in network.named_parameters():
            if key.startswith("tails."):
                nn.init.zeros_(tensor)
        expected = enlarge(lr, 4, kernel) if kernel == "bicubic" else enlarge(enlarge(lr, 2, kernel), 2, kernel)
        inside = slice(8, -8)
        torch.testing.assert_close(network(lr).sr[..., inside, inside], expected[..., inside, inside])


def test_prosr_starts_each_scale_from_its_own_head_and_blends_a_new_level_in(composed: Compose) -> None:
    network = composed("network=prosrs", "scale=4")
    lr = torch.rand(1, 3, 6, 6)
    network(lr, scale=2).sr.sum().backward()
    assert network.get_parameter("heads.x2.weight").grad is not None
    assert network.get_parameter("heads.x4.weight").grad is None
    assert all(tensor.grad is None for key, tensor in network.named_parameters() if key.startswith("deeper"))
    new = network(lr)
    network.blends = {network.scale: 0.0}  # type: ignore[assignment]
    below = network(lr).intermediate["x2"] - enlarge(lr, 2)
    torch.testing.assert_close(network(lr).sr, enlarge(lr, 4) + enlarge(below, 2, "bilinear"))
    network.blends = {network.scale: 0.5}  # type: ignore[assignment]
    torch.testing.assert_close(
        network(lr).sr, 0.5 * new.sr + 0.5 * (enlarge(lr, 4) + enlarge(below, 2, "bilinear")), rtol=1e-4, atol=1e-5
    )


def test_without_steps_the_iterative_result_is_the_interpolated_image(composed: Compose) -> None:
    network = composed("network=srfbn_s", "backbone.width=8")
    for tensor in network.get_submodule("tail").parameters():
        nn.init.zeros_(tensor)
    lr = torch.rand(1, 3, 6, 6)
    prediction = network(lr)
    for image in (prediction.sr, *prediction.intermediate.values()):
        torch.testing.assert_close(image, enlarge(lr, 2, "bilinear"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["framework=progressive", "scale=3"], r"cannot reach scale=3: choose scale=2, 4 or 8, or framework=post"),
        (["framework=progressive", "backbone=vdsr", "scale=4"], r"VDSR cannot start from features.*framework=post"),
        (["framework=progressive", "backbone=prosrs", "scale=4"], r"turns 24 channels into .*framework.deeper"),
        (["network=prosr", "framework.deeper=[]", "scale=4"], r"names 0 levels above the first, scale=4 has 1"),
        (["framework=post", "backbone=dbpn"], r"DBPN goes up and down .*only framework=iterative.*edsr"),
        (["framework=pre", "backbone=srfbn"], r"SRFBN goes up and down .*only framework=iterative"),
        (["framework=progressive", "backbone=dsrn"], r"DSRN goes up and down .*only framework=iterative"),
        (["framework=multi_scale", "backbone=dbpn"], r"DBPN goes up and down .*only framework=iterative"),
        (["framework=iterative", "framework.projection=null"], r"EDSR stays at one resolution.*backbone=dbpn"),
        (["framework=pre", "framework.ensemble=true"], r"EDSR makes one prediction only.*drcn or memnet"),
        (["network=mdsr", "backbone=vdsr"], r"VDSR cannot start from features.*framework=post, or .*edsr"),
    ],
)
def test_combinations_that_make_no_sense_are_refused_with_a_way_out(
    composed: Compose, overrides: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        composed(*overrides)


@pytest.mark.parametrize("channels", [8, 24])
def test_dilated_layers_of_any_width_have_a_gradient_in_bfloat16(channels: int) -> None:
    """Widths that are no multiple of 16 got none, in the faster memory layout, from the library below."""
    torch.manual_seed(0)
    layer = Convolution(channels, channels, dilation=2).to(memory_format=torch.channels_last)
    features = torch.randn(4, channels, 64, 64).to(memory_format=torch.channels_last)
    gradients = []
    for enabled in (True, False):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = layer(features).float().square().mean()
        gradients.append(torch.autograd.grad(loss, layer.weight)[0])
    torch.testing.assert_close(*gradients, rtol=0.05, atol=0.01)
