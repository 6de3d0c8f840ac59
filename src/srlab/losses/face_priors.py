"""Losses by a frozen network that knows faces: what it sees in SR should be what it sees in HR.

The identity line (SICNN, Zhang et al., ECCV 2018, equation 3) compares embeddings of who it is; Super-FAN (Bulat and
Tzimiropoulos, CVPR 2018, section 3.2) where its landmarks are. The landmarks of HR tell the network where to look.
"""

from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.faces.layout import EYE_CORNERS
from srlab.faces.maps import known
from srlab.faces.priors.prior import Prior
from srlab.losses.faces import landmarks_of
from srlab.losses.weighted import Step, Term
from srlab.schedules import Schedule


class SeenByPrior(Term):
    """The distance of what a prior sees in SR and in HR: the mean over the faces whose landmarks are known.

    The prior's weights get no gradient, and HR's features no graph. Judge what comes of it by another network than this.

    Args:
        prior: the frozen network.
        weight, ramp: see `Term`.
    """

    def __init__(self, prior: Prior, weight: float = 1.0, ramp: Schedule | None = None) -> None:
        super().__init__(weight, ramp)
        self.prior = prior

    def measure(self, step: Step) -> Tensor:
        landmarks, sr, hr = landmarks_of(step.batch), step.prediction.sr, step.batch.hr
        there = known(landmarks)
        if not there.any():
            return 0 * sr.float().sum()
        landmarks, sr, hr = landmarks[there], sr[there], hr[there]
        with torch.no_grad():
            target = self.prior(hr, landmarks)
        return self.compare(self.prior(sr, landmarks), target, landmarks).mean()

    @abstractmethod
    def compare(self, sr: Tensor, hr: Tensor, landmarks: Tensor) -> Tensor:
        """The distance of each face's features: (B, ...), (B, ...), and its landmarks (B, 68, 2): (B,)."""


class Identity(SeenByPrior):
    """The distance of embeddings: whether SR shows the person that HR shows.

    Args:
        prior: of embeddings, as MobileFaceNet.
        distance: `cosine`, 1 - their cosine, or `l2`, the squared distance.
        weight, ramp: see `Term`.
    """

    def __init__(
        self,
        prior: Prior,
        distance: Literal["cosine", "l2"] = "cosine",
        weight: float = 1.0,
        ramp: Schedule | None = None,
    ) -> None:
        super().__init__(prior, weight, ramp)
        if distance not in ("cosine", "l2"):
            raise ValueError(f"distance={distance!r}: choose cosine or l2.")
        self.distance = distance

    def compare(self, sr: Tensor, hr: Tensor, landmarks: Tensor) -> Tensor:
        if self.distance == "cosine":
            return 1 - F.cosine_similarity(sr, hr, dim=1)
        return (sr - hr).square().sum(1)


class Points(SeenByPrior):
    """The mean distance of a face's points, in distances of its outer eye corners: NME, as the mesh sees it.

    Args:
        prior: of points (B, N, 2) in pixels, as the face mesh.
        weight, ramp: see `Term`.
    """

    def compare(self, sr: Tensor, hr: Tensor, landmarks: Tensor) -> Tensor:
        left, right = (landmarks[:, corner] for corner in EYE_CORNERS)
        apart = (sr - hr).square().sum(2).clamp(min=1e-12).sqrt().mean(1)  # whose slope at 0 is none
        return apart / (left - right).square().sum(1).sqrt()


class SeenHeatmaps(SeenByPrior):
    """The mean squared difference of heatmaps of landmarks: Super-FAN's loss.

    Args:
        prior: of heatmaps (B, 68, h, w), as a DIC's hourglass.
        weight, ramp: see `Term`.
    """

    def compare(self, sr: Tensor, hr: Tensor, landmarks: Tensor) -> Tensor:
        return (sr - hr).square().mean((1, 2, 3))
