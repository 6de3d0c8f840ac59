"""The protocol of faces: pixels, where the landmarks lie, and who it is; a network that trained with a judge has another.

PSNR and SSIM are those of the whole face's luma, as in DIC and SPARNet. Landmarks of HR and SR are found by one detector
in the box that it finds in HR; a face that it does not find in HR has no score but PSNR and SSIM. Networks are judged by
what they made: no landmark of the truth reaches them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from srlab.degradation.resize import resize
from srlab.evaluation.photographs import PhotographProtocol
from srlab.evaluation.protocol import Case, Judged
from srlab.faces import layout
from srlab.faces.maps import known
from srlab.faces.priors.detector import BlazeFace, Box
from srlab.faces.priors.dlib import SAME_PERSON, Dlib
from srlab.faces.priors.mesh import FaceMesh
from srlab.faces.priors.mobilefacenet import MobileFaceNet
from srlab.interpolants import Kernel
from srlab.types import LabelledImage

JUDGES = ("dlib", "identity", "mesh", "finder")


@dataclass(frozen=True)
class FaceProtocol(PhotographProtocol):
    """The scores of photographs, and those of what judges of faces there are.

    | score | of | what it is |
    |---|---|---|
    | `judged` | each picture | 100 where HR has a face that can be judged, 0 where not; these alone have what follows |
    | `detected` | each face | 100 where the finder finds one in SR, 0 where not: the mean is a rate |
    | `nme` | each face | the landmarks' mean distance between SR and HR, in % of HR's outer eye corners' |
    | `failed` | each face | 100 where `nme` is above `failed_above`, 0 where not |
    | `descriptor`, `descriptor_same` | each face | the distance of dlib's descriptors; 100 where it is below 0.6 |
    | `mesh_nme` | each face | as `nme`, of the 468 points of the mesh in one frame |
    | `identity` | each face | the cosine of MobileFaceNet's embeddings of SR and HR |
    | `impostors`, `impostors_p95` | a set | the same of two people's HR: the mean, and what one in twenty exceed |
    | `verified` | a set | % of SR above the cosine that `false_accepts` of the pairs of two people's HR exceed |
    | `rank1` | a set | % of SR whose nearest HR of the set is their own |

    Args:
        dlib: finds and marks the faces, and compares descriptors; None: faces lie where the set's own landmarks say.
        identity: compares who it is, each picture aligned by its own landmarks; None: nobody asks.
        mesh: compares where 468 points lie; None: nobody asks.
        finder: tells whether SR has a face; None: dlib does. Faces of HR are always found by dlib.
        failed_above: the error above which landmarks are lost, in % of the eyes' distance.
        false_accepts: the share of strangers that a verification may take for one person.
        others: see `PhotographProtocol`.
    """

    dlib: Dlib | None = None
    identity: MobileFaceNet | None = None
    mesh: FaceMesh | None = None
    finder: BlazeFace | None = None
    failed_above: float = 10.0
    false_accepts: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("failed_above", "false_accepts"):
            object.__setattr__(self, field, float(getattr(self, field)))
        if self.failed_above <= 0 or not 0 < self.false_accepts < 1:
            raise ValueError(
                f"protocol.failed_above={self.failed_above} must be above 0, and protocol.false_accepts="
                f"{self.false_accepts} between 0 and 1."
            )
        if self.network_input != "image":
            raise ValueError("protocol.network_input=y gives luma alone, and faces are judged in colour: take image.")

    def settings(self) -> dict[str, Any]:
        """A judge stands by its tag: the same weights judge alike wherever their file lies."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.finder is None:  # as it was before there was another than dlib
            del values["finder"]
        return values | {name: values[name] and values[name].tag for name in JUDGES if name in values}

    def prepare(self, image: LabelledImage, scale: int, channels: int) -> Case:
        return replace(super().prepare(image, scale, channels), landmarks=image.landmarks)

    def interpolation(self, kernel: Kernel, scale: int, levels: int) -> Callable[..., Tensor] | None:
        """In float: rounded once, when it is scored, as LR is."""
        return lambda lr, guide=None: resize(lr.double(), scale=scale, kernel=kernel)

    def baseline(self, case: Case) -> Tensor:
        return resize(case.lr.double(), scale=case.scale)

    @torch.no_grad()
    def judge(self, sr: Tensor, case: Case) -> Judged:
        values = self.score(sr, case)
        if not any(getattr(self, name) for name in JUDGES):
            return Judged(values)
        ours, truth = (image.float().expand(-1, 3, -1, -1) for image in (self._finished(sr, case), case.hr))
        marks = our_marks = case.landmarks
        if self.dlib is not None:
            box = self.dlib.find(truth)
            marks, our_marks = (box and self.dlib.mark(image, box) for image in (truth, ours))
        if marks is None or our_marks is None or not known(marks[None]):
            return Judged(values | {"judged": 0.0})
        values["judged"] = 100.0
        if finder := self.finder or self.dlib:
            values["detected"] = 100.0 * (finder.find(ours) is not None)
        if self.dlib is not None and box is not None:
            values |= self._by_dlib(self.dlib, ours, truth, box, landmark_error(our_marks, marks, marks))
        if self.mesh is not None:
            points, our_points = (self.mesh(image, marks[None])[0] for image in (truth, ours))
            values["mesh_nme"] = landmark_error(our_points, points, marks)
        if self.identity is None:
            return Judged(values)
        person, ours_of = self.identity(truth, marks[None])[0], self.identity(ours, our_marks[None])[0]
        values["identity"] = float(person @ ours_of)
        return Judged(values, (ours_of, person))

    def _by_dlib(self, dlib: Dlib, ours: Tensor, truth: Tensor, box: Box, error: float) -> dict[str, float]:
        distance = float((dlib.describe(ours, box, like=truth) - dlib.describe(truth, box)).norm())
        return {
            "nme": error,
            "failed": 100.0 * (error > self.failed_above),
            "descriptor": distance,
            "descriptor_same": 100.0 * (distance < SAME_PERSON),
        }

    def of_set(self, traits: Sequence[tuple[Tensor, Tensor]]) -> dict[str, float]:
        """From embeddings of SR and HR: what strangers have in common, and who is recognised among all of the set."""
        if len(traits) < 2:
            return {}
        probes, gallery = (torch.stack(embeddings).double() for embeddings in zip(*traits, strict=True))
        strangers = (gallery @ gallery.T)[~torch.eye(len(gallery), dtype=torch.bool)]
        alike = probes @ gallery.T
        own = alike.diag()
        accepted = strangers.quantile(1 - self.false_accepts)
        return {
            "impostors": float(strangers.mean()),
            "impostors_p95": float(strangers.quantile(0.95)),
            "verified": 100 * float((own > accepted).double().mean()),
            "rank1": 100 * float((own == alike.amax(1)).double().mean()),  # nan is equal to nothing
        }


def landmark_error(points: Tensor, truth: Tensor, marks: Tensor) -> float:
    """The mean distance of points (N, 2) in % of that between the outer eye corners of `marks` (68, 2)."""
    left, right = layout.EYE_CORNERS
    return 100 * float((points - truth).norm(dim=1).mean() / (marks[left] - marks[right]).norm())
