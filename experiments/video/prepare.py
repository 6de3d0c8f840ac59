"""Make training clips out of photographs: a window that glides, turns and zooms over each, rendered without aliasing.

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

CLIPS, FRAMES, SIDE = 160, 9, 192
SHRINK = 1.25
"""Photograph pixels per clip pixel: their blur and compression go."""


def clip_of(photograph: Tensor, draw: random.Random) -> Tensor:
    """A clip (FRAMES, 3, SIDE, SIDE) in [0, 1] of a photograph (1, 3, H, W).

    Speed is up to 6 pixels a frame along each axis, half a degree, and half a percent of zoom, all constant over the clip.
    """
    height, width = photograph.shape[-2:]
    speed = [draw.uniform(-6, 6) for _ in range(2)]
    turn, zoom = math.radians(draw.uniform(-0.5, 0.5)), draw.uniform(-0.005, 0.005)
    steps = (torch.arange(2 * SIDE) + 0.5) / 2 - SIDE / 2
    down, right = torch.meshgrid(steps, steps, indexing="ij")
    reach = SHRINK * SIDE / 2
    middle = [draw.uniform(min(reach, side / 2), max(side - reach, side / 2)) for side in (height, width)]
    frames = []
    for frame in range(FRAMES):
        time = frame - (FRAMES - 1) / 2
        factor, angle = SHRINK * (1 + zoom * time), turn * time
        y = middle[0] + factor * (math.cos(angle) * down + math.sin(angle) * right + speed[0] * time)
        x = middle[1] + factor * (math.cos(angle) * right - math.sin(angle) * down + speed[1] * time)
        places = torch.stack([2 * x / width - 1, 2 * y / height - 1], -1)[None]
        seen = F.grid_sample(photograph, places, mode="bicubic", padding_mode="reflection", align_corners=False)
        frames.append(F.avg_pool2d(seen, 2)[0])
    return torch.stack(frames).clamp(0, 1)


def main(photographs: list[str], folder: Path) -> None:
    draw = random.Random(0)
    files = sorted(file for place in photographs for file in Path(place).glob("*.[jp][pn]g"))
    large = [file for file in files if min(Image.open(file).size) >= SHRINK * SIDE]
    for place in range(CLIPS):
        file = draw.choice(large)
        pixels = np.asarray(Image.open(file).convert("RGB"), dtype=np.float32) / 255
        clip = clip_of(torch.from_numpy(pixels).permute(2, 0, 1)[None], draw)
        into = folder / f"glide_{place:03d}"
        into.mkdir(parents=True, exist_ok=True)
        for frame, image in enumerate(clip):
            codes = (255 * image).round().byte().permute(1, 2, 0).numpy()
            Image.fromarray(codes).save(into / f"{frame:03d}.png")
    print(f"{CLIPS} clips of {FRAMES} frames of {len(large)} photographs in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:-1], Path(sys.argv[-1]))
