"""PSNR and SSIM as the field's papers compute them, and which way each metric is better."""

import math
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from srlab.errors import InputError


class Facts(NamedTuple):
    """What a number means.

    Attributes:
        unit: as it stands in results; "" for a pure number.
        higher_is_better: which way the metric is better.
    """

    unit: str
    higher_is_better: bool


FACTS = {
    "psnr_y": Facts("dB", True),
    "ssim_y": Facts("", True),
    "psnr": Facts("dB", True),
    "ssim": Facts("", True),
    "lr_psnr": Facts("dB", True),  # of what SR becomes when it is degraded again, beside LR
    "rmse": Facts("", False),  # these four in the data set's own unit, which the protocol names
    "mad": Facts("", False),
    "edge_rmse": Facts("", False),
    "bad": Facts("%", False),
    "psnr_band": Facts("dB", True),  # the mean over bands, each by its own peak
    "ergas": Facts("%", False),
    "sam": Facts("deg", False),
    "q2n": Facts("", True),
    "uiqi": Facts("", True),
    "cc": Facts("", True),
    "scc": Facts("", True),
    "judged": Facts("%", True),  # these of faces, see `evaluation/faces.py`
    "nme": Facts("%", False),
    "failed": Facts("%", False),
    "detected": Facts("%", True),
    "mesh_nme": Facts("%", False),
    "identity": Facts("", True),
    "impostors": Facts("", False),
    "impostors_p95": Facts("", False),
    "verified": Facts("%", True),
    "rank1": Facts("%", True),
    "descriptor": Facts("", False),
    "descriptor_same": Facts("%", True),
    "hqnr": Facts("", True),  # these five without a truth
    "qnr": Facts("", True),
    "d_lambda_k": Facts("", False),
    "d_lambda": Facts("", False),
    "d_s": Facts("", False),
    "lpips": Facts("", False),
    "dists": Facts("", False),
    "tof": Facts("px", False),
    "ewarp": Facts("", False),
    "tlp": Facts("", False),
    "arniqa": Facts("", True),
    "blur_effect": Facts("", False),
}
"""The only place that says which way a metric is better: checkpoints, summaries, sweeps and rankings look here."""


def higher_is_better(metric: str) -> bool:
    """Which way a metric is better, by its name or the path that ends in it ("val/set5/psnr_y").

    Raises:
        InputError: the metric is not known.
    """
    name = metric.rsplit("/", 1)[-1]
    if name not in FACTS:
        raise InputError(f"Which way {name} is better is not known: choose one of {', '.join(FACTS)}.")
    return FACTS[name].higher_is_better


def best_first(value: float, higher: bool) -> tuple[bool, float]:
    """A key that sorts scores from the best to the worst, and what is no number last.

    Args:
        value: the score, or nan.
        higher: whether more is better: see `higher_is_better`.
    """
    unknown = math.isnan(value)
    return unknown, 0.0 if unknown else -value if higher else value


class Metric(ABC):
    """A metric beside the protocol's own, for one whole image.

    Attributes:
        facts: its unit and direction.
    """

    facts: Facts

    @abstractmethod
    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        """Score an image: (1, C, H, W) float in [0, 1], borders cropped and rounded as the protocol has it."""


def psnr(image: Tensor, reference: Tensor) -> float:
    """Peak signal-to-noise ratio of one image in dB: (1, C, H, W) with white at 1; infinite for equal images, and no
    number (nan) for one that holds none.

    The squared error is pooled over the image's pixels and channels, never over several images: the mean of a set is
    the mean of the images' values.
    """
    _check(image, reference, 1)
    error = float((image.double() - reference.double()).square().mean())
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(
    image: Tensor, reference: Tensor, window: int = 11, sigma: float = 1.5, k1: float = 0.01, k2: float = 0.03
) -> float:
    """Structural similarity of one image (Wang et al., 2004): (1, C, H, W) with white at 1; the mean of the channels.

    The Gaussian window moves only where it fits whole ("valid"), and variances are the biased ones, as in the authors'
    code. The window is separable, and its taps are added one after the other in float64.

    Args:
        image: what is judged.
        reference: the truth.
        window: side of the Gaussian window, odd.
        sigma: its standard deviation in pixels.
        k1: stabilises the luminance term.
        k2: stabilises the contrast term.
    """
    _check(image, reference, window)
    x, y = image.double(), reference.double()
    weights = _gaussian(window, sigma)
    mean_x, mean_y, square_x, square_y, product = (_filter(m, weights) for m in (x, y, x * x, y * y, x * y))
    variances = square_x - mean_x.square() + square_y - mean_y.square()
    covariance = product - mean_x * mean_y
    c1, c2 = k1**2, k2**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return float((luminance * structure).mean())


@lru_cache
def _gaussian(window: int, sigma: float) -> tuple[float, ...]:
    weights = [math.exp(-0.5 * ((i - window // 2) / sigma) ** 2) for i in range(window)]
    return tuple(weight / sum(weights) for weight in weights)


def _filter(image: Tensor, weights: tuple[float, ...]) -> Tensor:
    for axis in (-2, -1):
        length = image.shape[axis] - len(weights) + 1
        total = torch.zeros_like(image.narrow(axis, 0, length))
        for tap, weight in enumerate(weights):
            total.add_(image.narrow(axis, tap, length), alpha=weight)
        image = total
    return image


def _check(image: Tensor, reference: Tensor, smallest: int) -> None:
    if image.shape != reference.shape or image.ndim != 4 or image.shape[0] != 1:
        raise ValueError(
            f"expected one image and its reference, (1, C, H, W) alike, got {tuple(image.shape)} and "
            f"{tuple(reference.shape)}: score images one at a time, at the reference's size."
        )
    if min(image.shape[-2:]) < smallest:
        raise ValueError(
            f"an image of {image.shape[-2]} x {image.shape[-1]} is smaller than the window of {smallest}: leave it out."
        )
