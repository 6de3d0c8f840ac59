"""Networks of the community: any weight file that spandrel reads, as one of our networks."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.networks.layout import State
from srlab.networks.network import Network
from srlab.networks.weights import parts_of, read, unwrapped
from srlab.types import Prediction

NESTED = ("", "model.safetensors", "export/model.safetensors")
"""Where the file is, below what the user names: a file, an export, a run."""


class Community(Network):
    """A network that its weight file describes: lr (B, C, H, W) in [0, 1] -> sr (B, C, scale H, scale W), not clamped.

    spandrel recognises the design and its sizes by the file's keys and shapes. How far a pixel sees is not known, so
    that the halo is None. The state dict has spandrel's names behind `module.`, a prefix that every reader strips.

    Args:
        weights: the file (.pth, .pt, .ckpt, .safetensors), or the folder of an export of such a network.

    Raises:
        ValueError: no file, or one that spandrel does not know, or no network that enlarges images of one kind.
    """

    def __init__(self, weights: str | None) -> None:
        if weights is None:
            raise ValueError("network=spandrel is made from a weight file: give weights=<file>.")
        found = recognised(weights, state_in(file_below(weights)))
        if getattr(found, "purpose", "Inpainting") == "Inpainting" or found.input_channels != found.output_channels:
            raise ValueError(
                f"{weights} holds {found.architecture.name}, from {found.input_channels} channels to "
                f"{found.output_channels} ({found.purpose}): take a network of images of one kind."
            )
        super().__init__(found.input_channels, found.scale, found.size_requirements.multiple_of, halo=None)
        self.module: torch.nn.Module = found.model
        self.requirements = found.size_requirements
        self.call = found._call_fn

    def predict(self, lr: Tensor) -> Prediction:
        height, width = lr.shape[2:]
        right, below = self.requirements.get_padding(width, height)
        # A copy in any case: some of these networks write into their input.
        padded = F.pad(lr, (0, right, 0, below), mode="replicate") if right or below else lr.clone()
        sr: Tensor = self.call(self.module, padded)
        return Prediction(sr[..., : height * self.scale, : width * self.scale].to(lr.dtype), {})

    def load_file(self, path: str | Path, averaged: bool = True) -> None:
        """Take the weights of another file of the same network."""
        found = recognised(str(path), state_in(file_below(path), averaged))
        self.module.load_state_dict(found.model.state_dict())


def file_below(path: str | Path) -> Path:
    """The weight file that a path means: itself, or that of the export in the folder."""
    path = Path(path).expanduser()
    places = [path / name if name else path for name in NESTED]
    return next((place for place in places if place.is_file()), path)


def state_in(path: Path, averaged: bool = True) -> State:
    """A file's weights under the names that they were published with; those of our checkpoints too."""
    if path.suffix == ".pt":  # may be a traced program, whose weights spandrel takes out
        import spandrel

        state: State = spandrel.ModelLoader().load_state_dict_from_file(path)
        return state
    state = unwrapped(read(path), averaged)
    for prefix in parts_of(averaged):
        inner = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
        if inner:
            return inner
    return state


def recognised(path: str, state: State) -> Any:
    """What spandrel makes of weights: its descriptor, with the network in it.

    Raises:
        ValueError: it knows no such network.
    """
    try:
        import spandrel
    except ImportError as error:
        raise ValueError("network=spandrel needs spandrel: pip install 'srlab[exchange]'.") from error
    try:
        return spandrel.ModelLoader().load_from_state_dict(spandrel.canonicalize_state_dict(dict(state)))
    except (spandrel.UnsupportedModelError, RuntimeError, KeyError, IndexError) as error:
        raise ValueError(
            f"{path} is no network that spandrel knows ({type(error).__name__}): for a file of srlab's own designs give "
            f"network=<its name>; docs/networks.md lists them."
        ) from error
