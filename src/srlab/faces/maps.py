"""What is drawn of a face's landmarks: heatmaps, their five components, and parsing maps.

Landmarks are (B, 68, 2), x and y in HR pixels from the centre of the top left one; maps may be smaller than HR, each of
their pixels `stride` HR pixels wide. A face with an unknown landmark (nan) has no map: all zeros (see `known`).
"""

import torch
from torch import Tensor

from srlab.faces import layout

PARSED = (
    "background",
    "skin",
    "left brow",
    "right brow",
    "left eye",
    "right eye",
    "nose",
    "upper lip",
    "mouth",
    "lower lip",
)
"""The channels of parsing maps: Helen's eleven classes (Smith et al., CVPR 2013) but for hair, which no landmark marks."""

BROW = 0.12
"""Half the thickness of a brow, of its length."""


def known(landmarks: Tensor) -> Tensor:
    """Which faces have all their landmarks: (B, 68, 2) -> (B,) bool."""
    return landmarks.isfinite().flatten(1).all(1)


def heatmaps(landmarks: Tensor, size: int, sigma: float, stride: float = 1) -> Tensor:
    """A Gaussian of height 1 around each landmark: (B, 68, 2) -> (B, 68, size, size).

    Args:
        landmarks: in HR pixels.
        size: the maps' height and width.
        sigma: in pixels of the map (DIC: 1 on maps a quarter as wide as HR).
        stride: HR pixels per map pixel.
    """
    if size < 1 or sigma <= 0 or stride <= 0:
        raise ValueError(f"size={size}, sigma={sigma}, stride={stride}: expected numbers above 0.")
    places = on_map(landmarks, stride)
    axis = torch.arange(size, dtype=places.dtype, device=places.device)
    columns, rows = (torch.exp(-((places[..., i, None] - axis) ** 2) / (2 * sigma**2)) for i in (0, 1))
    maps = rows[..., :, None] * columns[..., None, :]
    return torch.where(known(landmarks)[:, None, None, None], maps, 0)


def components(heatmaps: Tensor) -> Tensor:
    """Of 68 heatmaps the five of a face's parts (DIC, section 3.3): (B, 68, h, w) -> (B, 5, h, w), see `COMPONENTS`.

    Each map is scaled to a peak of 1 before those of a part are added, as the authors' code does; one that is nearly
    empty (a peak below 0.05) is scaled by no more than 20.
    """
    if heatmaps.shape[1] != layout.POINTS:
        raise ValueError(f"expected {layout.POINTS} heatmaps, got {heatmaps.shape[1]}: give one for each landmark.")
    scaled = heatmaps / heatmaps.amax((2, 3), keepdim=True).clamp(min=0.05)
    return torch.stack([scaled[:, list(points)].sum(1) for points in layout.COMPONENTS.values()], dim=1)


def parsing_maps(landmarks: Tensor, size: int, stride: float = 1) -> Tensor:
    """Which part of the face each pixel shows, drawn from landmarks: (B, 68, 2) -> (B, 10, size, size), one-hot.

    A stand-in for the labels of a parsing network: the forehead, which no landmark bounds, counts as background.

    Args:
        landmarks: in HR pixels.
        size: the maps' height and width.
        stride: HR pixels per map pixel.

    Returns:
        The channels of `PARSED`, their sum 1; all zero for a face that is not known.
    """
    if size < 1 or stride <= 0:
        raise ValueError(f"size={size}, stride={stride}: expected numbers above 0.")
    there = known(landmarks)
    places = torch.where(there[:, None, None], on_map(landmarks, stride), 0)
    axis = torch.arange(size, dtype=places.dtype, device=places.device)
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
    face = (*layout.JAW, *layout.RIGHT_BROW[::-1], *layout.LEFT_BROW[::-1])
    nose = (layout.BRIDGE[0], *layout.NOSE_BASE)
    drawn = {
        "skin": inside(places[:, list(face)], pixels),
        "left brow": stroke(places[:, list(layout.LEFT_BROW)], pixels),
        "right brow": stroke(places[:, list(layout.RIGHT_BROW)], pixels),
        "left eye": inside(places[:, list(layout.LEFT_EYE)], pixels),
        "right eye": inside(places[:, list(layout.RIGHT_EYE)], pixels),
        "nose": inside(places[:, list(nose)], pixels),
        "upper lip": inside(places[:, list(layout.UPPER_LIP)], pixels),
        "lower lip": inside(places[:, list(layout.LOWER_LIP)], pixels),
        "mouth": inside(places[:, list(layout.OPENING)], pixels),
    }
    label = torch.zeros(len(landmarks), size, size, dtype=torch.int64, device=landmarks.device)
    for name, where in drawn.items():  # what is drawn later lies on top
        label = torch.where(where, PARSED.index(name), label)
    maps = torch.nn.functional.one_hot(label, len(PARSED)).movedim(-1, 1).to(places.dtype)
    return maps * there[:, None, None, None]


def on_map(landmarks: Tensor, stride: float) -> Tensor:
    """Landmarks in pixels of a map whose pixels are `stride` HR pixels wide; both count from centres."""
    return (landmarks + 0.5) / stride - 0.5


def inside(polygon: Tensor, pixels: Tensor) -> Tensor:
    """Which pixels lie in a polygon by the even-odd rule: (B, N, 2), (h, w, 2) -> (B, h, w) bool."""
    start, end = polygon[:, :, None, None], polygon.roll(-1, 1)[:, :, None, None]
    x, y = pixels[..., 0], pixels[..., 1]
    spans = (start[..., 1] > y) != (end[..., 1] > y)
    slope = (end[..., 0] - start[..., 0]) / torch.where(spans, end[..., 1] - start[..., 1], 1)
    crossed = spans & (x < start[..., 0] + (y - start[..., 1]) * slope)
    return crossed.sum(1) % 2 == 1


def stroke(line: Tensor, pixels: Tensor) -> Tensor:
    """Which pixels lie near an open line, at most `BROW` of its length away: (B, N, 2), (h, w, 2) -> (B, h, w) bool."""
    start, end = line[:, :-1, None, None], line[:, 1:, None, None]
    along = end - start
    share = ((pixels - start) * along).sum(-1) / along.square().sum(-1).clamp(min=1e-6)
    nearest = start + share.clamp(0, 1)[..., None] * along
    distance = (pixels - nearest).square().sum(-1).amin(1).sqrt()
    length = (line[:, 1:] - line[:, :-1]).square().sum(-1).sqrt().sum(1)
    return distance <= BROW * length[:, None, None]
