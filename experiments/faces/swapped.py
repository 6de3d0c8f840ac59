"""What a network does with the maps that it estimates: how near landmarks they are, and SR with other maps in their place.

python experiments/faces/swapped.py <folder of the faces> <run>...

SR is made anew with the maps set to zero, and with those of the next face. A network that uses what it says of a face
loses PSNR by both.
"""

import sys
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from torch import Tensor, nn

import srlab
from srlab.data.faces import Faces
from srlab.data.pixels import to_tensor
from srlab.degradation.downscale import downscale
from srlab.evaluation.faces import landmark_error
from srlab.faces.maps import known
from srlab.networks.faces.dic import DIC
from srlab.networks.faces.fsrnet import FSRNet

TESTED, SCALE, BATCH = 200, 8, 25

Swap = Callable[[Tensor], Tensor]
SWAPS: dict[str, Swap] = {
    "its own": lambda maps: maps,
    "no face": torch.zeros_like,
    "the next face's": lambda maps: maps.roll(1, 0),
}


def swapped(network: nn.Module, swap: Swap) -> Any:
    """A hook that replaces the estimates that the network goes on with."""
    if isinstance(network, FSRNet) and network.prior is not None:
        return network.prior.register_forward_hook(
            lambda _, __, maps: {name: swap(estimate) for name, estimate in maps.items()}
        )
    if isinstance(network, DIC):
        return network.landmarks.register_forward_hook(lambda _, __, told: (swap(told[0]), told[1]))
    raise TypeError(f"{type(network).__name__} estimates nothing of a face: name a run of network=fsrnet or dic.")


def peaks(heatmaps: Tensor, side: int) -> Tensor:
    """The places of the maps' largest values in HR pixels: (B, 68, h, w) -> (B, 68, 2)."""
    width = heatmaps.shape[-1]
    place = heatmaps.flatten(2).argmax(2)
    return (torch.stack((place % width, place // width), dim=-1) + 0.5) * side / width - 0.5


def psnr(sr: Tensor, hr: Tensor) -> list[float]:
    """Of luma, face by face: (B, 3, H, W) in [0, 1]."""
    luma = torch.tensor([65.481, 128.553, 24.966], dtype=torch.float64)[:, None, None]
    ours, truth = (((image.double() * 255).round() / 255 * luma).sum(1) for image in (sr.clamp(0, 1), hr))
    return [float(10 * (255**2 / error).log10()) for error in (ours - truth).square().mean((1, 2))]


@torch.no_grad()
def main(root: str, *runs: str) -> None:
    """Print, of each run, the error of its estimates, and what it loses without them."""
    faces = Faces(f"{root}/fsrnet/data/celeba_val_1000_HR", f"{root}/celeba_val_1000_dlib68.npz")
    assert faces.landmarks is not None
    landmarks = torch.from_numpy(faces.landmarks)
    marks, others = landmarks[:TESTED], landmarks[TESTED:]
    there = known(marks)
    average = others[known(others)].mean(0).expand_as(marks)
    print(f"the average face: landmarks {off(average[there], marks[there]):.1f} % off")
    hr = torch.stack([to_tensor(faces.image(index)) for index in range(TESTED)])
    lr = torch.cat([downscale(one[None].double(), SCALE, 255, rounding="result").float() for one in hr])
    for run in runs:
        network = srlab.load(run).eval()
        made: dict[str, list[float]] = {}
        for name, swap in SWAPS.items():
            hook = swapped(network, swap)
            predictions = [network(lr[first : first + BATCH]) for first in range(0, TESTED, BATCH)]
            hook.remove()
            made[name] = psnr(torch.cat([prediction.sr for prediction in predictions]), hr)
            if name == "its own":
                maps = [list((prediction.priors or {}).items()) for prediction in predictions]
                found = peaks(
                    torch.cat([[one for key, one in each if "heatmaps" in key][-1] for each in maps]), hr.shape[-1]
                )
                where = off(found[there], marks[there])
        print(f"{Path(run).name}: PSNR {fmean(made['its own']):.3f} dB, the peaks of its heatmaps {where:.1f} % off")
        for name in list(SWAPS)[1:]:
            changes = [value - own for value, own in zip(made[name], made["its own"], strict=True)]
            print(f"  with the maps of {name}: {fmean(changes):+.3f} +- {stdev(changes) / sqrt(len(changes)):.3f} dB")


def off(points: Tensor, marks: Tensor) -> float:
    """The mean landmark error of faces: (B, 68, 2) against (B, 68, 2)."""
    return fmean(landmark_error(one, truth, truth) for one, truth in zip(points, marks, strict=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
