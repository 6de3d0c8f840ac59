"""Dead leaves: images made of occluding shapes whose radii follow a power law (Lee, Mumford, Huang, IJCV 2001).

With p(r) proportional to r^-3 the images are scale invariant, as photographs are: edges at every size, junctions, and
the 1/f^2 power spectrum. Restoration networks that train on them do well on photographs (Achddou et al. 2021).
An image is a pure function of (seed, index).

What is drawn, and why:
- Most leaves are discs, some ellipses, polygons and thin strokes: photographs have straight edges and thin lines.
- Colours follow the statistics of natural scenes in the space l-alpha-beta (Ruderman, Cronin, Chiao, JOSA A 1998):
  log luminance is broad, the two colour-opponent axes are narrow, and the three are independent. No image of anybody
  is used: only the published spreads.
- Leaves carry shading (a gradient), gratings, and 1/f noise, each with a random strength, because photographs are
  not flat between their edges.
- A part of the images has a far layer that is out of focus, as a lens has; edges are drawn at twice the size and
  averaged, since no camera makes aliased edges.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import fft
from scipy.ndimage import gaussian_filter

from srlab.data.stream import key

VERSION = 1
"""Raised whenever the same (seed, index) gives other pixels, so that no cache serves the old ones."""

Floats = NDArray[np.float32]

_OVERSAMPLING = 2

# Rows: linear R, G, B from the cone responses L, M, S, for display primaries (Reinhard et al. 2001, inverse of eq. 4).
_LMS_FROM_RGB = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
_RGB_FROM_LMS = np.linalg.inv(_LMS_FROM_RGB)
# log10 L, M, S from l, alpha, beta: the orthonormal axes of Ruderman et al.
_LMS_FROM_LAB = np.array([[1, 1, 1], [1, 1, -1], [1, -2, 0]]) / np.sqrt([3.0, 6.0, 2.0])
# Spread of l, alpha, beta in log10 units. Ruderman et al. measured .353, .0732, .0117 in scenes of foliage; towns,
# people and things are more colourful, so the opponent axes are wider here.
_SPREAD = np.array([0.353, 0.11, 0.016])


def dead_leaves(seed: int, index: int, size: int = 256) -> NDArray[np.uint8]:
    """Draw image `index` of the endless set `seed`: (size, size, 3) uint8, sRGB."""
    rng = np.random.default_rng(key(seed, "dead leaves", index))
    side = size * _OVERSAMPLING
    scene = _colour_leaves(rng, _paint(rng, side, coverage=4.0, smallest=_smallest(rng)), side)
    if rng.random() < 0.25:  # a far layer out of focus, and leaves near by in focus before it
        far_blur = _OVERSAMPLING * rng.uniform(0.5, 4)
        scene = gaussian_filter(scene, (far_blur, far_blur, 0), truncate=3)
        near = _paint(rng, side, coverage=rng.uniform(0.3, 1.2), smallest=_smallest(rng))
        scene = np.where((near.labels > 0)[..., None], _colour_leaves(rng, near, side), scene)
    lens_blur = _OVERSAMPLING * rng.uniform(0, 0.6)
    scene = gaussian_filter(scene, (lens_blur, lens_blur, 0), truncate=3)
    scene = scene.reshape(size, _OVERSAMPLING, size, _OVERSAMPLING, 3).mean(axis=(1, 3))
    noise = rng.normal(0, rng.exponential(0.004), scene.shape)
    codes = np.clip(255 * (_display(scene) + noise) + 0.5, 0, 255)
    return np.asarray(codes, dtype=np.uint8)


def _smallest(rng: np.random.Generator) -> float:
    """Smallest radius of a layer, in oversampled pixels: between fine gravel and bare walls."""
    return float(_OVERSAMPLING * np.exp(rng.uniform(0, math.log(12))))


class _Leaves:
    """A painted layer: which leaf is seen at each pixel, and where the leaves are."""

    def __init__(self, labels: NDArray[np.int32], centres: Floats, radii: Floats) -> None:
        self.labels = labels  # (side, side), 0: no leaf
        self.centres = centres  # (n + 1, 2) x, y
        self.radii = radii  # (n + 1,)


def _paint(rng: np.random.Generator, side: int, coverage: float, smallest: float) -> _Leaves:
    """Drop leaves until their summed area is `coverage` times the image's; later leaves hide earlier ones."""
    largest = side / 3
    # Under p(r) ~ r^-3 on [s, l], a leaf's mean area is 2 pi ln(l / s) / (1 / s^2 - 1 / l^2).
    inverse_squares = np.array([smallest, largest]) ** -2.0
    mean_area = 2 * math.pi * math.log(largest / smallest) / (inverse_squares[0] - inverse_squares[1])
    count = max(1, int(coverage * side**2 / mean_area))
    radii = (inverse_squares[0] - rng.random(count) * (inverse_squares[0] - inverse_squares[1])) ** -0.5
    centres = rng.uniform(-largest / 2, side + largest / 2, (count, 2))
    kinds = rng.choice(4, count, p=[0.6, 0.1, 0.22, 0.08])
    angles, aspects = rng.uniform(0, 2 * math.pi, count), rng.uniform(0.25, 1, count)
    corners = rng.integers(3, 7, count)
    canvas = Image.new("I", (side, side), 0)
    draw = ImageDraw.Draw(canvas)
    for i, (kind, (x, y), r, angle, aspect, n) in enumerate(
        zip(
            kinds.tolist(),
            centres.tolist(),
            radii.tolist(),
            angles.tolist(),
            aspects.tolist(),
            corners.tolist(),
            strict=True,
        ),
        start=1,
    ):
        if kind == 0:
            draw.ellipse((x - r, y - r, x + r, y + r), fill=i)
        elif kind == 1:
            draw.polygon(_ellipse(x, y, r, r * aspect, angle, 16), fill=i)
        elif kind == 2:
            draw.polygon(_ellipse(x, y, r, r * aspect, angle, n), fill=i)
        else:
            dx, dy = 3 * r * math.cos(angle), 3 * r * math.sin(angle)
            draw.line((x - dx, y - dy, x + dx, y + dy), fill=i, width=max(1, int(r * aspect / 2)))
    outside = np.zeros((1, 2))
    return _Leaves(
        np.asarray(canvas, dtype=np.int32),
        np.concatenate([outside, centres]).astype(np.float32),
        np.concatenate([[largest], radii]).astype(np.float32),
    )


def _ellipse(x: float, y: float, a: float, b: float, angle: float, corners: int) -> list[tuple[float, float]]:
    """A polygon inscribed in the ellipse of half-axes a, b, turned by `angle`."""
    cos, sin = math.cos(angle), math.sin(angle)
    turns = [2 * math.pi * (k + 0.5) / corners for k in range(corners)]
    around = [(a * math.cos(t), b * math.sin(t)) for t in turns]
    return [(x + u * cos - v * sin, y + u * sin + v * cos) for u, v in around]


def _colour_leaves(rng: np.random.Generator, leaves: _Leaves, side: int) -> Floats:
    """(side, side, 3) linear RGB: every leaf's colour times its shading and texture."""
    labels, count = leaves.labels, len(leaves.radii)
    colours = _natural_colours(rng, count)
    # Texture: a change of log10 luminance over the leaf, in three kinds of random strength.
    shading = rng.normal(0, 0.08, (count, 2)) / leaves.radii[:, None]
    period = _OVERSAMPLING * np.exp(rng.uniform(math.log(2.5), math.log(40), count))
    turn = rng.uniform(0, math.pi, count)
    wave = (2 * math.pi / period)[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    wave_strength = rng.exponential(0.05, count) * (rng.random(count) < 0.25)
    noise_strength = rng.exponential(0.05, count)
    offset = rng.integers(0, side**2, count, dtype=np.int32)  # each leaf shows its own part of one noise field

    # One gather of a table of all that a leaf has, since every gather of (side, side) pixels costs a cache miss each.
    table = np.concatenate([leaves.centres, shading, wave, wave_strength[:, None], noise_strength[:, None]], axis=1)
    cx, cy, sx, sy, wx, wy, waves, noises = np.moveaxis(table.astype(np.float32)[labels], -1, 0)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    dx, dy = x - cx, y - cy
    texture = dx * sx + dy * sy
    texture += waves * np.sin(dx * wx + dy * wy)
    field = _coloured_noise(rng, side, slope=rng.uniform(0.6, 1.6))
    texture += (
        noises * field.ravel()[(np.arange(side**2, dtype=np.int32).reshape(side, side) + offset[labels]) % side**2]
    )
    texture += 0.15 * _coloured_noise(rng, side, slope=2.5)  # uneven light
    gain = np.exp(math.log(10) * np.clip(texture, -1, 1))
    return np.asarray(colours[labels] * gain[..., None], dtype=np.float32)


def _natural_colours(rng: np.random.Generator, count: int) -> Floats:
    """(count, 3) linear RGB. A scene has a mean, and its own contrast and colourfulness about it."""
    mean = rng.normal([math.sqrt(3) * math.log10(0.18), 0, 0], [0.25, 0.06, 0.008])
    spread = _SPREAD * np.exp(rng.normal(0, 0.35, 3))
    lab = rng.normal(mean, spread, (count, 3))
    return np.asarray(10 ** (lab @ _LMS_FROM_LAB.T) @ _RGB_FROM_LMS.T, dtype=np.float32)


def _coloured_noise(rng: np.random.Generator, side: int, slope: float) -> Floats:
    """(side, side) periodic noise of zero mean, unit variance, and amplitude spectrum 1 / f^slope."""
    squared = (fft.fftfreq(side)[:, None] ** 2 + fft.rfftfreq(side)[None] ** 2).astype(np.float32)
    squared[0, 0] = np.inf  # so that the mean becomes 0
    spectrum = fft.rfft2(rng.standard_normal((side, side), dtype=np.float32)) * squared ** np.float32(-slope / 2)
    field = fft.irfft2(spectrum, s=(side, side))
    return np.asarray(field / field.std(), dtype=np.float32)


def _display(linear: Floats) -> Floats:
    """Linear light -> sRGB in [0, 1] (IEC 61966-2-1), the highlights rolled off as cameras do."""
    linear = np.clip(linear, 0, None)
    linear = np.where(linear > 0.7, 1 - 0.3 * np.exp(-(linear - 0.7) / 0.3), linear)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
