"""Folders of faces: which are trained, validated and tested on, and whose landmarks are whose."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlab.data.faces import FaceData, Faces
from srlab.degradation.downscale import Downscale
from srlab.errors import InputError


def faces(folder: Path, count: int = 6) -> Path:
    """Pictures 1.png to 6.png, and landmarks of all but the second, in another order: those of n are all n."""
    root = folder / "Some_HR"
    root.mkdir()
    for number in range(1, count + 1):
        Image.new("RGB", (32, 32), (number, 0, 0)).save(root / f"{number}.png")
    numbers = [number for number in range(count, 0, -1) if number != 2]
    points = np.array(numbers, np.float64)[:, None, None] * np.ones((1, 68, 2))
    np.savez(folder / "landmarks.npz", names=[f"{number}.png" for number in numbers], landmarks=points)
    return root


def test_landmarks_find_their_pictures_by_name(tmp_path: Path) -> None:
    source = Faces(str(faces(tmp_path)), str(tmp_path / "landmarks.npz"))
    assert source.name == "some"
    assert source.landmarks is not None
    assert source.landmarks.dtype == np.float32
    np.testing.assert_array_equal(source.landmarks[:, 5, 1], [1, np.nan, 3, 4, 5, 6])


def data(
    root: Path, landmarks: Path | None = None, test_count: int = 2, val_count: int = 1, patch: int | None = 16
) -> FaceData:
    return FaceData(
        degradation=Downscale(scale=2),
        scale=2,
        channels=3,
        batch_size=4,
        patch=patch,
        iterations=3,
        seed=0,
        root=str(root),
        landmarks=None if landmarks is None else str(landmarks),
        test_count=test_count,
        val_count=val_count,
        test_root=str(root),
    )


def test_the_first_are_tested_on_the_last_validate_the_others_train(tmp_path: Path) -> None:
    module = data(faces(tmp_path), tmp_path / "landmarks.npz")
    assert module.train is not None
    assert [module.train.label(index) for index in range(len(module.train))] == ["3", "4", "5"]
    module.setup("fit")
    module.setup("test")
    assert [image.name for image in module.val_dataloader()] == ["6"]
    assert [image.name for image in module.test_dataloader()] == ["1", "2", "1", "2", "3", "4", "5", "6"]
    for batch in module.train_dataloader():
        codes, numbers = (batch["hr"][:, 0, 20, 20] * 255).round(), batch["landmarks"][:, 0, 1]
        assert codes.tolist() == numbers.tolist()
        assert set(codes.tolist()) <= {3, 4, 5}


def test_a_set_may_only_be_tested_on(tmp_path: Path) -> None:
    module = data(faces(tmp_path), test_count=6, val_count=0)
    assert module.train is None
    assert module.val is module.test


def test_the_whole_face_is_trained_on_unless_a_patch_is_asked_for(tmp_path: Path) -> None:
    root = faces(tmp_path)
    assert data(root, patch=None).patches == {2: 16}
    for number in (1, 2, 6):  # tested and validated on: of any size
        Image.new("RGB", (50, 40)).save(root / f"{number}.png")
    data(root, patch=None).setup("fit")
    Image.new("RGB", (40, 24)).save(root / "4.png")
    module = data(root, patch=None)
    module.setup("test")
    with pytest.raises(InputError, match=r"of one size, these have 32 x 32 \(.*3\.png\), 24 x 40 \(.*4\.png\)"):
        module.setup("fit")
    data(root, patch=8).setup("fit")


def test_counts_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.test_count=5 and data\.val_count=2 do not fit the 6 pictures"):
        data(faces(tmp_path), test_count=5, val_count=2)


def test_files_of_landmarks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    root = str(faces(tmp_path))
    with pytest.raises(InputError, match="no file of landmarks"):
        Faces(root, str(tmp_path / "missing.npz"))
    (tmp_path / "broken.npz").write_text("?")
    with pytest.raises(InputError, match=r"is no \.npz file with"):
        Faces(root, str(tmp_path / "broken.npz"))
    np.savez(tmp_path / "short.npz", names=["1.png"], landmarks=np.zeros((1, 5, 2)))
    with pytest.raises(InputError, match=r"landmarks are \(1, 5, 2\), expected \(1, 68, 2\)"):
        Faces(root, str(tmp_path / "short.npz"))
    np.savez(tmp_path / "other.npz", names=["7.png"], landmarks=np.zeros((1, 68, 2)))
    with pytest.raises(InputError, match="knows none of the 6 pictures"):
        Faces(root, str(tmp_path / "other.npz"))
