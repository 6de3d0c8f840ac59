"""What dlib finds in a face: its box, 68 landmarks, and a descriptor (King, JMLR 2009). Not differentiable: it judges.

The landmarks are those of an ensemble of regression trees (Kazemi and Sullivan, CVPR 2014) trained on iBUG 300-W, whose
terms exclude commercial use; the descriptor is a ResNet's, by whose authors two pictures are one person's where the
distance is below 0.6.
"""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from srlab.data.pixels import to_pixels
from srlab.errors import InputError

SAME_PERSON = 0.6
"""The descriptors' distance below which dlib takes two pictures for one person's."""


class Dlib:
    """Finds, marks and describes the largest face of a picture.

    Args:
        upsampled: how often the picture is doubled before a face is looked for: once, since the detector wants faces of
            80 pixels, which fill more than the half of 128.

    Attributes:
        tag: what judged, for a protocol's hash.

    Raises:
        InputError: dlib or its models are not installed.
    """

    def __init__(self, upsampled: int = 1) -> None:
        models = importlib.util.find_spec("face_recognition_models")
        if importlib.util.find_spec("dlib") is None or models is None or models.origin is None:
            raise InputError(
                "Faces are found and marked by dlib, which is missing: pip install 'srlab[faces]', or leave it out of the "
                "protocol (protocol.dlib=null)."
            )
        import dlib

        folder = Path(models.origin).parent / "models"
        self.upsampled = upsampled
        self.tag = f"dlib {upsampled}"
        self._rectangle = dlib.rectangle
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat"))

    def find(self, image: Tensor) -> tuple[int, int, int, int] | None:
        """The box of the largest face of (1, 3, H, W) in [0, 1]: left, top, right, bottom; None where there is none."""
        boxes = self._detector(_codes(image), self.upsampled)
        if not boxes:
            return None
        box = max(boxes, key=lambda box: box.area())
        return box.left(), box.top(), box.right(), box.bottom()

    def mark(self, image: Tensor, box: tuple[int, int, int, int]) -> Tensor:
        """The landmarks of the face in a box: (68, 2), x and y in whole pixels."""
        return torch.tensor([[point.x, point.y] for point in self._marked(image, box).parts()], dtype=torch.float32)

    def describe(self, image: Tensor, box: tuple[int, int, int, int], like: Tensor | None = None) -> Tensor:
        """The descriptor of the face in a box: (128,) float64.

        Args:
            image: (1, 3, H, W) in [0, 1].
            box: where the face lies.
            like: the picture in which the landmarks are looked for that align the face; None: this one.
        """
        marked = self._marked(image if like is None else like, box)
        return torch.tensor(list(self._network.compute_face_descriptor(_codes(image), marked)), dtype=torch.float64)

    def _marked(self, image: Tensor, box: tuple[int, int, int, int]) -> Any:
        return self._predictor(_codes(image), self._rectangle(*box))


def _codes(image: Tensor) -> Any:
    if image.shape[:2] != (1, 3):
        raise InputError(f"dlib looks at one RGB picture, (1, 3, H, W), not at {tuple(image.shape)}: set channels=3.")
    return np.ascontiguousarray(to_pixels(image[0], 255))
