"""Find the landmarks of a folder of faces, for `data.landmarks`: `python -m srlab.faces.find <folder> <file.npz>`.

They are dlib's, of the largest face of each picture; nan where it finds none.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from srlab.data.faces import Faces
from srlab.data.pixels import to_tensor
from srlab.errors import InputError
from srlab.faces.layout import POINTS
from srlab.faces.priors.dlib import Dlib
from srlab.faces.priors.prior import rgb
from srlab.files import write_atomically


def find(folder: str, path: str) -> int:
    """Write `names` (N,) and `landmarks` (N, 68, 2) of a folder's pictures; return in how many a face was found.

    Raises:
        InputError: no such folder, no dlib, or no face in any picture.
    """
    faces, judge = Faces(folder), Dlib()
    landmarks = np.full((len(faces), POINTS, 2), np.nan, np.float32)
    for index in range(len(faces)):
        image = rgb(to_tensor(faces.image(index))[None])
        if (box := judge.find(image)) is not None:
            landmarks[index] = judge.mark(image, box).numpy()
    found = int(np.isfinite(landmarks).all((1, 2)).sum())
    if not found:
        raise InputError(
            f"dlib finds no face in the {len(faces)} pictures of {folder}: it wants faces of 40 pixels or more, upright."
        )
    names = [place.name for place in faces.paths]
    write_atomically(Path(path), lambda file: np.savez(file, names=names, landmarks=landmarks))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `python -m srlab.faces.find`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", help="of pictures with one face each")
    parser.add_argument("path", help="of the .npz to write")
    asked = parser.parse_args(arguments)
    try:
        print(f"{find(asked.folder, asked.path)} faces: data.landmarks={asked.path}")  # noqa: T201
    except InputError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
