"""Make training clips out of photographs: a camera that pans, turns and zooms over a scene with depth, without aliasing.

    python experiments/video/prepare.py PHOTOS [PHOTOS ...] CLIPS

Beside a real clip, whose motion is of one kind, they show a network many textures under known kinds of sub-pixel motion.
"""

import math
import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

CLIPS, FRAMES, SIDE = 240, 15, 160
SHRINK = 1.5
"""Photograph pixels per clip pixel: their blur and compression go."""
SPEED, RELIEF = 2.5, 0.4
"""Clip pixels a frame along an axis, at most; how much faster than that, or slower, what is near or far goes."""
LOOKED_AT = 4
"""Places of a photograph, of which the one with most detail is taken."""


def clip_of(photograph: Tensor, draw: random.Random) -> Tensor:
    """A clip (FRAMES, 3, SIDE, SIDE) in [0, 1] of a photograph (1, 3, H, W).

    Its speed grows or falls along the clip; it turns by up to 0.4 degrees and zooms by up to 0.4 % a frame.
    """
    height, width = photograph.shape[-2:]
    speed = [draw.uniform(-SPEED, SPEED) for _ in range(2)]
    gain = [draw.uniform(-SPEED, SPEED) / FRAMES for _ in range(2)]
    turn, zoom = math.radians(draw.uniform(-0.4, 0.4)), draw.uniform(-0.004, 0.004)
    depth = torch.randn(1, 1, 6, 6, generator=torch.Generator().manual_seed(draw.getrandbits(32)))
    steps = (torch.arange(2 * SIDE) + 0.5) / 2 - SIDE / 2
    down, right = torch.meshgrid(steps, steps, indexing="ij")
    middle = busiest(photograph, draw)
    frames = []
    for frame in range(FRAMES):
        time = frame - (FRAMES - 1) / 2
        factor, angle = SHRINK * (1 + zoom * time), turn * time
        way = [SHRINK * (v * time + a * time**2 / 2) for v, a in zip(speed, gain, strict=True)]
        y = middle[0] + factor * (math.cos(angle) * down + math.sin(angle) * right)
        x = middle[1] + factor * (math.cos(angle) * right - math.sin(angle) * down)
        seen_depth = read(depth, (y + way[0]) / height, (x + way[1]) / width, "bicubic")[0, 0].clamp(-1, 1)
        near = 1 + RELIEF * seen_depth
        seen = read(photograph, (y + near * way[0]) / height, (x + near * way[1]) / width, "bicubic")
        frames.append(F.avg_pool2d(seen, 2)[0])
    return torch.stack(frames).clamp(0, 1)


def read(image: Tensor, down: Tensor, right: Tensor, mode: str) -> Tensor:
    """An image (1, C, H, W) at places, from 0 to 1 along either axis, (h, w): (1, C, h, w)."""
    places = torch.stack([2 * right - 1, 2 * down - 1], -1)[None]
    return F.grid_sample(image, places, mode=mode, padding_mode="reflection", align_corners=False)


def busiest(photograph: Tensor, draw: random.Random) -> tuple[float, float]:
    """Of a few places for the middle of a clip, that with most detail around it."""
    reach = SHRINK * SIDE / 2
    places = [tuple(draw.uniform(reach, side - reach) for side in photograph.shape[-2:]) for _ in range(LOOKED_AT)]

    def detail(place: tuple[float, ...]) -> float:
        rows, columns = (slice(int(at - reach), int(at + reach)) for at in place)
        return float(photograph[..., rows, columns].diff(dim=-1).abs().mean())

    down, right = max(places, key=detail)
    return down, right


def main(photographs: list[str], folder: Path) -> None:
    draw = random.Random(0)
    files = sorted(file for place in photographs for file in Path(place).glob("*.[jp][pn]g"))
    large = [file for file in files if min(Image.open(file).size) >= SHRINK * SIDE]
    for place in range(CLIPS):
        file = draw.choice(large)
        pixels = np.asarray(Image.open(file).convert("RGB"), dtype=np.float32) / 255
        clip = clip_of(torch.from_numpy(pixels).permute(2, 0, 1)[None], draw)
        into = folder / f"pan_{place:03d}"
        into.mkdir(parents=True, exist_ok=True)
        for frame, image in enumerate(clip):
            codes = (255 * image).round().byte().permute(1, 2, 0).numpy()
            Image.fromarray(codes).save(into / f"{frame:03d}.png")
    print(f"{CLIPS} clips of {FRAMES} frames of {len(large)} photographs in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:-1], Path(sys.argv[-1]))
