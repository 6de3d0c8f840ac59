"""How strong is each upsampler's checkerboard, at the start and after a short training?

A network that is given a constant image should return one. What an upsampler puts on it with the period of its factor is
its checkerboard: the detail sub-bands of the Haar transform hold exactly that at x2, and nothing else.
"""

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.data.dead_leaves import dead_leaves
from srlab.degradation.resize import resize
from srlab.evaluation.strips import Panel, stack, strip
from srlab.networks.backbones.edsr import EDSR
from srlab.networks.frameworks import PostUpsampling
from srlab.networks.upsamplers import Interpolated, SubPixel, Transposed
from srlab.networks.wavelets import WaveletAnalysis

HERE = Path(__file__).parent
SEEDS, ITERATIONS, BATCH, PATCH = (0, 1, 2), 300, 8, 48  # HR pixels
LEVELS = torch.linspace(0.1, 0.9, 5).view(5, 1, 1, 1)  # of the constant images
UPSAMPLERS: dict[str, Callable[..., nn.Module]] = {
    "transposed 3x3": partial(Transposed, kernel_size=3),
    "transposed 4x4": partial(Transposed, kernel_size=4),
    "transposed, bilinear": partial(Transposed, kernel_size=4, bilinear=True),
    "sub-pixel": SubPixel,
    "sub-pixel, ICNR": partial(SubPixel, icnr=True),
    "nearest, convolution": Interpolated,
}


def response(network: nn.Module) -> Tensor:
    """What a network makes of constant images, away from the borders: (5, 3, 16, 16)."""
    with torch.no_grad():
        sr: Tensor = network(LEVELS.expand(5, 3, 32, 32)).sr
    return sr[..., 24:40, 24:40]


def checkerboard(network: nn.Module) -> float:
    """Root mean square of the pattern, in grey levels of 255."""
    bands = WaveletAnalysis(3)(response(network)).reshape(5, 3, 4, 8, 8)[:, :, 1:]
    return float(255 * (bands.square().sum(2) / 4).mean().sqrt())


def train(network: nn.Module, images: Tensor, seed: int) -> None:
    """L1 on random crops of images (N, 3, H, W), LR by bicubic."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(ITERATIONS):
        places = torch.randint(0, images.shape[-1] - PATCH, (BATCH, 2), generator=generator).tolist()
        chosen = torch.randint(0, len(images), (BATCH,), generator=generator).tolist()
        hr = torch.stack(
            [
                images[index, :, top : top + PATCH, left : left + PATCH]
                for index, (top, left) in zip(chosen, places, strict=True)
            ]
        )
        loss = F.l1_loss(network(resize(hr, scale=0.5)).sr, hr)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()


def main() -> None:
    """Write results.csv and checkerboard.png beside this file."""
    images = torch.stack([torch.from_numpy(dead_leaves(0, index, 128)) for index in range(40)]).movedim(-1, 1) / 255
    rows, strips = [], []
    for name, upsampler in UPSAMPLERS.items():
        values: dict[str, list[float]] = {"start": [], "trained": []}
        panels = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            network = PostUpsampling(EDSR(3, 32, 4), upsampler, 3, 2)
            for stage in values:
                if stage == "trained":
                    train(network, images, seed)
                values[stage].append(checkerboard(network))
                if seed == SEEDS[0]:
                    pattern = response(network)[2]
                    shown = 0.5 + (4 if stage == "start" else 16) * (pattern - pattern.mean((1, 2), keepdim=True))
                    panels.append(Panel(f"{name}, {stage}: {values[stage][0]:.2f}", shown))
        rows += [
            {"upsampler": name, "stage": stage, "seed": seed, "checkerboard_grey_levels": f"{value:.4f}"}
            for stage, measured in values.items()
            for seed, value in zip(SEEDS, measured, strict=True)
        ]
        strips.append(strip(panels, zoom=14))
        print(f"| {name} | {fmean(values['start']):.3f} | {fmean(values['trained']):.3f} |", flush=True)
    with (HERE / "results.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    stack(strips).save(HERE / "checkerboard.png")


if __name__ == "__main__":
    main()
