"""`srlab-train`: compose a network, a paradigm and data; train, export, test."""

from omegaconf import DictConfig

from srlab import signals
from srlab.cli import command
from srlab.sweeps.jobs import Objective


def train(cfg: DictConfig) -> Objective | None:
    """Train what the configuration composes; return the best validation score, for sweeps."""
    signals.hold_back()
    from srlab import build, resume, run  # heavy: after --help and completion
    from srlab.conclusion import conclude
    from srlab.inference.exported import export_run

    cfg = run.prepare(cfg)
    training = build.training(cfg)
    checkpoint = resume.last_checkpoint(cfg)
    with run.recorded(training.trainer, cfg, checkpoint):
        training.trainer.fit(training.paradigm, training.data, ckpt_path=checkpoint)
        training.paradigm.reassemble(lambda: build.build(cfg.paradigm.get("network", cfg.framework)))
        export_run(training.paradigm, cfg)
        conclude(training, cfg)
    return run.best_score(training.trainer)


def main() -> None:
    """Run the console command."""
    command("train", train)


if __name__ == "__main__":
    main()
