"""`srlab-upscale`: enlarge images of any size (a file, a folder, a pattern), and clips (folders of frames, video files)."""

import inspect
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from srlab.cli import command
from srlab.errors import InputError

if TYPE_CHECKING:
    import torch
    from rich.progress import Progress

    from srlab.data.clips import Clip
    from srlab.inference.clips import ClipJob, ClipUpscaler
    from srlab.inference.upscaling import Job, Summary, Upscaler
    from srlab.networks.network import Network

PRECISIONS = ("auto", "32", "bf16")
SUMMARY = "upscaled.csv"

log = logging.getLogger(__name__)


def upscale(cfg: DictConfig) -> None:
    """Enlarge every image or clip of the input; none is overwritten, and one that fails stops no other.

    Raises:
        InputError: before any work, for what cannot work at all; at the end, for the images that failed.
    """
    from srlab import build, run
    from srlab.inference.inputs import clips_of, guides_of, headers, image_target, images_of, to_do
    from srlab.inference.upscaling import Job, Summary, check_guide
    from srlab.machine import gains_from_bfloat16

    if cfg.precision not in PRECISIONS:
        raise InputError(f"precision={cfg.precision}: choose one of {', '.join(PRECISIONS)}.")
    cfg = run.prepare(cfg)
    found = devices(cfg.device)
    network = build.network(cfg)
    check_factor(network, cfg.factor)
    check_guide(network, cfg.guide)
    if not cfg.weights:
        log.warning(
            "No weights: this is %s interpolation. Give weights=<run or export folder, or file>.", cfg.network_name
        )
    bfloat16 = gains_from_bfloat16(found[0]) if cfg.precision == "auto" else cfg.precision == "bf16"
    output = Path(cfg.output or cfg.run_dir).expanduser()
    if clips := clips_of(cfg.input, output, network):
        report(cfg, upscale_clips(cfg, clips, network, found, bfloat16, output))
        return
    upscaler = upscaler_of(cfg, network, found, bfloat16)
    sources, root = images_of(cfg.input, output)
    scale = cfg.factor or network.scale
    targets = to_do({source: image_target(source, root, output, scale) for source in sources}, cfg.resume)
    known, faults = headers(list(targets))
    guides = guides_of(list(targets), root, cfg.guide) if cfg.guide else {}
    jobs = [Job(source, targets[source], header, guides.get(source)) for source, header in known.items()]
    failed = [Summary(str(source), str(targets[source]), error=fault) for source, fault in faults.items()]
    report(cfg, [*enlarged(upscaler, jobs), *failed])


def upscaler_of(cfg: DictConfig, network: "Network", found: "list[torch.device]", bfloat16: bool) -> "Upscaler":
    """What enlarges images, as the options say."""
    from srlab.inference.upscaling import Upscaler, orientations

    return Upscaler(
        orientations(network, cfg.self_ensemble, cfg.factor),
        found,
        bfloat16,
        cfg.factor,
        cfg.tile,
        cfg.halo,
        cfg.batch,
        cfg.memory_gb,
        cfg.compile,
        cfg.workers or (len(found) if cfg.memory_gb else max(2, len(found))),
    )


def upscale_clips(
    cfg: DictConfig,
    clips: "list[Clip]",
    network: "Network",
    found: "list[torch.device]",
    bfloat16: bool,
    output: Path,
) -> list["Summary"]:
    """Enlarge clips; to a network of images, their frames are images.

    Raises:
        InputError: a target exists, or options are set that the network has no use for.
    """
    import torch

    from srlab.inference.clips import ClipJob, ClipUpscaler, target_of
    from srlab.inference.inputs import to_do
    from srlab.networks.video.network import VideoNetwork

    of_clips = isinstance(network, VideoNetwork)
    of_others = ("factor", "tile", "halo", "self_ensemble") if of_clips else ("frames",)
    if idle := [name for name in of_others if cfg[name]]:
        kind, other = ("clips", "images") if of_clips else ("images", "clips")
        raise InputError(f"{', '.join(idle)}: for networks of {other}, and this is one of {kind}: leave it out.")
    targets = to_do({clip: target_of(clip, output, cfg.factor or network.scale) for clip in clips}, cfg.resume)
    ready = (
        network.to(found[0]).to(memory_format=torch.channels_last).eval()
        if isinstance(network, VideoNetwork)
        else upscaler_of(cfg, network, found, bfloat16)
    )
    upscaler = ClipUpscaler(ready, found[0], bfloat16, cfg.frames, cfg.crf, cfg.memory_gb)
    return enlarged_clips(upscaler, [ClipJob(clip, target) for clip, target in targets.items()])


def enlarged_clips(upscaler: "ClipUpscaler", jobs: list["ClipJob"]) -> list["Summary"]:
    """Run all jobs under a bar of frames; a line for each clip that is done."""
    results: list[Summary] = []
    with progress() as bar:
        task = bar.add_task("enlarging", total=sum(frames_of(job) for job in jobs))
        for summary in upscaler.all(jobs, lambda: bar.advance(task)):
            results.append(summary)
            if not summary.error:
                log.info("%s -> %s: %.1f s", summary.source, summary.target, summary.seconds)
    return results


def frames_of(job: "ClipJob") -> int:
    """How many a clip has; none, where it cannot be read, which its enlargement will tell."""
    try:
        return len(job.clip)
    except InputError:
        return 0


def progress() -> "Progress":
    """A bar that tells the time left, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    return Progress(*columns, *times, console=console, disable=not console.is_terminal)


def enlarged(upscaler: "Upscaler", jobs: list["Job"]) -> list["Summary"]:
    """Run all jobs under a bar that tells the time left; a line for each image that is done."""
    results: list[Summary] = []
    with progress() as images:
        pixels = images.add_task("enlarging", total=sum(job.header.height * job.header.width for job in jobs))
        for summary in upscaler.all(jobs, lambda count: images.advance(pixels, count)):
            results.append(summary)
            if not summary.error:
                log.info(
                    "%s -> %s: %d x %d, tiles of %d and %d around, %.1f s",
                    summary.source,
                    summary.target,
                    summary.width,
                    summary.height,
                    summary.tile,
                    summary.halo,
                    summary.seconds,
                )
    return results


def report(cfg: DictConfig, summaries: list["Summary"]) -> None:
    """Write a row for each image; raise `InputError` with all that failed."""
    import csv
    from dataclasses import asdict

    if not summaries:
        log.info("Nothing to do: every enlargement exists already.")
        return
    with (Path(cfg.run_dir) / SUMMARY).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(asdict(summaries[0])))
        writer.writeheader()
        writer.writerows(asdict(summary) for summary in summaries)
    failed = [summary for summary in summaries if summary.error]
    if failed:
        listing = "\n".join(
            f"  {one.error if one.source in one.error else f'{one.source}: {one.error}'}" for one in failed
        )
        raise InputError(
            f"{len(failed)} of {len(summaries)} images could not be enlarged:\n{listing}\nThe others are done. Mend these, "
            f"leave them out, or take another network; with resume=true what is done is passed over."
        )


def devices(wanted: str) -> list["torch.device"]:
    """The devices that a list with commas names; `auto` takes every GPU."""
    import torch

    from srlab import build
    from srlab.machine import pick_device

    found = [build.refusing(pick_device, name.strip()) for name in wanted.split(",")]
    if wanted == "auto" and found[0].type == "cuda":
        return [torch.device("cuda", place) for place in range(torch.cuda.device_count())]
    return found


def check_factor(network: "Network", factor: float | None) -> None:
    """Refuse another factor than the network's own (`InputError`), where its call takes none."""
    if factor is not None and "scale" not in inspect.signature(network.forward).parameters:
        raise InputError(
            f"factor={factor}: this network enlarges {network.scale} times and no other: leave factor at null, or take "
            f"a network of many scales, such as meta_edsr."
        )


def main() -> None:
    """Run the console command."""
    command("upscale", upscale)


if __name__ == "__main__":
    main()
