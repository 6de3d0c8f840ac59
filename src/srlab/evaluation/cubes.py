"""The protocol of cubes: Wald's, with the metrics of the pansharpening literature."""

from dataclasses import dataclass

import torch
from torch import Tensor

from srlab.degradation.mtf import MTF, mtf_taps
from srlab.errors import InputError
from srlab.evaluation import spectral
from srlab.evaluation.protocol import Case, Protocol, beside
from srlab.networks.cubes.pansharpening import expand
from srlab.types import LabelledImage


@dataclass(frozen=True)
class CubeProtocol(Protocol):
    """LR is made by the sensor's MTF (Wald's protocol), and nothing is rounded; SR is judged as a whole, borders too.

    No single number ranks cubes: PSNR is decided by dim bands, ERGAS and SAM by others.

    Args:
        name: as it stands beside every score.
        gain: of the sensor's MTF: see `mtf_taps`.
    """

    name: str
    gain: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "gain", float(self.gain))
        mtf_taps(1, self.gain)  # refuses what cannot be

    @property
    def metric_names(self) -> tuple[str, ...]:
        return ("ergas", "sam", "q2n", "psnr_band", "uiqi", "cc", "scc")

    def prepare(self, image: LabelledImage, scale: int, channels: int) -> Case:
        """Crop to whole LR pixels, and make LR, unless the set has its own.

        Raises:
            InputError: the image and the network do not fit.
        """
        where = f"{image.dataset}/{image.name}"
        if len(image.hr) != channels:
            raise InputError(
                f"{where} has {len(image.hr)} bands, the network takes {channels}: set channels={len(image.hr)}."
            )
        height, width = (side // scale * scale for side in image.hr.shape[1:])
        hr = image.hr[None, :, :height, :width].double()
        lr = MTF(scale, self.gain).reduce(hr) if image.lr is None else image.lr[None].double()
        if (lr.shape[2] * scale, lr.shape[3] * scale) != (height, width):
            raise InputError(
                f"{where}: LR {tuple(lr.shape[2:])} times {scale} is not HR {height} x {width}: set scale."
            )
        guide, mask = beside(image, height, width)
        return Case(where, lr.float(), hr, image.levels, scale, guide, mask)

    def score(self, sr: Tensor, case: Case) -> dict[str, float]:
        ours, truth = sr.detach().to("cpu", torch.float64)[0], case.hr[0]
        values = (
            spectral.ergas(ours, truth, case.scale),
            spectral.spectral_angle(ours, truth),
            spectral.hypercomplex_quality(ours, truth),
            spectral.band_psnr(ours, truth),
            spectral.quality(ours, truth),
            spectral.cross_correlation(ours, truth),
            spectral.spatial_correlation(ours, truth),
        )
        return dict(zip(self.metric_names, values, strict=True))

    def baseline(self, case: Case) -> Tensor:
        """EXP, LR enlarged alone."""
        return expand(case.lr, case.scale)

    def shown(self, image: Tensor) -> Tensor:
        """Three bands, the last third's as red, brightened by a square root."""
        bands = image.shape[1]
        chosen = [bands * part // 6 for part in (5, 3, 1)] if bands >= 3 else [0]
        return image[0, chosen].clamp(0, 1).sqrt()
