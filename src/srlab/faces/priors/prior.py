"""What all priors are: a frozen network with the weights of a file, a gradient to the picture, and an alignment."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from srlab.errors import InputError
from srlab.networks.frozen import Frozen
from srlab.networks.layout import State
from srlab.networks.weights import differences, read


class Prior(nn.Module, ABC):
    """A network that knows faces: pictures in [0, 1] and where the faces lie -> features.

    It is never trained and stays in evaluation mode; a gradient flows to the pictures. Without its weights there is no
    prior: a random network would judge at random.

    Args:
        network: takes the weights.
        weights: the file.
        inside: the key under which the file holds the weights; None: they are all that it holds.

    Attributes:
        tag: the prior's name and the first digits of the weights' SHA-256: what it judged means nothing without them.

    Raises:
        InputError: no such file, or one that does not fit.
    """

    def __init__(self, network: nn.Module, weights: str | None, inside: str | None = None) -> None:
        super().__init__()
        name = type(self).__name__
        if weights is None:
            raise InputError(f"{name} has no weights, and judges nothing without: name their file, weights=<path>.")
        path = Path(weights).expanduser()
        if not path.is_file():
            raise InputError(
                f"{name}: there is no weight file {path}. Name one, weights=<path>: docs/faces.md says which."
            )
        state = self.taken(read(path), inside)
        if problems := differences(network.state_dict(), state):
            raise InputError(
                f"{path} does not fit {name}: {'; '.join(problems)}. docs/faces.md names the file it needs."
            )
        network.load_state_dict(dict(state))
        self.network = Frozen(network)
        self.tag = f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"

    @staticmethod
    def taken(content: Mapping[str, Any], inside: str | None) -> State:
        """The network's weights, out of what the file holds."""
        return dict(content.get(inside, {}) if inside else content)

    def forward(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Features of faces, in float32 also where a training is autocast.

        Args:
            images: (B, 1 or 3, H, W) in [0, 1].
            landmarks: (B, 68, 2) in pixels of the images, all known: they say where the faces lie.
        """
        with torch.autocast(images.device.type, enabled=False):
            return self.features(rgb(images), landmarks.float())

    @abstractmethod
    def features(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """Of RGB images (B, 3, H, W)."""


def rgb(images: Tensor) -> Tensor:
    """Grey pictures as RGB: (B, 1 or 3, H, W) -> (B, 3, H, W) float32."""
    if images.shape[1] not in (1, 3):
        raise InputError(f"Faces are looked at in grey or RGB, not in {images.shape[1]} channels: set channels=3.")
    return images.float().expand(-1, 3, -1, -1)
