"""Faces: folders of aligned pictures, and the landmarks that are known of them."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srlab.data.crops import Augment
from srlab.data.found import FoundData
from srlab.data.source import Part, Source
from srlab.data.sources import Folder
from srlab.errors import InputError
from srlab.faces.layout import POINTS


class Faces(Folder):
    """The pictures of a folder, one face each.

    Args:
        root: the folder; its name is the set's, without `_HR`.
        landmarks: an .npz file with `names` (N,), of the pictures' files, and `landmarks` (N, 68, 2), x and y in HR
            pixels, nan where they are not known; None: none are.

    Raises:
        InputError: no such folder or file, or a file that holds other things or other pictures' landmarks.
    """

    def __init__(self, root: str, landmarks: str | None = None) -> None:
        super().__init__(root, recursive=False)
        self.name = self.name.lower().removesuffix("_hr")
        if landmarks is not None:
            self.landmarks = read_landmarks(Path(landmarks).expanduser(), [path.name for path in self.paths])


def read_landmarks(path: Path, names: Sequence[str]) -> NDArray[np.float32]:
    """The landmarks of pictures by their files' names, nan for those that the file does not know: (names, 68, 2)."""
    if not path.is_file():
        raise InputError(f"There is no file of landmarks {path}: check data.landmarks, or leave it null.")
    try:
        with np.load(path, allow_pickle=False) as file:
            known, points = file["names"], file["landmarks"].astype(np.float32)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(f"{path} is no .npz file with `names` and `landmarks`: {error}.") from None
    if points.shape != (len(known), POINTS, 2):
        raise InputError(
            f"{path}: landmarks are {points.shape}, expected ({len(known)}, {POINTS}, 2): 68 points in iBUG's order, x and "
            f"y, for each of its {len(known)} names. Five points do not do: find 68 (docs/faces.md says how), or leave "
            f"data.landmarks out."
        )
    places = {str(name): place for place, name in enumerate(known)}
    if not places.keys() & set(names):
        raise InputError(
            f"{path} knows none of the {len(names)} pictures, such as {names[0]}: name the set's own file."
        )
    found = np.full((len(names), POINTS, 2), np.nan, np.float32)
    for index, name in enumerate(names):
        if name in places:
            found[index] = points[places[name]]
    return found


def sizes(faces: Source) -> dict[tuple[int, int], str]:
    """Heights and widths of pictures, each with where the first of them is; the audit names what cannot be read."""
    found: dict[tuple[int, int], str] = {}
    for index in range(len(faces)):
        with contextlib.suppress(InputError):
            header = faces.header(index)
            found.setdefault((header.height, header.width), faces.where(index))
    return found


def mixed(found: dict[tuple[int, int], str]) -> list[str]:
    """What is wrong with pictures of several sizes, of which a part of the larger ones would be cut out."""
    if len(found) < 2:
        return []
    listed = ", ".join(f"{height} x {width} ({where})" for (height, width), where in found.items())
    return [f"faces are aligned in pictures of one size, these have {listed}: bring them to one, or set data.patch"]


@dataclass(kw_only=True, eq=False, repr=False)
class FaceData(FoundData):
    """One folder of faces, split by their order, and others to test on.

    Args:
        root: the folder; its first `test_count` pictures are tested on, its last `val_count` validate, the others train.
        landmarks: of the pictures in it, see `Faces`: for losses that ask for them. No network is ever given them.
        test_count: 0: none of `root`.
        val_count: 0: what is tested on validates.
        test_root: further sets to test on.
        patch: LR pixels of what is trained on; None: the whole face, or the square of it that whole LR pixels fill.

    Raises:
        ValueError: counts that the folder does not have. Pictures of several sizes are refused when they are to train whole.
    """

    root: str
    landmarks: str | None = None
    test_count: int = 200
    val_count: int = 20
    test_root: str | Sequence[str] | None = None
    patch: int | None = None  # type: ignore[assignment]
    augment: Augment = "mirror"

    def __post_init__(self) -> None:
        faces = Faces(self.root, self.landmarks)
        first, last = self.test_count, len(faces) - self.val_count
        if min(self.test_count, self.val_count) < 0 or first > last:
            raise ValueError(
                f"data.test_count={self.test_count} and data.val_count={self.val_count} do not fit the {len(faces)} "
                f"pictures of {self.root}: lower them."
            )
        train = Part(faces, range(first, last))
        if self.patch is None:
            found = sizes(train)
            self.patch = max(1, min((min(size) for size in found), default=1) // self.scale)
            train.complaints = mixed(found)
        super().__post_init__()
        roots = [self.test_root] if isinstance(self.test_root, str) else self.test_root or []
        tested = [Part(faces, range(first))] if first else []
        self.train = train if len(train) else None
        self.test = [*tested, *map(Faces, roots)]
        self.val = Part(faces, range(last, len(faces))) if self.val_count else self.test
