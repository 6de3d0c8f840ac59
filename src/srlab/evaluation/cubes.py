"""The protocol of cubes: Wald's, with the metrics of the pansharpening literature."""

from dataclasses import dataclass

import torch
from torch import Tensor

from srlab.degradation.mtf import MTF, mtf_tag, mtf_taps
from srlab.errors import InputError
from srlab.evaluation import spectral
from srlab.evaluation.protocol import Case, Protocol, beside
from srlab.networks.cubes.expansion import expand
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
    def made_by(self) -> str | None:
        return mtf_tag(self.gain)

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
                f"{where} has {len(image.hr)} bands, the network takes {channels}: set channels={len(image.hr)}, or "
                f"data.scene.size=[rows,columns] where the file's bands come first."
            )
        if not image.truth:
            raise InputError(f"{where} has no truth to be compared with: take protocol=full_resolution.")
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


@dataclass(frozen=True)
class FullResolution(CubeProtocol):
    """Without a truth: SR is judged by the two images that it is made of, at the resolution in which they were taken.

    HQNR = (1 - D_lambda^K) (1 - D_S) joins Khan's spectral consistency, 1 - Q2n of SR, reduced by the sensor's MTF, with LR,
    and Alparone's spatial one (Aiazzi et al., 2014); QNR has Alparone's spectral distortion instead (2008). Both favour
    what is like the guide: no substitute for a truth where there is one. What stands in the truth's place is EXP.

    Args:
        name: as it stands beside every score.
        gain: of the MTF of LR's sensor.
        guide_gain: of that by which the guide is brought to LR's size.
    """

    guide_gain: float = 0.15

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "guide_gain", float(self.guide_gain))
        mtf_taps(1, self.guide_gain)

    @property
    def made_by(self) -> None:
        """Nothing: LR is what a sensor took."""

    @property
    def metric_names(self) -> tuple[str, ...]:
        return ("hqnr", "qnr", "d_lambda_k", "d_lambda", "d_s")

    def prepare(self, image: LabelledImage, scale: int, channels: int) -> Case:
        """Take LR and the guide as they are.

        Raises:
            InputError: the set has no LR of its own or no panchromatic guide, or the network does not fit.
        """
        where = f"{image.dataset}/{image.name}"
        if image.lr is None or image.guide is None:
            raise InputError(
                f"{where} is no pair of two sensors' images: set data.full_resolution=true, data.scene.guide."
            )
        if len(image.lr) != channels:
            raise InputError(f"{where} has {len(image.lr)} bands, the network takes {channels}: set channels.")
        if len(image.guide) != 1:
            raise InputError(f"{where}: D_S asks for a panchromatic guide, and this one has {len(image.guide)} bands.")
        height, width = (side * scale for side in image.lr.shape[1:])
        if image.guide.shape[1:] != (height, width):
            raise InputError(f"{where}: the guide is {tuple(image.guide.shape[1:])}, expected {height} x {width}.")
        lr = image.lr[None].float()
        return Case(where, lr, expand(lr.double(), scale), image.levels, scale, image.guide[None].float())

    def score(self, sr: Tensor, case: Case) -> dict[str, float]:
        assert case.guide is not None
        ours, lr, guide = sr.detach().to("cpu", torch.float64), case.lr.double(), case.guide.double()
        seen, reduced = MTF(case.scale, self.gain).reduce(ours)[0], MTF(case.scale, self.guide_gain).reduce(guide)[0]
        khan = 1 - spectral.hypercomplex_quality(seen, lr[0])
        alparone = spectral.spectral_distortion(ours[0], lr[0])
        spatial = spectral.spatial_distortion(ours[0], lr[0], guide[0], reduced)
        values = ((1 - khan) * (1 - spatial), (1 - alparone) * (1 - spatial), khan, alparone, spatial)
        return dict(zip(self.metric_names, values, strict=True))
