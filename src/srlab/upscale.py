"""`srlab-upscale`: enlarge an image, or a folder of images."""

import inspect
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from srlab.cli import command
from srlab.errors import InputError

if TYPE_CHECKING:
    import torch

    from srlab.networks.network import Network

PRECISIONS = ("auto", "32", "bf16")

log = logging.getLogger(__name__)


def upscale(cfg: DictConfig) -> None:
    """Enlarge every image of the input; none is overwritten."""
    import torch

    from srlab import build, run
    from srlab.data.images import find_images
    from srlab.machine import gains_from_bfloat16, pick_device

    if cfg.precision not in PRECISIONS:
        raise InputError(f"precision={cfg.precision}: choose one of {', '.join(PRECISIONS)}.")
    cfg = run.prepare(cfg)
    device = build.refusing(pick_device, cfg.device)
    network = build.network(cfg).to(device).to(memory_format=torch.channels_last)
    in_bfloat16 = gains_from_bfloat16(device) if cfg.precision == "auto" else cfg.precision == "bf16"
    source = Path(cfg.input).expanduser()
    images = find_images(source)
    check_images(images, network.channels)
    check_factor(network, cfg.factor)
    if not cfg.weights:
        log.warning(
            "No weights: this is %s interpolation. Give weights=<run or export folder, or file>.", cfg.network_name
        )
    targets = output_paths(images, source, Path(cfg.output or cfg.run_dir).expanduser(), cfg.factor or network.scale)
    for image, target in zip(images, targets, strict=True):
        with torch.autocast(device.type, torch.bfloat16, enabled=in_bfloat16):
            enlarge_file(network, image, target, device, cfg.factor)
        log.info("%s -> %s", image, target)


def output_paths(images: list[Path], source: Path, output: Path, scale: float) -> list[Path]:
    """Where each image's enlargement goes: `<output>/<path below the input>_x<scale><extension>`.

    Raises:
        InputError: a file stands there already.
    """
    root = source if source.is_dir() else source.parent
    targets = [output / image.relative_to(root).with_name(f"{image.stem}_x{scale}{image.suffix}") for image in images]
    taken = [str(target) for target in targets if target.exists()]
    if taken:
        raise InputError(f"{', '.join(taken[:5])} exist already, and nothing is overwritten: give another output=.")
    return targets


def check_images(images: list[Path], channels: int) -> None:
    """Refuse images that cannot be read, or not by the network (`InputError`): all at once, before any is enlarged."""
    from srlab.data.images import read_header
    from srlab.data.pixels import channels_fit

    faults = []
    for image in images:
        try:
            header = read_header(image).without_alpha()
        except InputError as error:
            faults.append(str(error))
            continue
        if not channels_fit(header.channels, channels):
            faults.append(f"{image} has {header.channels} channels, and the network takes {channels}.")
    if faults:
        listing = "\n".join(f"  {fault}" for fault in faults)
        raise InputError(f"These cannot be enlarged:\n{listing}\nMend them, leave them out, or take another network.")


def check_factor(network: "Network", factor: float | None) -> None:
    """Refuse another factor than the network's own (`InputError`), where its call takes none."""
    from srlab.errors import InputError

    if factor is not None and "scale" not in inspect.signature(network.forward).parameters:
        raise InputError(
            f"factor={factor}: this network enlarges {network.scale} times and no other: leave factor at null, or take "
            f"a network of many scales, such as meta_edsr."
        )


def enlarge_file(
    network: "Network", source: Path, target: Path, device: "torch.device", factor: float | None = None
) -> None:
    """Enlarge one file into another of the same kind and depth."""
    from srlab.data.images import levels_of, read_header, read_image, to_pixels, to_tensor, write_image
    from srlab.inference.enlarge import enlarge, enlarge_with_alpha

    pixels, alpha = read_image(source), read_header(source).alpha
    method = enlarge_with_alpha if alpha else enlarge
    sr = method(network, to_tensor(pixels)[None].to(device), factor)[0]
    write_image(target, to_pixels(sr, levels_of(pixels)), alpha)


def main() -> None:
    """Run the console command."""
    command("upscale", upscale)


if __name__ == "__main__":
    main()
