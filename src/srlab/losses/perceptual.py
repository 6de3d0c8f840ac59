"""Losses on deep features: content (Johnson et al., ECCV 2016; SRGAN; ESRGAN) and texture (Gatys et al.; EnhanceNet)."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.losses.features import VGG, Features
from srlab.losses.weighted import Step, Term
from srlab.schedules import Schedule


class FeatureTerm(Term):
    """Base of the losses on features: the weighted sum of what `compare` finds in each layer.

    The features of an image are computed once a step, those of HR without a graph; losses of one objective whose
    networks are the same share them.

    Args:
        features: the frozen network.
        layers: weights by the layers' names; one of weight 0 is left out.
        mean_one: divide the features of both images by the mean of HR's (EnhanceNet, section 5.3).
        weight, ramp: see `Term`.

    Raises:
        ValueError: no layer, a negative weight, or a layer that the network does not have.
    """

    def __init__(
        self,
        features: VGG,
        layers: Mapping[str, float],
        mean_one: bool = False,
        weight: float = 1.0,
        ramp: Schedule | None = None,
    ) -> None:
        super().__init__(weight, ramp)
        if min(layers.values(), default=0) < 0 or not any(layers.values()):
            raise ValueError(f"layers={dict(layers)}: name some with weights above 0, as in layers={{conv5_4: 1}}.")
        self.layers = {name: weight for name, weight in layers.items() if weight}
        features.want(self.layers)
        self.features, self.mean_one = features, mean_one

    def meet(self, others: Sequence[Term]) -> None:
        alike = [one for one in others if isinstance(one, FeatureTerm) and one.features.key == self.features.key]
        if alike:
            alike[0].features.want(self.layers)
            self.features = alike[0].features

    def measure(self, step: Step) -> Tensor:
        sr = self._features_of(step, step.prediction.sr)
        with torch.no_grad():
            hr = self._features_of(step, step.batch.hr)
        losses = []
        for name, weight in self.layers.items():
            with torch.no_grad():
                target = hr[name].float()
            ours = sr[name].float()
            if self.mean_one:
                mean = target.mean((1, 2, 3), keepdim=True) + 1e-6
                ours, target = ours / mean, target / mean
            losses.append(weight * self.compare(ours, target))
        return torch.stack(losses).sum()

    @abstractmethod
    def compare(self, sr: Tensor, hr: Tensor) -> Tensor:
        """The distance of two layers' features (B, C, H, W), float32: ()."""

    def _features_of(self, step: Step, image: Tensor) -> Features:
        key = (id(self.features), id(image))
        if key not in step.shared:
            step.shared[key] = self.features.of(image)
        found = step.shared[key]
        assert isinstance(found, Features)
        return found


class Content(FeatureTerm):
    """The distance of features: what is in the image, and where.

    Args:
        distance: of two layers' features, as a pixel loss has it.
        features, layers, mean_one, weight, ramp: see `FeatureTerm`.
    """

    def __init__(
        self,
        features: VGG,
        layers: Mapping[str, float],
        distance: nn.Module,
        mean_one: bool = False,
        weight: float = 1.0,
        ramp: Schedule | None = None,
    ) -> None:
        super().__init__(features, layers, mean_one, weight, ramp)
        self.distance = distance

    def compare(self, sr: Tensor, hr: Tensor) -> Tensor:
        value: Tensor = self.distance(sr, hr)
        return value


class Texture(FeatureTerm):
    """The mean squared distance of Gram matrices: which features go together, wherever they are.

    Args:
        patch: compare patches of so many cells of a layer, side by side (EnhanceNet: 16); what is left over at the
            border counts no more. None: the whole image.
        average: divide the Gram matrices by the cells that they are summed over; EnhanceNet's weights are for sums.
        features, layers, mean_one, weight, ramp: see `FeatureTerm`.
    """

    def __init__(
        self,
        features: VGG,
        layers: Mapping[str, float],
        patch: int | None = 16,
        average: bool = True,
        mean_one: bool = False,
        weight: float = 1.0,
        ramp: Schedule | None = None,
    ) -> None:
        super().__init__(features, layers, mean_one, weight, ramp)
        if patch is not None and patch < 1:
            raise ValueError(f"patch={patch}: give the cells of a patch's side, or null for the whole image.")
        self.patch, self.average = patch, average

    def compare(self, sr: Tensor, hr: Tensor) -> Tensor:
        return F.mse_loss(gram(sr, self.patch, self.average), gram(hr, self.patch, self.average))


def gram(features: Tensor, patch: int | None = None, average: bool = True) -> Tensor:
    """Gram matrices: (B, C, H, W) -> (B, patches, C, C). An image smaller than a patch is one patch."""
    batch, channels, height, width = features.shape
    rows, columns = min(patch or height, height), min(patch or width, width)
    whole = features[..., : height // rows * rows, : width // columns * columns]
    cells = whole.unfold(2, rows, rows).unfold(3, columns, columns)  # (B, C, down, across, rows, columns)
    flat = cells.permute(0, 2, 3, 1, 4, 5).reshape(batch, -1, channels, rows * columns)
    with torch.autocast(features.device.type, enabled=False):
        product = flat @ flat.mT
    return product / (rows * columns) if average else product
