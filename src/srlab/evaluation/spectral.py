"""Metrics of images with many bands, each of a whole image (C, H, W) and its reference, in float64.

Vivone et al., A Critical Comparison Among Pansharpening Algorithms (IEEE TGRS 53:5, 2015), section III, has them all.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.borders import inside

BLOCK = 32
"""Pixels on a side of the blocks in which the quality indices are computed, as in the literature."""


def band_psnr(image: Tensor, reference: Tensor) -> float:
    """The mean over bands of each one's PSNR in dB, its peak the band's largest value in the reference."""
    image, reference = _alive(image, reference)
    error = (image - reference).square().mean((1, 2))
    return float((10 * torch.log10(reference.amax((1, 2)).square() / error)).mean())


def spectral_angle(image: Tensor, reference: Tensor) -> float:
    """SAM: the mean angle between spectra in degrees. Pixels whose reference is zero in all bands have none.

    A spectrum of zeros in their place is at a right angle to any other; without any spectrum the mean is 0.
    """
    known = reference.norm(dim=0) > 0
    if not known.any():
        return 0.0
    cosine = F.cosine_similarity(image, reference, dim=0, eps=torch.finfo(image.dtype).tiny)[known]
    return float(torch.rad2deg(torch.acos(cosine.clamp(-1, 1))).mean())


def ergas(image: Tensor, reference: Tensor, scale: int) -> float:
    """Relative global error of synthesis in percent (Wald, 2000): 100 / scale sqrt(mean over bands of (RMSE / mean)^2)."""
    image, reference = _alive(image, reference)
    error = (image - reference).square().mean((1, 2))
    return float(100 / scale * (error / reference.mean((1, 2)).square()).mean().sqrt())


def cross_correlation(image: Tensor, reference: Tensor) -> float:
    """CC: the mean over bands of the correlation with the reference; an even band has none, and counts as 0."""
    image, reference = _alive(image, reference)
    ours, theirs = (one.flatten(1) - one.flatten(1).mean(1, keepdim=True) for one in (image, reference))
    return float(F.cosine_similarity(ours, theirs, dim=1).mean())


def spatial_correlation(image: Tensor, reference: Tensor) -> float:
    """SCC: the correlation of the images' Laplacians, over all bands together (Zhou, Civco and Silander, 1998)."""
    kernel = torch.full((1, 1, 3, 3), -1.0, dtype=image.dtype)
    kernel[..., 1, 1] = 8
    ours, theirs = (F.conv2d(one[:, None], kernel).flatten() for one in (image, reference))
    return float(F.cosine_similarity(ours, theirs, dim=0))


def quality(image: Tensor, reference: Tensor) -> float:
    """UIQI: Wang and Bovik's universal quality index (2002), the mean over bands and blocks of 32 x 32."""
    image, reference = _alive(image, reference)
    moments = Moments.of(_blocks(torch.cat([image, reference])))
    bands = len(image)
    return float(moments.indices()[:, range(bands), range(bands, 2 * bands)].mean())


def hypercomplex_quality(image: Tensor, reference: Tensor) -> float:
    """Q2n: the quality index of spectra as hypercomplex numbers, averaged over blocks (Garzelli and Nencini, 2009).

    Bands are filled up with zeros to a power of two. In each block both images are normalised by the reference's mean
    and standard deviation of each band, as the authors' code does; the image is continued by mirroring to whole blocks.
    """
    image, reference = _alive(image, reference)
    ours, theirs = (_blocks(one) for one in (image, reference))  # (blocks, C, 32 x 32)
    mean, spread = theirs.mean(2, keepdim=True), theirs.std(2, keepdim=True)
    spread = spread.where(spread > 0, torch.finfo(spread.dtype).eps)
    x, y = ((one - mean) / spread + 1 for one in (theirs, ours))
    order = 1 << (len(image) - 1).bit_length()
    x, y = (F.pad(one, (0, 0, 0, order - len(image))) for one in (x, y))
    mean_x, mean_y = x.mean(2), y.mean(2)
    product = _length(torch.einsum("bi,bj->bij", mean_x, mean_y))
    moment = torch.einsum("bin,bjn->bij", x - mean_x[..., None], y - mean_y[..., None]) / (x.shape[2] - 1)
    spreads = x.var(2).sum(1) + y.var(2).sum(1)
    means = mean_x.square().sum(1) + mean_y.square().sum(1)
    contrast = torch.where(spreads == 0, 1.0, 2 * _length(moment) / spreads)
    return float((contrast * 2 * product / means).mean())


def _alive(image: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Both without the bands that are dead, zero all over in the reference: no error is relative to nothing.

    Where all are, they stay, and an index that divides by them says so with nan or inf.
    """
    alive = reference.flatten(1).any(1)
    return (image[alive], reference[alive]) if alive.any() else (image, reference)


def _length(products: Tensor) -> Tensor:
    """|sum of x_i conj(y_j)| from all products of components: (B, n, n) -> (B,)."""
    order = products.shape[1]
    signs, places = _hypercomplex(order)
    signed = (products * signs.to(products)).flatten(1)
    length: Tensor = torch.zeros(len(products), order).to(products).index_add_(1, places.flatten(), signed).norm(dim=1)
    return length


@lru_cache
def _hypercomplex(order: int) -> tuple[Tensor, Tensor]:
    """e_i conj(e_j) = sign[i, j] e_k with k = i xor j, in the Cayley-Dickson algebra of 2^n units: signs and places."""
    signs = torch.ones(1, 1)
    while len(signs) < order:
        conjugate = -torch.ones(len(signs))
        conjugate[0] = 1
        # (a, b)(c, d) = (a c - conj(d) b, d a + b conj(c))
        upper = torch.cat([signs, signs.T], 1)
        lower = torch.cat([signs * conjugate, -signs.T * conjugate], 1)
        signs = torch.cat([upper, lower])
    conjugate = -torch.ones(order)
    conjugate[0] = 1
    units = torch.arange(order)
    return signs * conjugate, units[:, None] ^ units


class Moments:
    """Means, variances and covariances of bands in blocks: from (blocks, C, N)."""

    def __init__(self, mean: Tensor, covariance: Tensor) -> None:
        self.mean, self.covariance = mean, covariance

    @classmethod
    def of(cls, blocks: Tensor) -> "Moments":
        mean = blocks.mean(2)
        centred = blocks - mean[..., None]
        return cls(mean, centred @ centred.mT / (blocks.shape[2] - 1))

    def indices(self) -> Tensor:
        """The universal quality index of each two bands: (blocks, C, C)."""
        variance = self.covariance.diagonal(dim1=1, dim2=2)
        products = self.mean[:, :, None] * self.mean[:, None]
        squares = self.mean.square()[:, :, None] + self.mean.square()[:, None]
        spreads = variance[:, :, None] + variance[:, None]
        luminance = torch.where(squares == 0, 1.0, 2 * products / squares)
        return torch.where(spreads == 0, 1.0, 2 * self.covariance / spreads) * luminance


def spectral_distortion(image: Tensor, lr: Tensor) -> float:
    """D_lambda: how much the bands' mutual quality indices differ from those in LR (Alparone et al., 2008); 0 is best."""
    ours, theirs = (Moments.of(_blocks(one)).indices().mean(0) for one in (image, lr))
    count = len(lr)
    return float((ours - theirs).abs().sum() / max(1, count * (count - 1)))  # one band has none beside it


def spatial_distortion(image: Tensor, lr: Tensor, guide: Tensor, reduced_guide: Tensor) -> float:
    """D_S: how much each band's quality index with the guide differs from that at LR (Alparone et al., 2008); 0 is best.

    Args:
        image: (C, scale H, scale W).
        lr: (C, H, W).
        guide: (1, scale H, scale W), panchromatic.
        reduced_guide: (1, H, W).
    """
    pairs = ((image, guide), (lr, reduced_guide))
    ours, theirs = (Moments.of(_blocks(torch.cat(pair))).indices()[:, -1, :-1].mean(0) for pair in pairs)
    return float((ours - theirs).abs().mean())


def _blocks(image: Tensor) -> Tensor:
    """(C, H, W) -> (blocks, C, 32 x 32), mirrored below and to the right to whole blocks."""
    rows, columns = (
        torch.from_numpy(inside(np.arange(-(-n // BLOCK) * BLOCK), n, "symmetric")) for n in image.shape[1:]
    )
    image = image[:, rows][:, :, columns]
    blocks = image.unfold(1, BLOCK, BLOCK).unfold(2, BLOCK, BLOCK)
    return blocks.permute(1, 2, 0, 3, 4).flatten(3).flatten(0, 1)
