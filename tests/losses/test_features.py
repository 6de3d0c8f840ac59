"""VGG's features against torchvision's on the same weights; how weights are found, and refused."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch.nn import functional as F

from srlab.errors import InputError
from srlab.losses.features import FILES, VGG, layer_names


@pytest.mark.parametrize("depth", [16, 19])
def test_every_layer_is_torchvisions(depth: int, tmp_path: Path) -> None:
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        theirs = getattr(models, f"vgg{depth}")(init_weights=False).features
    ours = VGG(depth, "random")
    theirs = theirs.to_empty(device="cpu")
    theirs.load_state_dict(ours.layers.network.state_dict())
    ours.want(names := layer_names(depth))
    image = torch.rand(2, 3, 32, 32)
    features = ours.of(image)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = (image - mean[:, None, None]) / std[:, None, None]
    assert len(names) == len(theirs)
    for name, layer in zip(names, theirs, strict=True):
        expected = F.relu(expected) if name.startswith("relu") else layer(expected)
        torch.testing.assert_close(features[name], expected, rtol=1e-4, atol=1e-4)
    assert names[-3] == ("conv5_4" if depth == 19 else "conv5_3")
    weights = getattr(models, f"VGG{depth}_Weights").IMAGENET1K_V1
    assert weights.url.endswith(FILES[depth])


def test_without_weights_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    with pytest.raises(InputError) as refusal:
        VGG(19)
    for part in (str(tmp_path), "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth", "features.weights=<file>"):
        assert part in str(refusal.value)
    with pytest.raises(InputError, match="no weight file"):
        VGG(19, str(tmp_path / "absent.pth"))


def test_weights_come_from_the_cache_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    layers = VGG(16, "random", width=2).layers.network
    weights = {f"features.{name}": value + 1 for name, value in layers.state_dict().items()}
    torch.save(weights | {"classifier.0.weight": torch.zeros(1)}, tmp_path / "checkpoints" / FILES[16])
    own_weights = {name: value.contiguous() for name, value in layers.state_dict().items()}
    safetensors.torch.save_file(own_weights, tmp_path / "own.safetensors")
    cached, own = VGG(16, width=2), VGG(16, str(tmp_path / "own.safetensors"), width=2)
    first = layers[0].get_parameter("weight")
    torch.testing.assert_close(cached.layers.network[0].get_parameter("weight"), first + 1)
    torch.testing.assert_close(own.layers.network[0].get_parameter("weight"), first)
    with pytest.raises(InputError, match=r"does not fit VGG-19.*missing"):
        VGG(19, str(tmp_path / "own.safetensors"), width=2)


def test_layers_and_images_that_there_are_not_are_refused() -> None:
    vgg = VGG(16, "random", width=1)
    with pytest.raises(ValueError, match=r"no layer conv5_4.*conv5_3"):
        vgg.want(["conv5_4"])
    with pytest.raises(InputError, match="not at 4 channels"):
        vgg.of(torch.rand(1, 4, 8, 8))
    vgg.want(["conv1_1"])
    grey = torch.rand(1, 1, 8, 8)
    torch.testing.assert_close(vgg.of(grey)["conv1_1"], vgg.of(grey.expand(-1, 3, -1, -1))["conv1_1"])
