"""A degradation that was learned without pairs (`paradigm=degradation_gan`), for any other paradigm to train on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor
from torch.nn import functional as F

import srlab
from srlab.build import build
from srlab.degradation.base import Degradation, Degraded, derive_seeds, generators, round_up
from srlab.degradation.rounding import quantize
from srlab.errors import InputError
from srlab.inference.exported import CONFIG, WEIGHTS, refuse_strangers
from srlab.networks.degraders import Degrader
from srlab.networks.weights import load_weights

FOLDER = "degrader"
"""Where in its run's folder a learned degradation lies, and the key of its composition there."""


class Learned(Degradation):
    """What the degrader of a finished run makes of HR, rounded to the image's depth; it is never trained further.

    Its noise is drawn from each image's own seed. Images whose sides it cannot take are mirrored at the bottom and the
    right, and cut again.

    Args:
        scale: HR pixels per LR pixel: the degrader's own.
        path: the run folder, or the exported degrader in it.
        margin: HR pixels around a crop that the degrader sees besides; what it reads beyond, at its far reach, is filled.

    Raises:
        ValueError: the degrader was learned for another scale.
    """

    def __init__(self, scale: int, path: str, margin: int = 16) -> None:
        super().__init__()
        degrader = load_degrader(Path(path).expanduser())
        if degrader.scale != scale:
            raise ValueError(f"{path} learned a degradation by {degrader.scale}, but scale={scale}: set them alike.")
        self.degrader = degrader.requires_grad_(False).eval()
        self.scale, self.margin = scale, round_up(margin, scale)

    @torch.no_grad()
    def forward(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        self.check(hr, seeds, levels)
        if hr.shape[1] != self.degrader.channels:
            raise ValueError(f"the degrader knows {self.degrader.channels} channels, these images have {hr.shape[1]}.")
        height, width = hr.shape[-2:]
        down, right = (round_up(side, self.degrader.multiple_of) - side for side in (height, width))
        whole = F.pad(hr, (0, right, 0, down), mode="reflect") if down or right else hr
        noise = self.degrader.draw(whole, generators(derive_seeds(seeds, 0)))
        lr = self.degrader(whole, noise)[..., : height // self.scale, : width // self.scale]
        return Degraded(quantize(lr, levels), {})

    def of_clips(self, hr: Tensor, seeds: Tensor, levels: Tensor) -> Degraded:
        """With noise of its own for each frame."""
        frames = hr.shape[1]
        own = torch.stack([derive_seeds(seeds, frame) for frame in range(frames)], 1).flatten()
        lr, drawn = self(hr.flatten(0, 1), own, levels.repeat_interleave(frames))
        return Degraded(torch.unflatten(lr, 0, hr.shape[:2]), drawn)

    def train(self, mode: bool = True) -> "Learned":
        """Stay in evaluation mode."""
        return super().train(False)


def export_degrader(degrader: Degrader, composition: Mapping[str, Any], folder: Path) -> None:
    """Write a degrader's weights, and the resolved node that builds it, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in degrader.state_dict().items()}
    safetensors.torch.save_file(weights, folder / WEIGHTS)
    OmegaConf.save(OmegaConf.create({"srlab": srlab.__version__, FOLDER: dict(composition)}), folder / CONFIG)


def load_degrader(path: Path) -> Degrader:
    """The degrader that a run learned, ready to use.

    Args:
        path: of the run, or of the degrader's own folder.

    Raises:
        InputError: there is none, or it names what is not srlab's.
    """
    folder = next(
        (one for one in (path, path / FOLDER) if (one / WEIGHTS).is_file() and (one / CONFIG).is_file()), None
    )
    node = OmegaConf.load(folder / CONFIG) if folder else OmegaConf.create()
    if folder is None or not isinstance(node, DictConfig) or FOLDER not in node:
        raise InputError(f"{path} holds no learned degradation: give the folder of a run of paradigm=degradation_gan.")
    composition = OmegaConf.to_container(node[FOLDER])
    assert isinstance(composition, dict)
    refuse_strangers(composition, folder / CONFIG, ())
    degrader: Degrader = build(node[FOLDER])
    load_weights(degrader, folder / WEIGHTS)
    return degrader
