"""What flows through the house: images as arrays and tensors, batches, and predictions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
"""A decoded image (H, W, C) in its own depth: uint8, uint16, or float32 with white at 1."""


@dataclass
class Batch:
    """Aligned training pairs on the training device.

    Attributes:
        lr: (B, C, H, W) float32 in [0, 1]; of clips (B, T, C, H, W), T frames that follow each other.
        hr: (B, C, scale H, scale W) float32 in [0, 1]; of clips (B, T, C, scale H, scale W).
        positions: (B,) int64, each sample's place in the run's stream: with the seed, it decides all that is random.
        parameters: what the degradation drew for each sample, by name, each (B, ...).
        guide: (B, G, scale H, scale W) float32 in [0, 1]: another sensor's image of the same scene; None for none.
        mask: (B, 1, scale H, scale W), 1 where HR is known and 0 in its holes; None: known everywhere.
        real_lr: (B, C, H, W) float32 in [0, 1]: LR as it was found, of other scenes than HR; None for none.
        landmarks: (B, 68, 2) float32, x and y in HR pixels from the centre of the top left one, in the order of
            `srlab.faces.layout`; nan for a face of which they are not known; None for images that are no faces.
    """

    lr: Tensor
    hr: Tensor
    positions: Tensor
    parameters: dict[str, Tensor] = field(default_factory=dict)
    guide: Tensor | None = None
    mask: Tensor | None = None
    real_lr: Tensor | None = None
    landmarks: Tensor | None = None

    @property
    def scale(self) -> int:
        """HR pixels per LR pixel."""
        return self.hr.shape[-1] // self.lr.shape[-1]


@dataclass(frozen=True)
class LabelledImage:
    """One whole image of a validation or test set.

    Attributes:
        dataset: the set's name, as it stands in results ("set5").
        name: the image's name within the set, without the extension ("baby").
        hr: (C, H, W) float32 in [0, 1].
        lr: (C, h, w) float32 in [0, 1] when the set brings its own LR image; None when the protocol makes it.
        levels: the largest code of the file's depth: 255 for 8 bit, 65535 for 16 bit, 0 for float (never rounded).
        guide: (G, H, W) float32 in [0, 1]: another sensor's image of the scene at the size of HR; None for none.
        mask: (1, H, W), 1 where HR is known and 0 in its holes; None: known everywhere.
        landmarks: (68, 2) of the face, as a `Batch` has them; None for none.
        truth: HR is known; False: `hr` only stands in its place.
    """

    dataset: str
    name: str
    hr: Tensor
    lr: Tensor | None
    levels: int
    guide: Tensor | None = None
    mask: Tensor | None = None
    landmarks: Tensor | None = None
    truth: bool = True


@dataclass(frozen=True)
class LabelledClip:
    """One whole clip of a validation or test set.

    Attributes:
        dataset: the set's name.
        name: the clip's name within the set ("city").
        frames: in their order, each read when it is asked for, named as in the set.
        made: SR frames that another program made, each in `hr`, to be scored in the stead of a network's; None for none.
    """

    dataset: str
    name: str
    frames: Sequence[LabelledImage]
    made: Sequence[LabelledImage] | None = None

    @property
    def lr(self) -> Tensor | None:
        """LR of the first frame, where the set brings its own."""
        return self.frames[0].lr


@dataclass(frozen=True)
class BareImage:
    """One whole LR image, of which no HR image is known.

    Attributes:
        dataset, name, levels: as of a `LabelledImage`.
        lr: (C, h, w) float32 in [0, 1].
    """

    dataset: str
    name: str
    lr: Tensor
    levels: int


class Prediction(NamedTuple):
    """What a network says of an LR batch.

    Attributes:
        sr: (B, C, scale H, scale W), not clamped.
        intermediate: named outputs on the way (pyramid levels, recursions, feedback steps), for multi-supervision.
        priors: what it estimated of the scene on the way, by names: of a face, heatmaps of its landmarks and maps of its
            parts, at sizes of their own; None for nothing.
    """

    sr: Tensor
    intermediate: dict[str, Tensor]
    priors: dict[str, Tensor] | None = None
