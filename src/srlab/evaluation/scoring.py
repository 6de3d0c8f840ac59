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
from srlab.evaluation.video_scoring import Stream, framewise, recorded, score_clip
from srlab.networks.interpolation import Interpolation
from srlab.networks.network import Network
from srlab.types import LabelledClip, LabelledImage

RESULTS = "results.csv"


def score_images(
    enlarge: Callable[..., Tensor],
    images: Iterable[LabelledImage | LabelledClip],
    network: Network,
    protocol: Protocol,
    metrics: Mapping[str, Metric],
    images_folder: str | Path | None = None,
    stream: Stream | None = None,
) -> list[Scored]:
    """Score each image or clip.

    A baseline that interpolates does it as the protocol has it: the published bicubic rows are made so.

    Args:
        enlarge: LR (1, C, H, W) -> SR in [0, 1], as a user of the network gets it.
        images: whole images with their ground truth.
        network: for its scale and channels.
        protocol: how LR is made and SR is scored.
        metrics: further metrics, by name.
        images_folder: where SR images are written, as `images/<dataset>/<name>.png`, or `.tif` what PNG cannot
            hold (float, many bands); None for nowhere. Frames go to `images/<dataset>/<clip>/<frame>.png`.
        stream: clips by their frames -> SR, as `enlarge` whole images; None: `enlarge`, frame by frame.
    """

    def keep(image: LabelledImage, sr: Tensor) -> None:
        if images_folder is not None:
            suffix = "png" if image.levels and len(sr) <= 4 else "tif"
            path = Path(images_folder) / "images" / image.dataset / f"{image.name}.{suffix}"
            write_image(path, to_pixels(sr, image.levels))

    scored: list[Scored] = []
    for image in images:
        method, stream_of = enlarge, stream or framewise(enlarge)
        if isinstance(network, Interpolation):
            levels = image.frames[0].levels if isinstance(image, LabelledClip) else image.levels
            method = protocol.interpolation(network.interpolation, network.scale, levels) or enlarge
            stream_of = framewise(method)
        facts = protocol, network.scale, network.channels, metrics
        if isinstance(image, LabelledClip):
            made = stream_of if image.made is None else recorded(image.made)
            scored.append(score_clip(made, image, *facts, keep))
        else:
            scored.append(score_image(method, image, *facts))
            keep(image, scored[-1].sr[0])
    return scored


def write_and_print(folder: str | Path, results: Sequence[Result]) -> None:
    """Write `results.csv` into a run folder, and print the means."""
    write_results(Path(folder) / RESULTS, results)
    print_means(results)
