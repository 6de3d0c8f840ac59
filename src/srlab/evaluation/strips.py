"""Comparison strips: LR, bicubic, SR and HR side by side, each with its name and score."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from srlab.degradation.resize import resize
from srlab.evaluation.evaluate import Scored
from srlab.evaluation.video_scoring import ScoredClip

GAP_PIXELS = 4
CAPTION_PIXELS = 18
ROWS_PIXELS = 128
"""Height of a temporal profile."""


class Panel(NamedTuple):
    """One picture of a strip.

    Attributes:
        caption: what stands above it.
        image: (1 or 3, H, W) in [0, 1].
    """

    caption: str
    image: Tensor


def most_detailed_crop(hr: Tensor, size: int, multiple: int) -> tuple[slice, slice]:
    """Rows and columns of the window whose gradients are strongest: where methods differ.

    Args:
        hr: (C, H, W).
        size: of the window's sides; a smaller image is taken whole.
        multiple: the window's edges lie on multiples of it, so that the LR image can be cut alike.
    """
    height, width = (min(size, side) // multiple * multiple for side in hr.shape[-2:])
    grey = hr.mean(0)
    energy = F.pad(grey.diff(dim=0).abs(), (0, 0, 0, 1)) + F.pad(grey.diff(dim=1).abs(), (0, 1, 0, 0))
    sums = F.avg_pool2d(energy[None, None], (height, width), stride=multiple)[0, 0]
    row, column = (int(index) * multiple for index in np.unravel_index(int(sums.argmax()), sums.shape))
    return slice(row, row + height), slice(column, column + width)


def comparison(scored: Scored, size: int = 192) -> Image.Image:
    """LR, baseline, SR and HR of a scored image, at its most detailed window of `size` HR pixels, each with its score.

    Of a clip it is the frame in its middle, and below it temporal profiles of the same columns.
    """
    scale = scored.case.scale
    lr, baseline, sr, hr = (
        scored.protocol.shown(image) for image in (scored.lr, scored.baseline, scored.sr, scored.hr)
    )
    rows, columns = most_detailed_crop(hr, size, scale)
    lr_rows, lr_columns = (slice(part.start // scale, part.stop // scale) for part in (rows, columns))
    unit = scored.scores[0].unit
    panels = [Panel("LR", lr[:, lr_rows, lr_columns])]
    for name, image, value in (("bicubic", baseline, scored.baseline_headline), ("SR", sr, scored.headline)):
        panels.append(Panel(f"{name} {value:.2f} {unit}".rstrip(), image[:, rows, columns]))
    panels.append(Panel("HR", hr[:, rows, columns]))
    return stack([strip(panels), profiles(scored, columns)]) if isinstance(scored, ScoredClip) else strip(panels)


def profiles(scored: ScoredClip, columns: slice) -> Image.Image:
    """Temporal profiles of a clip: time goes down, each frame's row some pixels high; what flickers has ragged edges."""
    panels = []
    for name, picture in scored.profiles.items():
        tall = picture.repeat_interleave(max(1, ROWS_PIXELS // picture.shape[1]), 1)
        panels.append(Panel(f"{name}, a row in time", tall[:, :, columns]))
    return strip(panels)


def without_truth(lr: Tensor, sr: Tensor, size: int = 192) -> Image.Image:
    """LR, bicubic and SR (1, C, H, W) of an image without HR, at the most detailed window of SR."""
    scale = sr.shape[-1] // lr.shape[-1]
    rows, columns = most_detailed_crop(sr[0], size, scale)
    lr_rows, lr_columns = (slice(part.start // scale, part.stop // scale) for part in (rows, columns))
    enlarged = resize(lr, scale=scale)
    images = {
        "LR": lr[0, :, lr_rows, lr_columns],
        "bicubic": enlarged[0, :, rows, columns],
        "SR": sr[0, :, rows, columns],
    }
    return strip([Panel(caption, image) for caption, image in images.items()])


def strip(panels: list[Panel], zoom: int = 1) -> Image.Image:
    """Draw panels side by side, all at the height of the tallest; smaller ones are enlarged by repeating pixels."""
    height = max(panel.image.shape[-2] for panel in panels) * zoom
    pictures = [_picture(panel.image, height) for panel in panels]
    width = sum(picture.width for picture in pictures) + GAP_PIXELS * (len(pictures) - 1)
    canvas = Image.new("RGB", (width, height + CAPTION_PIXELS), "white")
    draw, font, left = ImageDraw.Draw(canvas), ImageFont.load_default(size=12), 0
    for panel, picture in zip(panels, pictures, strict=True):
        draw.text((left + 2, 2), panel.caption, fill="black", font=font)
        canvas.paste(picture, (left, CAPTION_PIXELS))
        left += picture.width + GAP_PIXELS
    return canvas


def stack(strips: list[Image.Image]) -> Image.Image:
    """Strips below each other."""
    width = max(image.width for image in strips)
    height = sum(image.height for image in strips) + GAP_PIXELS * (len(strips) - 1)
    canvas, top = Image.new("RGB", (width, height), "white"), 0
    for image in strips:
        canvas.paste(image, (0, top))
        top += image.height + GAP_PIXELS
    return canvas


def _picture(image: Tensor, height: int) -> Image.Image:
    shown = image.detach().float().cpu().clamp(0, 1)
    if shown.shape[0] not in (1, 3):
        shown = shown[[0, shown.shape[0] // 2, -1]]  # first, middle and last band as colours
    codes = (shown.expand(3, -1, -1) * 255).round().to(torch.uint8).movedim(0, -1).numpy()
    picture = Image.fromarray(codes)
    return picture.resize((round(picture.width * height / picture.height), height), Image.Resampling.NEAREST)
