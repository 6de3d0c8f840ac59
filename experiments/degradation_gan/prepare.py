"""Make two sets without pairs, and a test set with them, from one folder of photographs.

Of the sorted photographs, the first 40 become HR; the next 40 real LR, by a known blur, x1/2, noise, and JPEG where asked
for; the next 10 the test: HR, and LR made alike. Usage:

    python experiments/degradation_gan/prepare.py <BSDS200> <kernels_12.mat> <folder to write> [--noise 12] [--jpeg 0]
"""

import argparse
from pathlib import Path

import torch

from srlab.data.images import find_images, levels_of, read_image, to_pixels, to_tensor, write_image
from srlab.data.stream import key
from srlab.degradation.base import Chain, Degradation
from srlab.degradation.blur import KernelBlur
from srlab.degradation.jpeg import Jpeg
from srlab.degradation.noise import GaussianNoise
from srlab.degradation.quantization import Quantize

SETS = {"HR": slice(0, 40), "LR": slice(40, 80), "test": slice(80, 90)}
SCALE, KERNEL = 2, 2


def degradation(kernels: str, noise: float, jpeg: int) -> Degradation:
    """The camera: kernels_12[2] (round, sigma 1.6 HR pixels), every second pixel, noise of `noise` / 255, JPEG."""
    steps: list[Degradation] = [KernelBlur(SCALE, kernels, indices=[KERNEL])]
    steps += [GaussianNoise(noise / 255)] if noise else []
    steps += [Jpeg(jpeg)] if jpeg else []
    return Chain([*steps, Quantize()])


def main() -> None:
    """Write the three sets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("photographs")
    parser.add_argument("kernels")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--noise", type=float, default=12.0)
    parser.add_argument("--jpeg", type=int, default=0)
    options = parser.parse_args()
    camera = degradation(options.kernels, options.noise, options.jpeg)
    paths = find_images(options.photographs)
    for name, places in SETS.items():
        for number, path in enumerate(paths[places]):
            pixels = read_image(path, keep_alpha=False)
            height, width = (side // SCALE * SCALE for side in pixels.shape[:2])
            hr = to_tensor(pixels[:height, :width])[None]
            seeds = torch.tensor([key(0, name, number)])
            lr = camera(hr, seeds, torch.tensor([levels_of(pixels)])).lr[0]
            if name != "LR":
                write_image(options.folder / name / f"{path.stem}.png", to_pixels(hr[0], 255))
            if name != "HR":
                folder = "test_LR" if name == "test" else name
                write_image(options.folder / folder / f"{path.stem}.png", to_pixels(lr, 255))


if __name__ == "__main__":
    main()
