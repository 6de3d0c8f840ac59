"""Losses of what a network estimates of a face on its way: heatmaps of landmarks, and maps of its parts.

FSRNet (Chen et al., CVPR 2018, equation 5) and DIC (Ma et al., CVPR 2020, equation 7) learn these beside the image.
"""

from abc import abstractmethod
from fnmatch import fnmatchcase

import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.faces.maps import heatmaps, known, parsing_maps
from srlab.losses.weighted import Step, Term
from srlab.schedules import Schedule
from srlab.types import Batch, Prediction


class Drawn(Term):
    """Mean squared error of estimated maps against those that are drawn of the true landmarks: the mean over the estimates.

    As loss=steps is the mean over DIC's steps, so that the weight of the one beside the other is the paper's. A
    face whose landmarks are not known counts nowhere. Each estimate is logged under its own name.

    Args:
        outputs: a pattern of the estimates' names among `Prediction.priors`.
        weight, ramp: see `Term`.
    """

    def __init__(self, outputs: str, weight: float = 1.0, ramp: Schedule | None = None) -> None:
        super().__init__(weight, ramp)
        self.outputs = outputs

    def measure(self, step: Step) -> Tensor:
        return self.measure_parts(step)[0]

    def measure_parts(self, step: Step) -> tuple[Tensor, dict[str, Tensor]]:
        estimates = estimated(step.prediction, self.outputs)
        landmarks = landmarks_of(step.batch)
        there = known(landmarks)
        parts = {}
        for name, maps in estimates.items():
            size = maps.shape[-1]
            truth = self.draw(landmarks, size, step.batch.hr.shape[-1] / size)
            error = (maps.float() - truth).square().mean((1, 2, 3))
            parts[name] = (error * there).sum() / there.sum().clamp(min=1)
        return torch.stack(list(parts.values())).mean(), parts

    @abstractmethod
    def draw(self, landmarks: Tensor, size: int, stride: float) -> Tensor:
        """The maps of landmarks (B, 68, 2): (B, maps, size, size), `stride` HR pixels to each of theirs."""


class Heatmaps(Drawn):
    """Of landmarks, over all steps of DIC, or of FSRNet's single estimate.

    Args:
        sigma: of the Gaussian around each landmark, in pixels of the map (DIC: 1).
        outputs, weight, ramp: see `Drawn`.
    """

    def __init__(
        self, sigma: float = 1.0, outputs: str = "heatmaps*", weight: float = 1.0, ramp: Schedule | None = None
    ) -> None:
        super().__init__(outputs, weight, ramp)
        if sigma <= 0:
            raise ValueError(f"sigma={sigma}: give a number of pixels above 0; DIC takes 1.")
        self.sigma = sigma

    def draw(self, landmarks: Tensor, size: int, stride: float) -> Tensor:
        return heatmaps(landmarks, size, self.sigma, stride)


class Parsing(Drawn):
    """Of the face's parts, drawn as `srlab.faces.maps.parsing_maps` has them.

    Args:
        outputs, weight, ramp: see `Drawn`.
    """

    def __init__(self, outputs: str = "parsing", weight: float = 1.0, ramp: Schedule | None = None) -> None:
        super().__init__(outputs, weight, ramp)

    def draw(self, landmarks: Tensor, size: int, stride: float) -> Tensor:
        return parsing_maps(landmarks, size, stride)


def estimated(prediction: Prediction, pattern: str) -> dict[str, Tensor]:
    """What a network estimated of a face, as far as the names match.

    Raises:
        InputError: nothing.
    """
    priors = prediction.priors or {}
    found = {name: maps for name, maps in priors.items() if fnmatchcase(name, pattern)}
    if not found:
        raise InputError(
            f"The loss asks for {pattern}, and the network estimates {', '.join(priors) or 'nothing of a face'}: take "
            f"network=dic (heatmaps) or network=fsrnet (heatmaps, parsing), or leave the loss out."
        )
    return found


def landmarks_of(batch: Batch) -> Tensor:
    """The true landmarks of a batch, (B, 68, 2) in HR pixels; nan where a face's are not known.

    Raises:
        InputError: the data has none.
    """
    if batch.landmarks is None:
        raise InputError("The loss asks for landmarks, and the data has none: take data=faces, and name its landmarks.")
    return batch.landmarks.float()
