"""HyperPNN: spectra coded pixel by pixel, joined with a panchromatic guide, decoded to bands (He et al., JSTARS 2019)."""

import torch
from torch import Tensor, nn

from srlab.networks.cubes.expansion import BackProjection, expand
from srlab.networks.network import GuidedNetwork
from srlab.types import Prediction


class HyperPNN(GuidedNetwork):
    """The expanded cube and a guide -> the cube: 145,286 parameters for 198 bands and a guide of one.

    Args:
        channels, scale, guide_channels: as in GuidedNetwork.
        width: features (paper: 64).
        spatial_layers: 3x3 convolutions (paper: 3).
        residual: learn what to add to the expanded cube; the paper learns the cube.
        gain, back_projections: of the result, when not training: see `BackProjection`.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        guide_channels: int = 1,
        width: int = 64,
        spatial_layers: int = 3,
        residual: bool = False,
        gain: float = 0.3,
        back_projections: int = 0,
    ) -> None:
        if min(width, spatial_layers) < 1:
            raise ValueError(f"width={width}, spatial_layers={spatial_layers}: give 1 or more.")
        back_project = BackProjection(scale, gain, back_projections)
        halo = -(-spatial_layers // scale) + 2 + back_project.halo  # and the cubic kernel's
        super().__init__(channels, scale, multiple_of=1, halo=halo, guide_channels=guide_channels)
        self.encoder = nn.Sequential(nn.Conv2d(channels, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU())
        spatial: list[nn.Module] = []
        for place in range(spatial_layers):
            spatial += [nn.Conv2d(width + (0 if place else guide_channels), width, 3, padding=1), nn.ReLU()]
        self.spatial = nn.Sequential(*spatial)
        self.decoder = nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, channels, 1))
        self.residual, self.back_project = residual, back_project

    def predict_guided(self, lr: Tensor, guide: Tensor) -> Prediction:
        expanded = expand(lr, self.scale)
        spectra = self.encoder(expanded)
        features = spectra + self.spatial(torch.cat([spectra, guide], 1))
        decoded: Tensor = self.decoder(features)
        cube = expanded + decoded if self.residual else decoded
        return Prediction(cube if self.training else self.back_project(cube, lr), {})
