"""Draw the tested rows in three bands, and the spectra of two pixels, as EXP, CNMF and a trained network have them.

python experiments/hyperspectral/figure.py <jasperRidge2_R198.mat> <run> <figure.png>
"""

import argparse

import matplotlib.pyplot as plt
import torch

import srlab
from srlab.data.cube_scene import Scene
from srlab.degradation.mtf import MTF
from srlab.networks.cubes.expansion import expand
from srlab.networks.cubes.pansharpening import Observation
from srlab.networks.cubes.unmixing import cnmf

SCALE, ROWS, BANDS = 4, slice(64, 96), (165, 99, 33)
PIXELS = ((8, 60), (20, 40))


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser()
    for name in ("scene", "run", "figure"):
        parser.add_argument(name)
    options = parser.parse_args()
    scene = Scene(options.scene, SCALE, "Y", (100, 100), 5000, 96, guide_bands=[[0, 52]])
    assert scene.other is not None
    truth, guide = (torch.from_numpy(one[ROWS]).permute(2, 0, 1) for one in (scene.cube, scene.other))
    lr = MTF(SCALE).reduce(truth[None].double())
    with torch.no_grad():
        learned = srlab.load(options.run)(lr.float(), guide[None].float()).sr[0]
    made = {
        "EXP": expand(lr, SCALE)[0],
        "CNMF": cnmf(Observation(lr[0], guide, MTF(SCALE))),
        "MHF-net": learned,
        "truth": truth,
    }
    figure = plt.figure(figsize=(10, 6))
    grid = figure.add_gridspec(3, 4)
    for column, (name, cube) in enumerate(made.items()):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(cube[list(BANDS)].permute(1, 2, 0).clamp(0, 1).sqrt(), interpolation="nearest")
        axes.plot(*zip(*((x, y) for y, x in PIXELS), strict=True), "r+")
        axes.set_title(name)
        axes.axis("off")
    for place, (row, column) in enumerate(PIXELS):
        axes = figure.add_subplot(grid[1:, 2 * place : 2 * place + 2])
        for (name, cube), style in zip(made.items(), (":", "--", "-", "-"), strict=True):
            axes.plot(cube[:, row, column], style, color="black" if name == "truth" else None, label=name, lw=1)
        axes.set_title(f"pixel {row}, {column}")
        axes.set_xlabel("band")
        axes.legend()
    figure.tight_layout()
    figure.savefig(options.figure, dpi=90)


if __name__ == "__main__":
    main()
