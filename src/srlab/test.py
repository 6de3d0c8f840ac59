"""`srlab-test`: score a network on whole images under a named protocol, into `results.csv`."""

from statistics import fmean

from omegaconf import DictConfig, open_dict

from srlab.cli import command
from srlab.sweeps.jobs import Objective
from srlab.together import Together, together


def test(cfg: DictConfig) -> Objective:
    """Score the network that the configuration names on the data's test images; return the mean of all images."""
    with together() as processes:
        return test_together(cfg, processes)


def test_together(cfg: DictConfig, processes: Together) -> Objective:
    """Score this process's share of the images; the first process writes what comes of all."""
    import torch

    from srlab import build, run
    from srlab.evaluation.metrics import higher_is_better
    from srlab.evaluation.results import all_scores, results_of
    from srlab.evaluation.scoring import score_images, write_and_print
    from srlab.inference.enlarge import enlarge, enlarge_clip
    from srlab.machine import pick_device
    from srlab.provenance import lr_of, warn_of_another

    cfg = run.prepare(cfg)
    device = build.refusing(pick_device, cfg.device)
    trained = build.trained(cfg)
    network = trained.network.to(device).to(memory_format=torch.channels_last)
    with open_dict(cfg):  # an exported network brings its own
        cfg.scale, cfg.channels = network.scale, network.channels
        cfg.network_name = build.exported_name(cfg) or cfg.network_name
    protocol = build.build(cfg.protocol)
    metrics = {name: build.build(metric) for name, metric in cfg.metrics.items()}
    data = build.build(cfg.data)
    data.check_network(network)
    data.setup("test")
    warn_of_another(trained.facts, lr_of(data.test_sources(), protocol), protocol)
    scores = score_images(
        lambda lr, guide=None: enlarge(
            network,
            lr.to(device, memory_format=torch.channels_last),
            guide=None if guide is None else guide.to(device),
        ),
        data.test_dataloader(processes),
        network,
        protocol,
        metrics,
        images_folder=cfg.run_dir if cfg.save_images else None,
        stream=lambda read, length: enlarge_clip(network, lambda *part: read(*part).to(device), length),
    )
    rows = all_scores(protocol, processes.merged([(scored.scores, scored.traits) for scored in scores]))
    if processes.rank == 0:
        write_and_print(cfg.run_dir, results_of(rows, protocol, cfg.network_name, network.scale, cfg.weights))
    metric = protocol.metric_names[0]
    mean = fmean(score.value for score in rows if score.metric == metric)
    return Objective(f"test/{metric}", mean, higher_is_better(metric))


def main() -> None:
    """Run the console command."""
    command("test", test)


if __name__ == "__main__":
    main()
