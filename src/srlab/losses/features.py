"""Deep features by which losses compare images: those of VGG-16 and VGG-19 (Simonyan and Zisserman, ICLR 2015)."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from srlab.errors import InputError
from srlab.networks.frozen import Frozen
from srlab.networks.layout import State
from srlab.networks.weights import differences, read, unwrapped

CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Of each of the five blocks, by the network's depth."""

FILES = {16: "vgg16-397923af.pth", 19: "vgg19-dcbb9e9d.pth"}
"""torchvision's, trained on ImageNet."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, by which the networks' input is normalised."""


class VGG(nn.Module):
    """VGG's convolutional layers by name, frozen: conv5_4 is before its activation, relu5_4 after, pool5 after pooling.

    Args:
        depth: 16 or 19.
        weights: a file with `features.*` in torchvision's layout; None: torchvision's own file in torch's cache;
            "random": always the same random weights, whose features still tell textures apart (Ustyuzhaninov et al.,
            arXiv 1606.00021), but no contents.
        width: channels of the first block (torchvision's: 64); less for a smaller network of one's own.

    Attributes:
        key: two with equal keys are the same.

    Raises:
        InputError: there are no weights, or they do not fit: with what to do.
    """

    def __init__(self, depth: int = 19, weights: str | None = None, width: int = 64) -> None:
        super().__init__()
        if depth not in CONVOLUTIONS:
            raise ValueError(f"features.depth={depth}: choose 16 or 19.")
        self.key = (depth, weights, width)
        self.names = layer_names(depth)
        layers = _layers(depth, width)
        if weights == "random":
            _start_random(layers)
        else:
            _load(layers, depth, weights)
        self.layers = Frozen(layers.to(memory_format=torch.channels_last))  # the faster convolutions
        self.wanted: set[str] = set()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1), persistent=False)

    def want(self, names: Iterable[str]) -> None:
        """Note which layers will be asked for.

        Raises:
            ValueError: there is no such layer.
        """
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise ValueError(f"VGG-{self.key[0]} has no layer {', '.join(unknown)}. It has {', '.join(self.names)}.")
        self.wanted.update(names)

    def of(self, image: Tensor) -> "Features":
        """The features of images (B, 1 or 3, H, W) in [0, 1], grey ones as RGB: each layer's when it is asked for."""
        if image.shape[1] not in (1, 3):
            raise InputError(
                f"VGG looks at grey and RGB images, not at {image.shape[1]} channels: leave it out of loss."
            )
        normalised = (image.expand(-1, 3, -1, -1) - self.get_buffer("mean")) / self.get_buffer("std")
        return Features(self, image, normalised)


class Features:
    """The features of one batch of images, each layer computed once, and only as far down as it is asked for.

    Args:
        vgg: keeps its `wanted` layers.
        image: whose features they are; kept, so that no other takes its identity.
        start: the network's input.
    """

    def __init__(self, vgg: VGG, image: Tensor, start: Tensor) -> None:
        self.vgg, self.image, self.last, self.done = vgg, image, start, 0
        self.kept: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        """A layer's output, (B, C, H / 2^n, W / 2^n)."""
        layers = self.vgg.layers.network
        while name not in self.kept:
            at = self.vgg.names[self.done]
            self.last = layers[self.done](self.last)
            self.done += 1
            if at in self.vgg.wanted:
                self.kept[at] = self.last
        return self.kept[name]


def layer_names(depth: int) -> list[str]:
    """conv1_1, relu1_1, ..., pool1, conv2_1, ...: in the network's order."""
    names = []
    for block, convolutions in enumerate(CONVOLUTIONS[depth], start=1):
        names += [f"{kind}{block}_{place}" for place in range(1, convolutions + 1) for kind in ("conv", "relu")]
        names.append(f"pool{block}")
    return names


def _layers(depth: int, width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for block, convolutions in enumerate(CONVOLUTIONS[depth]):
        after = width * min(2**block, 8)
        for _ in range(convolutions):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]  # not in place: conv* are wanted as they are
            before = after
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


def _start_random(layers: nn.Sequential) -> None:
    generator = torch.Generator().manual_seed(0)
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(cast(Tensor, layer.bias))
            std = math.sqrt(2 / layer.weight[0].numel())
            with torch.no_grad():
                layer.weight.normal_(0, std, generator=generator)


def _load(layers: nn.Sequential, depth: int, weights: str | None) -> None:
    if weights is None:
        path = Path(torch.hub.get_dir()) / "checkpoints" / FILES[depth]
        if not path.is_file():
            raise InputError(
                f"A loss compares features of VGG-{depth}, whose weights are not in {path.parent}. On a machine with "
                f"network access fetch https://download.pytorch.org/models/{path.name} and copy it there, or name a "
                f"file of your own: loss.<name>.features.weights=<file>."
            )
    else:
        path = Path(weights).expanduser()
    state = unwrapped(read(path), averaged=False)
    inside: State = {
        key.removeprefix("features."): value for key, value in state.items() if key.startswith("features.")
    }
    problems = differences(layers.state_dict(), inside or state)
    if problems:
        raise InputError(
            f"{path} does not fit VGG-{depth}: {'; '.join(problems)}. Expected features.* in torchvision's layout."
        )
    layers.load_state_dict(dict(inside or state))
