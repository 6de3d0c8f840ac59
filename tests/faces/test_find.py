"""Landmarks of one's own folder: those that were stored of the same pictures, and none where there is no face."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlab.data.faces import Faces
from srlab.faces.find import main

pytest.importorskip("dlib", reason="needs dlib: pip install 'srlab[faces]'")


def noise(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)).save(path)


def test_the_stored_landmarks_are_found_again(
    faces_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = str(faces_root / "celeba_val_1000_dlib68.npz")
    everything = Faces(str(faces_root / "fsrnet/data/celeba_val_1000_HR"), stored)
    noise(tmp_path / "faces/0.png")
    for path in everything.paths[:3]:
        (tmp_path / "faces" / path.name).symlink_to(path)
    main([str(tmp_path / "faces"), str(tmp_path / "found.npz")])
    assert capsys.readouterr().out.startswith("3 faces: data.landmarks=")
    found = Faces(str(tmp_path / "faces"), str(tmp_path / "found.npz")).landmarks
    assert found is not None
    assert everything.landmarks is not None
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1:], everything.landmarks[:3])


def test_a_folder_without_faces_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    noise(tmp_path / "faces/0.png")
    for folder, message in (("faces", "dlib finds no face in the 1 pictures"), ("nowhere", "nowhere")):
        with pytest.raises(SystemExit) as ended:
            main([str(tmp_path / folder), str(tmp_path / "found.npz")])
        assert ended.value.code == 1
        assert message in capsys.readouterr().err
    assert not (tmp_path / "found.npz").exists()
