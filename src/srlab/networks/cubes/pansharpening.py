"""Pansharpening without training: the spatial detail of a guide, given to the bands of an expanded cube.

Vivone et al., A Critical Comparison Among Pansharpening Algorithms (IEEE TGRS 53:5, 2015) describe the family: component
substitution (Brovey, PCA, Gram-Schmidt, GSA) exchanges what the bands have in common for the guide; multiresolution
analysis (SFIM, MTF-GLP) adds what the sensor's blur took from it.
"""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from srlab.degradation.mtf import MTF
from srlab.networks.cubes.expansion import BackProjection, expand
from srlab.networks.network import GuidedNetwork
from srlab.types import Prediction

TINY = 1e-6
"""Below which nothing is divided by, and the spread, relative to its size, of a guide that is even."""
LARGEST_RATIO = 10.0
"""That a method of ratios multiplies by: beyond dark pixels, where cubic interpolation goes below 0, they mean nothing."""


class Observation:
    """One scene as two sensors saw it, in float64, and what the methods make of that.

    Args:
        lr: (C, H, W).
        guide: (G, scale H, scale W).
        mtf: of the sensor of `lr`.
    """

    def __init__(self, lr: Tensor, guide: Tensor, mtf: MTF) -> None:
        self.lr, self.guide, self.mtf = lr.double(), guide.double(), mtf

    @cached_property
    def expanded(self) -> Tensor:
        """EXP: (C, scale H, scale W)."""
        return expand(self.lr[None], self.mtf.scale)[0]

    @property
    def pan(self) -> Tensor:
        """The guide (1, scale H, scale W) of methods that take a single band.

        Raises:
            ValueError: it has several.
        """
        if len(self.guide) != 1:
            raise ValueError(
                f"this method takes a panchromatic guide, one band, and this one has {len(self.guide)}: take "
                f"network=hyper_sharpening or cnmf."
            )
        return self.guide

    @property
    def even(self) -> bool:
        """The guide tells nothing: each of its bands is constant, but for rounding."""
        spread = _centred(self.guide.flatten(1)).square().mean(1)
        return bool((spread <= TINY**2 * self.guide.flatten(1).square().mean(1)).all())

    def reduced(self, guide: Tensor) -> Tensor:
        """(G, scale H, scale W) as the sensor of LR would have seen it: (G, H, W)."""
        return self.mtf.reduce(guide[None])[0]

    def blurred(self, guide: Tensor) -> Tensor:
        """The same, expanded: a guide without the detail that LR lacks."""
        return expand(self.reduced(guide)[None], self.mtf.scale)[0]


Method = Callable[[Observation], Tensor]


class Pansharpening(GuidedNetwork):
    """A method that learns nothing: (lr (B, C, H, W), guide (B, G, scale H, scale W)) -> sr (B, C, scale H, scale W).

    An even guide has no detail to give: the result is EXP then.

    Args:
        channels, scale, guide_channels: as in GuidedNetwork.
        gain: of the MTF of the sensor of LR: see `mtf_taps`.
        method: observation -> (C, scale H, scale W).
        back_projections: see `BackProjection`; the published methods have none.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        guide_channels: int,
        gain: float,
        method: Method,
        back_projections: int = 0,
    ) -> None:
        super().__init__(channels, scale, multiple_of=1, halo=None, guide_channels=guide_channels)
        self.back_project, self.method = BackProjection(scale, gain, back_projections), method

    def predict_guided(self, lr: Tensor, guide: Tensor) -> Prediction:
        scenes = [Observation(*one, self.back_project.mtf) for one in zip(lr, guide, strict=True)]
        made = torch.stack([scene.expanded if scene.even else self.method(scene) for scene in scenes])
        return Prediction(self.back_project(made, lr.double()).to(lr.dtype), {})


# Component substitution


def brovey(scene: Observation) -> Tensor:
    """Each band times guide / intensity, the mean of the bands (Gillespie, Kahle and Walker, 1987)."""
    intensity = scene.expanded.mean(0, keepdim=True)
    return scene.expanded * _ratio(_like(scene.pan, intensity), intensity)


def pca(scene: Observation) -> Tensor:
    """The guide in the place of the first principal component (Chavez, Sides and Anderson, 1991)."""
    centred = _centred(scene.expanded.flatten(1))
    first = torch.linalg.eigh(centred @ centred.T).eigenvectors[:, -1]
    first = first * first.sum().sign()  # its sign is free: along with the bands
    component = (first @ centred).view_as(scene.pan)
    injected: Tensor = first[:, None, None] * (_like(scene.pan, component) - component)
    return scene.expanded + injected


def gram_schmidt(scene: Observation) -> Tensor:
    """The guide in the place of the bands' mean, injected by each band's regression on it (Laben and Brower, 2000)."""
    intensity = scene.expanded.mean(0, keepdim=True)
    return scene.expanded + _regression(scene.expanded, intensity) * (_like(scene.pan, intensity) - intensity)


def gsa(scene: Observation) -> Tensor:
    """Gram-Schmidt with the intensity that fits the reduced guide best (Aiazzi, Baronti and Selva, 2007)."""
    fit = _fit(scene.lr, scene.reduced(scene.pan))[0]
    intensity = torch.einsum("c,chw->hw", fit[:-1], scene.expanded)[None] + fit[-1]
    return scene.expanded + _regression(scene.expanded, intensity) * (scene.pan - intensity)


# Multiresolution analysis


def sfim(scene: Observation) -> Tensor:
    """Each band times guide / blurred guide (Liu, 2000, whose blur is a mean; here it is the MTF's)."""
    return scene.expanded * _ratio(scene.pan, scene.blurred(scene.pan))


def mtf_glp_cbd(scene: Observation) -> Tensor:
    """The guide's detail by each band's regression on the blurred guide (Aiazzi et al., 2006)."""
    blurred = scene.blurred(scene.pan)
    return scene.expanded + _regression(scene.expanded, blurred) * (scene.pan - blurred)


def mtf_glp_hpm(scene: Observation) -> Tensor:
    """SFIM with a guide that has each band's mean and deviation, in the place of its own (Vivone et al., 2014)."""
    blurred = scene.blurred(scene.pan)
    mean, spread = blurred.mean(), blurred.std().clamp(min=TINY)
    bands = scene.expanded
    guides = (scene.pan - mean) * bands.std((1, 2), keepdim=True) / spread + bands.mean((1, 2), keepdim=True)
    return bands * _ratio(guides, scene.blurred(guides))


def hyper_sharpening(scene: Observation) -> Tensor:
    """A guide for each band, by regression of LR on the reduced guide; then its detail (Selva et al., 2015).

    Of guides with several bands, which need not cover those of the cube.
    """
    fit = _fit(scene.reduced(scene.guide), scene.lr)
    guides = torch.einsum("cg,ghw->chw", fit[:, :-1], scene.guide) + fit[:, -1, None, None]
    return scene.expanded + guides - scene.blurred(guides)


# What they share


def _centred(pixels: Tensor) -> Tensor:
    return pixels - pixels.mean(1, keepdim=True)


def _like(guide: Tensor, wanted: Tensor) -> Tensor:
    """The guide with another image's mean and standard deviation; a constant one with the mean alone."""
    return (guide - guide.mean()) * wanted.std() / guide.std().clamp(min=TINY) + wanted.mean()


def _regression(bands: Tensor, on: Tensor) -> Tensor:
    """Each band's covariance with an image over that one's variance: (C, H, W), (1, H, W) -> (C, 1, 1).

    On a constant image it is 0: such a guide has no detail to give.
    """
    x, y = _centred(on.flatten(1)), _centred(bands.flatten(1))
    gains: Tensor = y @ x[0] / x.square().sum().clamp(min=x.numel() * TINY**2)
    return gains[:, None, None]


def _ratio(fine: Tensor, coarse: Tensor) -> Tensor:
    """How much brighter an image is than without its detail: near zero that means nothing, and is held to 0 ... 10.

    Where both are zero, as in what a sensor did not see, it is 1.
    """
    dark = (fine.abs() <= TINY) & (coarse.abs() <= TINY)
    return (fine / coarse.clamp(min=TINY)).clamp(0, LARGEST_RATIO).masked_fill(dark, 1)


def _fit(bands: Tensor, wanted: Tensor) -> Tensor:
    """Weights and a constant by which bands (C, H, W) make images (G, H, W) with the least squared error: (G, C + 1)."""
    table = torch.cat([bands.flatten(1), torch.ones_like(bands[:1].flatten(1))])
    solution: Tensor = torch.linalg.lstsq(table.T, wanted.flatten(1).T, driver="gelsd").solution
    return solution.T
