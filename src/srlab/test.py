"""`srlab-test`: score a network on whole images under a named protocol, into `results.csv`."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from srlab.cli import command

if TYPE_CHECKING:
    from torch import Tensor

    from srlab.build import Training
    from srlab.evaluation.metrics import Metric
    from srlab.evaluation.protocol import Protocol
    from srlab.networks.network import Network
    from srlab.types import LabelledImage

RESULTS = "results.csv"


def test(cfg: DictConfig) -> None:
    """Score the network that the configuration names on the data's test images."""
    import torch

    from srlab import build, run
    from srlab.inference.enlarge import enlarge
    from srlab.machine import pick_device

    cfg = run.prepare(cfg)
    device = pick_device(cfg.device)
    network = build.network(cfg).to(device, memory_format=torch.channels_last)
    data = build.build(cfg.data)
    data.check_network(network)
    data.setup("test")
    score(
        network,
        lambda lr: enlarge(network, lr.to(device, memory_format=torch.channels_last)),
        data.test_dataloader(),
        build.build(cfg.protocol),
        {name: build.build(metric) for name, metric in cfg.metrics.items()},
        cfg,
    )


def test_trained(training: "Training", cfg: DictConfig) -> None:
    """Score a training's network, with the weights that its validation judged, on the data's test images."""
    if not training.trainer.is_global_zero:
        return
    settings = training.paradigm.settings
    training.data.setup("test")
    score(
        training.paradigm.evaluated,
        training.paradigm.super_resolve,
        training.data.test_dataloader(),
        settings.protocol,
        settings.metrics,
        cfg,
    )


def score(
    network: "Network",
    enlarge: "Callable[[Tensor], Tensor]",
    images: "Iterable[LabelledImage]",
    protocol: "Protocol",
    metrics: "Mapping[str, Metric]",
    cfg: DictConfig,
) -> None:
    """Score every image, write `results.csv` into the run folder, and print the means.

    Args:
        network: what is scored, for its facts.
        enlarge: LR (1, C, H, W) -> SR in [0, 1], as a user of the network gets it.
        images: whole images with their ground truth.
        protocol: how LR is made and SR is scored.
        metrics: further metrics, by name.
        cfg: for the run folder, and what the rows say of the network.
    """
    from srlab.data.images import write_image
    from srlab.evaluation.evaluate import score_image
    from srlab.evaluation.results import print_means, write_results

    folder = Path(cfg.run_dir)
    scores = []
    for image in images:
        scored = score_image(enlarge, image, protocol, network.scale, network.channels, metrics)
        scores.extend(scored.scores)
        if cfg.get("save_images"):
            write_image(folder / "images" / image.dataset / f"{image.name}.png", scored.sr)
    results = write_results(folder / RESULTS, scores, protocol, cfg.network_name, network.scale, cfg.weights)
    print_means(results)


def main() -> None:
    """Run the console command."""
    command("test", test)


if __name__ == "__main__":
    main()
