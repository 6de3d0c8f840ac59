"""The protocol of depth maps: errors in the data set's own unit, on the pixels whose depth is known.

LR is Pillow's bicubic reduction of the float map, as in DKN, FDSR and DCTNet: their bicubic rows come out to the digit.
Papers that pick every n-th pixel instead (`lr_kernel=nearest`, protocol=depth_direct) have other numbers. Means are over
the images' own errors, never pooled.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.degradation.base import trim
from srlab.degradation.resize import crop_to_multiple, resize
from srlab.degradation.rounding import quantize
from srlab.errors import InputError
from srlab.evaluation.color_map import colour_map
from srlab.evaluation.metrics import Facts
from srlab.evaluation.protocol import Case, Protocol, beside
from srlab.interpolants import Kernel
from srlab.types import LabelledImage

log = logging.getLogger(__name__)

LEVELS = "levels"
"""The unit of maps whose codes are no lengths: white is their largest."""


@dataclass(frozen=True)
class DepthProtocol(Protocol):
    """How LR maps are made, and how SR maps are scored. HR is cropped to a multiple of the scale, keeping the top left.

    Args:
        name: as it stands beside every score.
        unit: of depth, as it stands beside every error; all but `levels` ask for maps of which it is known what white is.
        white: the depth of white, 1, in that unit: 255 for 8-bit levels.
        lr_kernel: of the antialiased reduction.
        range_from: `lr`: a network is given the map as it is, and must scale it by what LR shows; `hr`: it is given the
            map scaled by the least and the largest depth of the truth, which nobody has: to reproduce published numbers.
        border_pixels: cut from each side before scoring (NYU: 6).
        bad_above: the error, in the unit, above which a pixel is bad.
        edge_above: neighbours that differ by more, in the unit, are an edge;
        edge_pixels: and pixels this near to it (Chebyshev) are its region.

    Raises:
        ValueError: for a number or a word that cannot be.
    """

    name: str
    unit: str
    white: float
    lr_kernel: Kernel
    range_from: Literal["lr", "hr"]
    border_pixels: int
    bad_above: float
    edge_above: float
    edge_pixels: int

    def __post_init__(self) -> None:
        for field in ("white", "bad_above", "edge_above"):  # 1 and 1.0 are one protocol: they must hash alike
            object.__setattr__(self, field, float(getattr(self, field)))
        if self.range_from not in ("lr", "hr"):
            raise ValueError(
                f"protocol.range_from={self.range_from!r}: choose lr, or hr to reproduce published numbers."
            )
        if self.white <= 0 or min(self.border_pixels, self.bad_above, self.edge_above, self.edge_pixels) < 0:
            raise ValueError(
                f"protocol: white={self.white} must be above 0, and border_pixels={self.border_pixels}, bad_above="
                f"{self.bad_above}, edge_above={self.edge_above}, edge_pixels={self.edge_pixels} 0 or more."
            )
        if self.range_from == "hr":
            log.warning(
                "protocol=%s tells the network the range of the true depth, which no user has: its scores are for "
                "comparison with papers that did so.",
                self.name,
            )

    @property
    def made_by(self) -> str:
        return self.lr_kernel

    @property
    def metric_names(self) -> tuple[str, ...]:
        """RMSE, mean absolute difference, RMSE near edges, and the share of bad pixels in %."""
        return ("rmse", "mad", "edge_rmse", "bad")

    def facts(self, metric: str) -> Facts:
        known = super().facts(metric)
        return known if known.unit else known._replace(unit=self.unit)

    def prepare(self, image: LabelledImage, scale: int, channels: int) -> Case:
        where = f"{image.dataset}/{image.name}"
        if (len(image.hr), channels) != (1, 1):
            raise InputError(
                f"{where} has {len(image.hr)} channels and the network {channels}; depth has one: set channels=1."
            )
        if image.levels and self.unit != LEVELS:
            raise InputError(
                f"{where} has codes up to {image.levels}, and protocol={self.name} scores in {self.unit}: set data.white to "
                f"the code of {self.white:g} {self.unit}."
            )
        hr = crop_to_multiple(image.hr[None].double(), scale)
        hr = quantize(hr, image.levels) if image.levels else hr  # from float32 back onto the codes themselves
        height, width = hr.shape[2:]
        guide, mask = beside(image, height, width)
        lr = self._reduced(hr, scale) if image.lr is None else image.lr[None].double()
        if tuple(side * scale for side in lr.shape[2:]) != (height, width):
            raise InputError(f"{where}: LR {tuple(lr.shape[2:])} times {scale} is not HR {height, width}.")
        case = Case(where, lr.float(), hr, image.levels, scale, guide, mask)
        if not bool(self._valid(case).any()):
            raise InputError(f"{where} has no pixel of known depth to score: leave it out.")
        if self.range_from == "hr":
            low, high = self._range(case)
            case = Case(where, ((lr - low) / (high - low)).float(), hr, image.levels, scale, guide, mask)
        return case

    def score(self, sr: Tensor, case: Case) -> dict[str, float]:
        """By the names of `metric_names`; `edge_rmse` is left out of an image without edges."""
        if sr.shape != case.hr.shape:
            raise InputError(f"{case.image}: SR is {tuple(sr.shape)} and HR {tuple(case.hr.shape)}.")
        valid = self._valid(case)
        apart = (self.white * trim(self._in_range(sr, case) - case.hr, self.border_pixels)).abs()
        errors, near = apart[valid], apart[valid & trim(self._edges(case), self.border_pixels)]
        scores = {"rmse": root_mean_square(errors), "mad": float(errors.mean())}
        if near.numel():
            scores["edge_rmse"] = root_mean_square(near)
        return scores | {"bad": 100 * float((~(errors <= self.bad_above)).double().mean())}  # nan is bad, too

    def interpolation(self, kernel: Kernel, scale: int, levels: int) -> Callable[..., Tensor]:
        return lambda lr, guide=None: resize(lr, scale=scale, kernel=kernel, borders="cut").clamp(0, 1)

    def baseline(self, case: Case) -> Tensor:
        return self.interpolation("bicubic", case.scale, case.levels)(case.lr)

    def shown(self, image: Tensor) -> Tensor:
        """In colours, from the least to the largest depth of the map."""
        return colour_map(image[0])

    def _reduced(self, hr: Tensor, scale: int) -> Tensor:
        return resize(hr, scale=1 / scale, kernel=self.lr_kernel, borders="cut")

    def _in_range(self, sr: Tensor, case: Case) -> Tensor:
        """A result on the CPU in float64, clamped, white at 1."""
        sr = sr.detach().to("cpu", torch.float64)
        if self.range_from == "hr":
            low, high = self._range(case)
            sr = low + sr.clamp(0, 1) * (high - low)
        return sr.clamp(0, 1)

    def _range(self, case: Case) -> tuple[float, float]:
        known = case.hr if case.mask is None else case.hr[case.mask > 0.5]
        low, high = float(known.min()), float(known.max())
        return low, high if high > low else low + 1

    def _valid(self, case: Case) -> Tensor:
        known = torch.ones_like(case.hr, dtype=torch.bool) if case.mask is None else case.mask > 0.5
        return trim(known, self.border_pixels)

    def _edges(self, case: Case) -> Tensor:
        """Whether a pixel is near to an edge of the truth: (1, 1, H, W) bool."""
        known = torch.ones_like(case.hr) if case.mask is None else (case.mask > 0.5).double()
        edges = torch.zeros_like(case.hr)
        for dim in (2, 3):
            length = case.hr.shape[dim] - 1
            both = known.narrow(dim, 0, length) * known.narrow(dim, 1, length)
            jump = (self.white * case.hr.diff(dim=dim).abs() > self.edge_above) * both
            for start in (0, 1):
                side = edges.narrow(dim, start, length)
                side.copy_(torch.maximum(side, jump))
        reach = self.edge_pixels
        return F.max_pool2d(edges, 2 * reach + 1, stride=1, padding=reach) > 0


def root_mean_square(errors: Tensor) -> float:
    return float(errors.square().mean().sqrt())
