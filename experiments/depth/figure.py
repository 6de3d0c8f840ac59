"""Draw a part of a scene of Lu as colours, what methods make of its LR map at x4, and where they are wrong.

python experiments/depth/figure.py figure.png <folder of lu, middlebury and weights> <run of depth_x4, or nothing>
"""

import sys

import hydra
import torch
from torch import Tensor

import srlab
from srlab.build import build
from srlab.config import register
from srlab.data.evaluation import LabelledImages
from srlab.data.rgbd import rgbd_folder
from srlab.evaluation.color_map import colour_map
from srlab.evaluation.strips import Panel, stack, strip
from srlab.inference.enlarge import enlarge
from srlab.networks.network import Network
from srlab.networks.weights import load_weights
from srlab.types import LabelledImage

SCENE, ROWS, COLUMNS = 3, slice(120, 312), slice(200, 392)
ERROR = 20 / 255
"""Levels that the brightest colour of an error stands for."""


def network(*options: str) -> Network:
    cfg = hydra.compose("test", [*options, "channels=1", "scale=4", "run_dir=."])
    made: Network = build(cfg.framework).eval()
    return made


def main(path: str, root: str, *run: str) -> None:
    """Two rows: the maps, and their errors."""
    whole = LabelledImages([rgbd_folder(f"{root}/lu")])[SCENE]
    assert whole.guide is not None
    image = LabelledImage("lu", whole.name, whole.hr[:, ROWS, COLUMNS], None, 255, whole.guide[:, ROWS, COLUMNS])
    register()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        protocols = [build(hydra.compose("test", [f"protocol={name}", "run_dir=."]).protocol) for name in PROTOCOLS]
        published = network("network=dctnet", "framework.range_from=given")
        load_weights(published, f"{root}/weights/DCTNet_4X.pth")
        methods = {
            "smoother + b.p.": (network("network=global_smoother"), protocols[0]),
            "diffusion + b.p.": (network("network=guided_diffusion"), protocols[0]),
            **({"FDKN, trained": (srlab.load(run[0]), protocols[0])} if run else {}),
            "DCTNet, published": (published, protocols[1]),
        }
    case = protocols[0].prepare(image, 4, 1)
    assert case.guide is not None
    low, high = float(case.hr.min()), float(case.hr.max())
    made: dict[str, Tensor] = {"bicubic": protocols[0].baseline(case)}
    for name, (net, protocol) in methods.items():
        own = protocol.prepare(image, 4, 1)
        sr = enlarge(net, own.lr, guide=own.guide).double()
        given = protocol.range_from == "hr"
        made[name] = low + sr * (high - low) if given else sr
    truth = [Panel("photograph", case.guide[0]), Panel("truth", colour_map(case.hr[0], low, high))]
    maps = [Panel(f"{name} {rmse(sr, case.hr):.2f}", colour_map(sr[0], low, high)) for name, sr in made.items()]
    lr = Panel("LR", colour_map(case.lr[0], low, high))
    blank = Panel(f"errors, up to {ERROR * 255:.0f} levels", torch.ones(3, *case.hr.shape[2:]))
    errors = [Panel("", colour_map((sr - case.hr)[0].abs(), 0, ERROR)) for sr in made.values()]
    stack([strip([*truth, *maps]), strip([lr, blank, *errors])]).save(path)


PROTOCOLS = ("depth_levels", "depth_levels_hr")


def rmse(sr: Tensor, hr: Tensor) -> float:
    return 255 * float((sr.clamp(0, 1) - hr).square().mean().sqrt())


if __name__ == "__main__":
    main(*sys.argv[1:])
