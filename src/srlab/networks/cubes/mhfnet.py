"""MHF-net: cube and guide fused by an unrolled optimisation (Xie et al., CVPR 2019, arXiv 1901.03281; TPAMI 2020).

With the guide Y, the cube is X = A Y + B Yhat: A says what of its bands the guide's tell, B spans what they do not, Yhat
says how much of that there is in each pixel. Each stage is a step of proximal gradients on |C X - LR|^2, with the blur C of
LR's sensor, Yhat <- prox(Yhat - rate B^T C^T (C X - LR)), whose proximal operator is a residual network.

The *consistent* network is for one pair of sensors: its blur is known, A and B are learned. The *blind* one is for any:
blur, A and B are found from each pair of images. Up-sampling is the adjoint of C, exactly; what adjusts it by the guide, and
the last adjustment of X, work on B's few coefficients or on `width` features, where the authors' do on all bands (31).
"""

import torch
from torch import Tensor, nn

from srlab.degradation.mtf import mtf_taps
from srlab.networks.cubes.responses import GAINS, Blur, estimate_responses
from srlab.networks.guided.ranged import full_precision
from srlab.networks.network import GuidedNetwork
from srlab.types import Prediction

EXTRA = 3
"""Channels within a block beyond those of its input, as the authors have it."""


class Block(nn.Module):
    """Three convolutions with batch norm, added to their input, or to its first channels: (B, C, H, W) -> (B, K, H, W).

    Args:
        inputs: C.
        outputs: K, C or fewer.
        start: scales of the batch norms at first, by which a network starts near the optimisation (authors: 1/20, 1/100).
    """

    def __init__(self, inputs: int, outputs: int, start: float = 1 / 20) -> None:
        super().__init__()
        within = inputs + EXTRA
        layers: list[nn.Module] = []
        for made, given in ((within, inputs), (within, within), (outputs, within)):
            norm = nn.BatchNorm2d(made)
            nn.init.constant_(norm.weight, start)
            layers += [nn.Conv2d(given, made, 3, padding=1, bias=False), norm, nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        self.outputs = outputs

    def forward(self, features: Tensor) -> Tensor:
        residual: Tensor = self.layers(features)
        return features[:, : self.outputs] + residual


class Stage(nn.Module):
    """What follows a step of the gradient: it is adjusted by the guide, and the coefficients go through a proximal network.

    Args:
        rank: of the coefficients.
        guide_channels: of the guide.
        blocks: residual ones of the proximal network.
    """

    def __init__(self, rank: int, guide_channels: int, blocks: int) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.ones(()))
        self.adjust = Block(rank + guide_channels, rank, start=1 / 100)
        self.proximal = nn.Sequential(*(Block(rank, rank) for _ in range(blocks)))

    def forward(self, coefficients: Tensor, gradient: Tensor, guide: Tensor) -> Tensor:
        step = self.adjust(torch.cat([self.rate * gradient, guide], 1))
        stepped: Tensor = self.proximal(coefficients - step)
        return stepped


class MHFNet(GuidedNetwork):
    """See the module. `step1`, `step2`, ... are the cubes X before each later stage, to be supervised too.

    Args:
        channels, scale, guide_channels: as in GuidedNetwork.
        gain: of the MTF of LR's sensor: see `mtf_taps`; None: blind, blur, A and B are estimated from each pair.
        rank: of Yhat, at most `channels`.
        stages: of the optimisation (paper: 13 to 20).
        blocks: of each proximal network (authors: 2).
        width: of the features in which the last cube is adjusted.
    """

    def __init__(
        self,
        channels: int,
        scale: int,
        guide_channels: int = 1,
        gain: float | None = 0.3,
        rank: int = 12,
        stages: int = 8,
        blocks: int = 2,
        width: int = 32,
    ) -> None:
        if min(stages, rank, width) < 1 or blocks < 0:
            raise ValueError(f"stages={stages}, rank={rank}, width={width}, blocks={blocks}: give 1 or more, blocks 0.")
        super().__init__(channels, scale, multiple_of=1, halo=None, guide_channels=guide_channels)
        self.gain, self.rank = gain, min(rank, channels)
        if gain is not None:
            mtf_taps(scale, gain)  # refuses what cannot be
            self.from_guide = nn.Parameter(torch.full((channels, guide_channels), 1 / guide_channels))  # A
            self.basis = nn.Parameter(nn.init.orthogonal_(torch.empty(channels, self.rank)))  # B
        self.stages = nn.ModuleList(Stage(self.rank, guide_channels, blocks) for _ in range(stages))
        self.encode = nn.Conv2d(channels, width, 1)
        self.adjust = Block(width, width)
        self.decode = nn.Conv2d(width, channels, 1)
        nn.init.zeros_(self.decode.weight)
        assert self.decode.bias is not None
        nn.init.zeros_(self.decode.bias)

    def predict_guided(self, lr: Tensor, guide: Tensor) -> Prediction:
        blur, from_guide, basis = self.responses(lr, guide)
        with full_precision(lr):
            told = mixed(from_guide, guide.float())
        coefficients, cube = guide.new_zeros(len(guide), self.rank, *guide.shape[2:]), told
        steps: dict[str, Tensor] = {}
        for number, stage in enumerate(self.stages):
            if number:
                steps[f"step{number}"] = cube
            with full_precision(lr):  # what LR lacks is a small difference
                error = blur.reduce(cube.float()) - lr.float()
                # C's norm is 1 / scale, so that with an orthonormal B a rate of 1 surely descends
                gradient = self.scale**2 * mixed(basis.mT, blur.adjoint(error))
            coefficients = stage(coefficients, gradient, guide)
            with full_precision(lr):
                cube = told + mixed(basis, coefficients.float())
        steps[f"step{len(self.stages)}"] = cube
        return Prediction(cube + self.decode(self.adjust(self.encode(cube))), steps)

    def responses(self, lr: Tensor, guide: Tensor) -> tuple[Blur, Tensor, Tensor]:
        """The blur C, A (B or 1, C, G) and B (B or 1, C, rank) for a batch."""
        if self.gain is not None:
            return Blur.of([self.gain], self.scale, guide), self.from_guide[None], self.basis[None]
        with torch.no_grad():
            pairs = list(zip(lr, guide, strict=True))  # on the meta device without values to estimate from
            gains = [GAINS[-1] if lr.is_meta else estimate_responses(*pair, self.scale)[0] for pair in pairs]
            blur = Blur.of(gains, self.scale, guide)
            pixels, seen = lr.float().flatten(2), blur.reduce(guide).float().flatten(2)
            gram = seen @ seen.mT
            power = gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None].clamp(min=1e-12)
            ridge = 1e-6 * power * torch.eye(gram.shape[1]).to(gram)
            from_guide = torch.linalg.solve(gram + ridge, seen @ pixels.mT).mT
            untold = pixels - from_guide @ seen
            basis = torch.linalg.eigh(untold @ untold.mT).eigenvectors[..., -self.rank :].flip(2)
            basis = basis * torch.where(basis.sum(1, keepdim=True) < 0, -1.0, 1.0)  # their sign is free
        return blur, from_guide, basis


def mixed(weights: Tensor, image: Tensor) -> Tensor:
    """Bands as weighted sums of others: (B or 1, K, C), (B, C, H, W) -> (B, K, H, W)."""
    return (weights @ image.flatten(2)).view(len(image), -1, *image.shape[2:])
