"""`srlab-export`: write a trained network as files: srlab's own, ONNX, or the published layout of its design."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from srlab.cli import command
from srlab.errors import InputError

if TYPE_CHECKING:
    from srlab.inference.exported import Trained

FORMATS = ("srlab", "onnx", "published")

log = logging.getLogger(__name__)


def export(cfg: DictConfig) -> None:
    """Write the network of `weights`, or one between two, into a folder of its own."""
    from srlab import build, run

    if cfg.format not in FORMATS:
        raise InputError(f"format={cfg.format}: choose one of {', '.join(FORMATS)}.")
    cfg = run.prepare(cfg)
    trained = build.trained(cfg, use=cfg.use)
    if cfg.interpolate_with:
        from srlab.inference.interpolation import interpolate

        other = build.trained(cfg, cfg.interpolate_with, cfg.use)
        own = trained.network.state_dict()
        mixed = build.refusing(interpolate, own, other.network.state_dict(), cfg.alpha)
        trained.network.load_state_dict(mixed)
    write(trained, cfg.format, Path(cfg.output).expanduser() if cfg.output else Path(cfg.run_dir) / "export")


def write(trained: "Trained", form: str, folder: Path) -> None:
    """Write in one of the formats; nothing is written over.

    Raises:
        InputError: the folder holds such a file already, or the network cannot be written so.
    """
    from srlab.inference import exported
    from srlab.inference.exchange import write_onnx, write_published

    file = folder / {"onnx": "model.onnx"}.get(form, exported.WEIGHTS)
    if file.exists():
        raise InputError(f"{file} exists already, and nothing is overwritten: give another output=.")
    if form == "srlab":
        exported.export(trained.network, trained.composition, folder, trained.facts)
        log.info('%s: srlab.load("%s") is the network.', file, folder)
    elif form == "onnx":
        difference = write_onnx(trained.network, file)
        log.info(
            "%s: lr (B, C, H, W) -> sr, any size; onnxruntime's images are the network's to %.1e.", file, difference
        )
    else:
        difference = write_published(trained.network, file)
        log.info("%s: spandrel reads it, and its images are the network's to %.1e.", file, difference)


def main() -> None:
    """Run the console command."""
    command("export", export)


if __name__ == "__main__":
    main()
