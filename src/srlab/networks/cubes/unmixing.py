"""CNMF: pansharpening by coupled unmixing (Yokoya, Yairi and Iwasaki, IEEE TGRS 50:2, 2012).

A cube is the spectra of a few materials times how much of each there is in a pixel, both without negative numbers. The
cube with the many bands knows the spectra, the guide the places: each factorisation starts from what the other found.
"""

import torch
from scipy.optimize import nnls
from torch import Tensor

from srlab.networks.cubes.expansion import expand
from srlab.networks.cubes.pansharpening import Observation

SUM_TO_ONE = 0.1
"""Weight of the row that asks each pixel's abundances to sum to 1, times the length of its mean spectrum."""


def cnmf(
    scene: Observation, endmembers: int = 12, outer_iterations: int = 3, inner_iterations: int = 200, seed: int = 0
) -> Tensor:
    """Fuse a cube and a guide of any number of bands: (C, scale H, scale W).

    The guide's spectral response is estimated by non-negative least squares, its blur is the MTF's.

    Args:
        scene: what the two sensors saw.
        endmembers: materials; no more than bands are taken. Too few leave part of LR unexplained, which
            `Pansharpening`'s back-projections bring back.
        outer_iterations: how often the factorisations exchange what they found.
        inner_iterations: multiplicative updates of each, at most.
        seed: of the initial choice of spectra (VCA).
    """
    scale, (bands, *size) = scene.mtf.scale, scene.lr.shape
    cube, guide = scene.lr.flatten(1).clamp(min=0), scene.guide.flatten(1).clamp(min=0)
    response = _response(cube, scene.reduced(scene.guide).flatten(1))
    spectra = cube[:, _purest_pixels(cube, min(endmembers, bands), seed)]
    coarse = cube.new_full((spectra.shape[1], cube.shape[1]), 1 / spectra.shape[1])
    coarse = _abundances(cube, spectra, coarse, inner_iterations)
    spectra, coarse = _factorise(cube, spectra, coarse, inner_iterations)
    fine = expand(coarse.view(1, -1, *size), scale)[0].flatten(1).clamp(min=0)
    fine = _abundances(guide, response @ spectra, fine, inner_iterations)
    for _ in range(outer_iterations - 1):
        coarse = scene.reduced(fine.view(-1, *scene.guide.shape[1:])).flatten(1).clamp(min=0)
        spectra = _spectra(cube, spectra, coarse, inner_iterations)
        spectra, _ = _factorise(cube, spectra, coarse, inner_iterations)
        fine = _abundances(guide, response @ spectra, fine, inner_iterations)
    return (spectra @ fine).view(bands, *scene.guide.shape[1:])


def _response(cube: Tensor, guide: Tensor) -> Tensor:
    """The guide's bands as non-negative sums of the cube's: (C, N), (G, N) -> (G, C)."""
    rows = [nnls(cube.T.numpy(force=True), band.numpy(force=True))[0] for band in guide]
    return torch.stack([torch.from_numpy(row) for row in rows]).to(cube)


def _purest_pixels(cube: Tensor, count: int, seed: int) -> list[int]:
    """Vertex component analysis (Nascimento and Bioucas-Dias, 2005): the pixels whose spectra span the others'."""
    generator = torch.Generator().manual_seed(seed)
    principal = torch.linalg.eigh(cube @ cube.T).eigenvectors[:, -count:]
    projected = principal.T @ cube
    centre = projected.mean(1, keepdim=True)
    projected = projected / (projected * centre).sum(0).clamp(min=1e-12)  # onto the plane where abundances sum to 1
    chosen: list[int] = []
    spanned = torch.zeros(count, count, dtype=cube.dtype, device=cube.device)
    spanned[-1, 0] = 1
    for index in range(count):
        direction = torch.randn(count, generator=generator, dtype=cube.dtype).to(cube)
        direction = direction - spanned @ (torch.linalg.pinv(spanned) @ direction)
        chosen.append(int((direction @ projected).abs().argmax()))
        spanned[:, index] = projected[:, chosen[-1]]
    return chosen


def _factorise(image: Tensor, spectra: Tensor, abundances: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
    """Multiplicative updates of both in turn (Lee and Seung, 2001)."""
    for _ in range(iterations):
        spectra = _spectra(image, spectra, abundances, 1)
        abundances = _abundances(image, spectra, abundances, 1)
    return spectra, abundances


def _spectra(image: Tensor, spectra: Tensor, abundances: Tensor, iterations: int) -> Tensor:
    wanted, gram = image @ abundances.T, abundances @ abundances.T
    for _ in range(iterations):
        spectra = spectra * wanted / (spectra @ gram).clamp(min=1e-12)
    return spectra


def _abundances(image: Tensor, spectra: Tensor, abundances: Tensor, iterations: int) -> Tensor:
    weight = float(SUM_TO_ONE * image.square().sum(0).mean().sqrt())
    spectra = torch.cat([spectra, torch.full_like(spectra[:1], weight)])
    image = torch.cat([image, torch.full_like(image[:1], weight)])
    wanted, gram = spectra.T @ image, spectra.T @ spectra
    for _ in range(iterations):
        abundances = abundances * wanted / (gram @ abundances).clamp(min=1e-12)
    return abundances
