"""Crops per second of the training data, in one process, on one thread.

    python benchmarks/loader.py [--seconds 3] [--images 50]

The crops are those of EDSR x2: LR 48, HR 96 with the margin of bicubic LR. Noise stands for photographs of DIV2K's size
(2040 x 1356), decoded in RAM, in a memory-mapped file, from PNG at each use, and in shards; the last line is dead leaves'
drawing. Shards lie in the page cache: a disk or a net that is slower than memory adds its own time.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from srlab.data.audit import Needs
from srlab.data.cache import CacheLimits, prepare
from srlab.data.crops import Crops
from srlab.data.images import write_image
from srlab.data.shard_files import Form
from srlab.data.sharding import write_shards
from srlab.data.shards import CODECS, Shards
from srlab.data.sources import DeadLeaves, Folder
from srlab.degradation.downscale import Downscale

SCALE, PATCH = 2, 48
NEEDS = Needs(SCALE, 3, PATCH, "for the benchmark")


def per_second(crops: Crops, seconds: float) -> float:
    """Crops cut in a second of processor time, with all that makes a sample of them."""
    for position in range(20):
        crops[position]
    start, done = time.process_time(), 20
    while time.process_time() - start < seconds:
        crops[done]
        done += 1
    return (done - 20) / (time.process_time() - start)


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--images", type=int, default=50)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    margin = Downscale(SCALE).margin
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        for i in range(arguments.images):
            smooth = rng.integers(0, 256, (170, 255, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
            write_image(Path(folder, "images", f"{i}.png"), smooth + rng.integers(0, 8, smooth.shape, dtype=np.uint8))
        source = Folder(str(Path(folder, "images")))
        for name, ram, disk in (("RAM", 8.0, 0.0), ("memory-mapped", 0.0, 8.0), ("decoded each time", 0.0, 0.0)):
            ready = prepare(source, NEEDS, CacheLimits(ram, disk, Path(folder, "cache")), "stop", "train")
            rate = per_second(Crops(ready, 0, SCALE, 3, PATCH, margin), arguments.seconds)
            print(f"{name:18s} {rate:9.0f} crops a CPU-second")
        for codec in CODECS:
            shards, start = Path(folder, codec), time.process_time()
            write_shards(source, shards, Form(codec=codec))
            megabytes = sum(header.bytes for header in map(source.header, range(len(source)))) / 1e6
            written = megabytes / (time.process_time() - start)
            rate = per_second(Crops(Shards(str(shards)), 0, SCALE, 3, PATCH, margin), arguments.seconds)
            size = sum(path.stat().st_size for path in shards.rglob("*.bin")) / 1e6
            print(
                f"{'shards, ' + codec:18s} {rate:9.0f} crops a CPU-second; {size / megabytes:.2f} of the decoded bytes, "
                f"written and compared at {written:.0f} MB a CPU-second"
            )
    leaves, start = DeadLeaves(0, 1000), time.process_time()
    for i in range(20):
        leaves.image(i)
    rate = 20 / (time.process_time() - start)
    print(f"{'dead leaves':18s} {rate:9.1f} images of 256 x 256 a CPU-second, {rate * 256**2 / 1e6:.2f} million pixels")


if __name__ == "__main__":
    main()
