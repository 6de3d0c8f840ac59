"""Score whole test sets, and keep what came of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from torch import Tensor

from srlab.data.pixels import to_pixels
from srlab.data.writing import write_image
from srlab.evaluation.evaluate import Scored, score_image
from srlab.evaluation.metrics import Metric
from srlab.evaluation.protocol import Protocol
from srlab.evaluation.results import Result, print_means, write_results
from srlab.networks.interpolation import Interpolation
from srlab.networks.network import Network
from srlab.types import LabelledImage

RESULTS = "results.csv"


def score_images(
    enlarge: Callable[..., Tensor],
    images: Iterable[LabelledImage],
    network: Network,
    protocol: Protocol,
    metrics: Mapping[str, Metric],
    images_folder: str | Path | None = None,
) -> list[Scored]:
    """Score each image.

    A baseline that interpolates does it as the protocol has it: the published bicubic rows are made so.

    Args:
        enlarge: LR (1, C, H, W) -> SR in [0, 1], as a user of the network gets it.
        images: whole images with their ground truth.
        network: for its scale and channels.
        protocol: how LR is made and SR is scored.
        metrics: further metrics, by name.
        images_folder: where SR images are written, as `images/<dataset>/<name>.png`, or `.tif` what PNG cannot
            hold (float, many bands); None for nowhere.
    """
    scored = []
    for image in images:
        method = enlarge
        if isinstance(network, Interpolation):
            method = protocol.interpolation(network.interpolation, network.scale, image.levels) or enlarge
        scored.append(score_image(method, image, protocol, network.scale, network.channels, metrics))
        if images_folder is not None:
            sr = scored[-1].sr[0]
            suffix = "png" if image.levels and len(sr) <= 4 else "tif"
            write_image(
                Path(images_folder) / "images" / image.dataset / f"{image.name}.{suffix}", to_pixels(sr, image.levels)
            )
    return scored


def write_and_print(folder: str | Path, results: Sequence[Result]) -> None:
    """Write `results.csv` into a run folder, and print the means."""
    write_results(Path(folder) / RESULTS, results)
    print_means(results)
