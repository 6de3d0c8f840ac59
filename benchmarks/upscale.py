"""Enlarging one image with EDSR baseline x2: the bare forward of the whole image against tiles, in float32 and bfloat16.

    python benchmarks/upscale.py [--weights run] [--height 640 --width 768] [--rounds 3] [--truth folder of HR images]

Each way is a process of its own, which measures the CPU seconds of one image on one thread, decoding and writing left out,
and its own peak memory; rounds take turns, and medians are printed. With `--truth`, PSNR-Y of whole images in float32 and of
tiles in bfloat16 under `protocol=classical_y`, for the given weights: what speed costs against the truth.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import srlab
from srlab.build import build
from srlab.data.pixels import to_pixels, to_tensor
from srlab.evaluation.evaluate import score_image
from srlab.inference.upscaling import Upscaler
from srlab.networks.network import Network
from srlab.types import LabelledImage, Pixels

WAYS = ("bare float32 whole", "tiles float32", "tiles bfloat16")


def network_of(weights: str | None) -> Network:
    if weights is not None:
        return srlab.load(weights)
    import hydra

    from srlab.config import register

    register()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        cfg = hydra.compose("upscale", ["network=edsr_baseline", "scale=2", "input=none", "run_dir=none"])
    network: Network = build(cfg.framework)
    return network.eval()


def picture(height: int, width: int) -> Pixels:
    """Smooth shapes and noise."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 3, height // 8, width // 8), dtype=np.float32))
    fine = torch.from_numpy(rng.random((1, 3, height, width), dtype=np.float32))
    large = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return to_pixels((0.8 * large + 0.2 * fine)[0], 255)


@torch.no_grad()
def bare(network: Network, pixels: Pixels) -> Pixels:
    sr: Tensor = network(to_tensor(pixels)[None]).sr
    return to_pixels(sr[0], 255)


def tiled(upscaler: Upscaler) -> Callable[[Pixels], Pixels]:
    def enlarged(pixels: Pixels) -> Pixels:
        return np.concatenate(list(upscaler.bands(pixels, False, [], lambda done: None)))

    return enlarged


def measure(way: str, network: Network, pixels: Pixels) -> None:
    """Print the CPU seconds and the peak memory of one image, the planning of its tiles included."""
    torch.set_num_threads(1)
    upscaler = Upscaler(network, [torch.device("cpu")], way == "tiles bfloat16", workers=1)
    run = tiled(upscaler) if way != WAYS[0] else lambda image: bare(network, image)
    bare(network, pixels[:16, :16])  # the libraries' own start
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    run(pixels)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "start": before / 1e6, "peak": peak / 1e6}))


def compare(options: argparse.Namespace) -> None:
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(options.rounds):
        for way in WAYS:
            given = [
                f"--{name}={getattr(options, name)}"
                for name in ("height", "width", "weights")
                if getattr(options, name)
            ]
            command = [sys.executable, __file__, "--way", way, *given]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[way].append(json.loads(output.splitlines()[-1]))
    megapixels = 4 * options.height * options.width / 1e6
    reference = statistics.median(megapixels / one["seconds"] for one in found[WAYS[0]])
    print(
        "| | megapixels a CPU-second | of the bare forward | peak memory, GB | of it for the image |\n|---|---|---|---|---|"
    )
    for way, rounds in found.items():
        speed = statistics.median(megapixels / one["seconds"] for one in rounds)
        peak, start = (statistics.median(one[name] for one in rounds) for name in ("peak", "start"))
        print(f"| {way} | {speed:.3f} | {speed / reference:.2f} | {peak:.2f} | {peak - start:.2f} |")


def fidelity(network: Network, folder: Path) -> None:
    """Print the mean PSNR-Y of both ways against the truth."""
    import hydra

    from srlab.config import register
    from srlab.data.images import find_images, read_image

    register()
    with hydra.initialize_config_module("srlab.conf", version_base="1.3"):
        protocol = build(hydra.compose("test", ["network=bicubic", "run_dir=none"]).protocol)
    upscaler = Upscaler(network, [torch.device("cpu")], True, tile=64, workers=1)
    fast = tiled(upscaler)
    ways: dict[str, Callable[[Tensor], Tensor]] = {
        "float32, whole": lambda lr: network(lr).sr,
        "bfloat16, tiles of 64": lambda lr: to_tensor(fast(to_pixels(lr[0], 255)))[None],
    }
    for name, way in ways.items():
        scores = []
        for path in find_images(folder):
            hr = to_tensor(read_image(path))
            hr = hr.expand(3, -1, -1) if len(hr) == 1 else hr
            image = LabelledImage("truth", path.stem, hr, None, 255)
            with torch.no_grad():
                scores.append(score_image(way, image, protocol, network.scale, network.channels, {}).headline)
        print(f"{name}: {statistics.fmean(scores):.4f} dB over {len(scores)} images of {folder.name}")
    print(f"margin of a tile: {upscaler.planner.halos} of {network.halo}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default=None)
    parser.add_argument("--height", type=int, default=640)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--truth", type=Path, default=None)
    parser.add_argument("--way", default=None, choices=WAYS)
    options = parser.parse_args()
    if options.way:
        measure(options.way, network_of(options.weights), picture(options.height, options.width))
    elif options.truth:
        fidelity(network_of(options.weights), options.truth)
    else:
        compare(options)


if __name__ == "__main__":
    main()
