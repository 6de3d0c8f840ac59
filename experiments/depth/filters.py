"""Score filters without training, each alone and with five back-projections, on folders of depth maps.

python experiments/depth/filters.py results.csv <folder of lu and middlebury> 4 8 16
"""

import sys
from collections.abc import Callable
from pathlib import Path

import hydra
from torch.utils.data import DataLoader

from srlab.build import build
from srlab.config import register
from srlab.data.evaluation import LabelledImages
from srlab.data.rgbd import rgbd_folder
from srlab.data.source import Part, Source
from srlab.evaluation.results import Result, print_means, results_of, write_results
from srlab.evaluation.scoring import score_images
from srlab.inference.enlarge import enlarge

FILTERS = ("guided_filter", "joint_bilateral", "joint_bilateral_upsampling", "global_smoother", "guided_diffusion")


def main(path: str, root: str, *scales: str) -> None:
    """Write a row for every image, filter and scale."""
    sets: dict[str, Callable[[], Source]] = {
        "lu": lambda: rgbd_folder(f"{root}/lu"),
        "middlebury": lambda: Part(rgbd_folder(f"{root}/middlebury"), range(0, 30, 5)),  # as data=rgbd holds them out
    }
    register()
    rows: list[Result] = []
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        for scale in map(int, scales):
            for name, count in [("bicubic", None), *((name, count) for name in FILTERS for count in (0, 5))]:
                options = [] if count is None else [f"framework.back_projections={count}"]
                options += [f"network={name}", "channels=1", f"scale={scale}", "protocol=depth_levels", "run_dir=."]
                cfg = hydra.compose("test", options)
                network, protocol = build(cfg.framework).eval(), build(cfg.protocol)
                for source in sets.values():
                    scored = score_images(
                        lambda lr, guide, network=network: enlarge(network, lr, guide=guide),
                        DataLoader(LabelledImages([source()]), batch_size=None),
                        network,
                        protocol,
                        {},
                    )
                    label = name if not count else f"{name} + back-projection"
                    rows += results_of([score for one in scored for score in one.scores], protocol, label, scale)
                write_results(Path(path), rows)
    print_means(rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
