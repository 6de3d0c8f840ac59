"""Content and texture: by hand on the same features; what is computed how often, and what gets a gradient."""

import pytest
import torch
from torch import Tensor, nn

from srlab.losses.features import VGG
from srlab.losses.perceptual import Content, Texture, gram
from srlab.losses.pixel import L1, L2
from srlab.losses.weighted import WeightedSum, WeightedTerm
from tests.losses.conftest import step_of


@pytest.fixture
def images() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    sr, hr = torch.rand(2, 2, 3, 32, 32, generator=generator)
    return sr.requires_grad_(True), hr


def vgg() -> VGG:
    return VGG(19, "random", width=4)


def by_hand(image: Tensor, upto: int) -> Tensor:
    normalised = (image - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(
        3, 1, 1
    )
    layers: nn.Sequential = vgg().layers.network
    features: Tensor = layers[:upto](normalised)
    return features


def test_content_is_the_weighted_distance_of_the_layers(images: tuple[Tensor, Tensor]) -> None:
    sr, hr = images
    content = Content(vgg(), {"conv1_2": 0.5, "relu1_2": 2.0}, L2())
    before, after = (nn.functional.mse_loss(by_hand(sr, n), by_hand(hr, n)) for n in (3, 4))
    torch.testing.assert_close(content.measure(step_of(sr, hr)), 0.5 * before + 2 * after)
    assert content.measure(step_of(hr, hr)).item() == 0


def test_content_relative_to_the_mean_of_hrs_features_forgets_their_scale(images: tuple[Tensor, Tensor]) -> None:
    sr, hr = images
    small, large = vgg(), vgg()
    for layer in large.layers.network:
        if isinstance(layer, nn.Conv2d):
            layer.weight.mul_(3)
    layers = {"relu2_1": 1.0}
    one, other = (Content(net, layers, L2(), mean_one=True).measure(step_of(sr, hr)) for net in (small, large))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=0)


def test_gram_by_hand() -> None:
    features = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, 1.0]]]])  # two channels of 2 x 2
    expected = torch.tensor([[30.0, 6.0], [6.0, 2.0]])
    torch.testing.assert_close(gram(features, average=False)[0, 0], expected)
    torch.testing.assert_close(gram(features)[0, 0], expected / 4)
    patches = gram(torch.cat([features, 2 * features, features[..., :1]], dim=3), patch=2, average=False)
    torch.testing.assert_close(patches, torch.stack([expected, 4 * expected])[None])


def test_texture_is_the_same_wherever_it_lies_and_content_is_not(images: tuple[Tensor, Tensor]) -> None:
    sr, hr = images
    features = torch.rand(1, 3, 32, 32)
    shifted = features.roll((5, 9), dims=(2, 3))
    texture = Texture(vgg(), {"relu1_1": 1.0}, patch=None)
    assert texture.compare(features, shifted).item() == pytest.approx(0, abs=1e-10)
    within = Texture(vgg(), {"relu1_1": 1.0}, patch=16)
    assert within.compare(features, shifted).item() > 1e-5  # each patch has its own
    swapped = features.view(1, 3, 2, 16, 32).flip(4).reshape(1, 3, 32, 32)
    mirrored = swapped.view(1, 3, 32, 2, 16).flip(3).reshape(1, 3, 32, 32)  # each patch mirrored in itself
    assert within.compare(features, mirrored).item() == pytest.approx(0, abs=1e-10)
    assert texture.measure(step_of(hr, hr)).item() == 0
    assert texture.measure(step_of(sr, hr)).item() > 0


def test_features_are_computed_once_a_step_and_targets_without_a_graph(images: tuple[Tensor, Tensor]) -> None:
    sr, hr = images
    texture = Texture(vgg(), {"relu1_1": 1.0, "relu2_1": 1.0}, weight=2.0)
    content = Content(vgg(), {"conv2_2": 1.0}, L1(), weight=0.5)
    expected = 2 * texture.measure(step_of(sr, hr)) + 0.5 * content.measure(step_of(sr, hr))
    objective = WeightedSum({"texture": texture, "pixel": WeightedTerm(L1(), 0.0), "content": content})
    assert content.features is texture.features
    calls: list[tuple[int, bool]] = []
    for place, layer in enumerate(content.features.layers.network):
        layer.register_forward_hook(lambda _, __, out, place=place: calls.append((place, out.requires_grad)))
    terms = objective(step_of(sr, hr))
    torch.testing.assert_close(terms.total, expected)
    assert sorted(calls) == sorted((place, graph) for place in range(8) for graph in (False, True))
    terms.total.backward()
    assert sr.grad is not None
    assert sr.grad.abs().sum() > 0
    assert not list(objective.parameters())
    assert not objective.state_dict()
    assert all(weight.grad is None for weight in content.features.layers.network.parameters())


def test_other_weights_are_not_shared() -> None:
    wide, narrow = (Content(VGG(19, "random", width=w), {"conv1_1": 1.0}, L1()) for w in (4, 2))
    WeightedSum({"wide": wide, "narrow": narrow})
    assert wide.features is not narrow.features


def test_impossible_numbers_are_refused() -> None:
    for layers in ({}, {"relu1_1": 0.0}, {"relu1_1": -1.0, "relu2_1": 2.0}):
        with pytest.raises(ValueError, match="above 0"):
            Content(vgg(), layers, L1())
    assert not Content(vgg(), {"conv5_4": 0.0, "relu1_1": 1.0}, L1()).features.wanted - {"relu1_1"}
    with pytest.raises(ValueError, match="patch=0"):
        Texture(vgg(), {"relu1_1": 1.0}, patch=0)
