"""Maps of landmarks: closed forms, a face drawn by hand, and scikit-image's polygons."""

import math

import numpy as np
import pytest
import torch
from skimage.draw import polygon2mask

from srlab.faces import layout
from srlab.faces.maps import PARSED, components, heatmaps, inside, known, parsing_maps
from tests.faces.drawn import face


def test_a_symmetric_face_stays_itself_when_it_is_mirrored() -> None:
    mirrored = face() * torch.tensor([-1.0, 1.0]) + torch.tensor([127.0, 0.0])
    torch.testing.assert_close(mirrored[:, list(layout.PERMUTATION_68)], face())


def test_the_maps_of_a_mirrored_face_are_mirrored_and_left_is_right() -> None:
    lopsided = face() + torch.tensor([7.0, -3.0]) + torch.rand(1, 68, 2, generator=torch.Generator().manual_seed(0))
    mirrored = (lopsided * torch.tensor([-1.0, 1.0]) + torch.tensor([127.0, 0.0]))[:, list(layout.PERMUTATION_68)]
    drawn, other = heatmaps(lopsided, 32, 1.5, 4), heatmaps(mirrored, 32, 1.5, 4)
    torch.testing.assert_close(other, drawn.flip(-1)[:, list(layout.PERMUTATION_68)])
    torch.testing.assert_close(components(other), components(drawn).flip(-1)[:, [1, 0, 2, 3, 4]])
    other_side = {"left": "right", "right": "left"}
    sides = [PARSED.index(" ".join(other_side.get(word, word) for word in name.split())) for name in PARSED]
    assert torch.equal(parsing_maps(mirrored, 128), parsing_maps(lopsided, 128).flip(-1)[:, sides])


def test_the_permutation_undoes_itself() -> None:
    assert [layout.PERMUTATION_68[i] for i in layout.PERMUTATION_68] == list(range(68))
    assert [i for i in range(68) if layout.PERMUTATION_68[i] == i] == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]


def test_a_heatmap_is_a_gaussian_of_height_1_at_the_landmark() -> None:
    points = torch.full((1, 68, 2), 5.0)
    points[0, 3] = torch.tensor([9.0, 2.0])
    maps = heatmaps(points, 16, 1.5)
    assert maps.shape == (1, 68, 16, 16)
    assert maps[0, 3, 2, 9] == 1
    assert float(maps[0, 3, 4, 8]) == pytest.approx(math.exp(-5 / (2 * 1.5**2)))


def test_a_smaller_map_has_the_landmark_where_it_lies() -> None:
    points = torch.full((1, 68, 2), 13.5)  # the middle of HR's pixels 12 to 15, which are pixel 3 of the map
    maps = heatmaps(points, 8, 1.0, stride=4)
    assert maps[0, 0, 3, 3] == 1


def test_unknown_faces_have_no_maps() -> None:
    points = face().repeat(2, 1, 1)
    points[1, 40, 0] = math.nan
    assert known(points).tolist() == [True, False]
    for maps in (heatmaps(points, 32, 1.0, 4), parsing_maps(points, 32, 4)):
        assert maps.isfinite().all()
        assert maps[0].any()
        assert not maps[1].any()


def test_five_components_hold_each_landmark_once() -> None:
    assert sorted(point for points in layout.COMPONENTS.values() for point in points) == list(range(68))
    maps = torch.zeros(1, 68, 4, 8)
    for point in range(68):
        maps[0, point, point // 17, point % 8] = 0.25  # of any height: scaled to 1
    assert components(maps).sum((0, 2, 3)).tolist() == [6, 6, 9, 20, 27]
    maps[0, 36] = 0.01 * (maps[0, 36] > 0)
    assert float(components(maps)[0, 0].sum()) == pytest.approx(5 + 0.2)


def test_components_want_all_landmarks() -> None:
    with pytest.raises(ValueError, match="expected 68 heatmaps, got 5"):
        components(torch.zeros(1, 5, 4, 4))


def test_a_polygon_is_scikit_images() -> None:
    corners = np.array([[3.2, 2.1], [20.7, 5.3], [12.4, 11.2], [22.6, 20.9], [4.3, 17.7]])
    axis = torch.arange(24.0)
    pixels = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    ours = inside(torch.from_numpy(corners).float()[None], pixels)[0].numpy()
    assert np.array_equal(ours, polygon2mask((24, 24), corners[:, ::-1]))  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("part", "x", "y"),
    [
        ("background", 2, 2),
        ("background", 63, 30),  # the forehead
        ("skin", 30, 75),
        ("left brow", 40, 40),
        ("right brow", 87, 40),
        ("left eye", 41, 54),
        ("right eye", 86, 54),
        ("nose", 63, 72),
        ("upper lip", 63, 90),
        ("mouth", 63, 95),
        ("lower lip", 63, 101),
    ],
)
def test_parsing_maps_say_what_is_where(part: str, x: int, y: int) -> None:
    maps = parsing_maps(face(), 128)
    assert maps.shape == (1, 10, 128, 128)
    assert torch.equal(maps.sum(1), torch.ones(1, 128, 128))
    assert PARSED[int(maps[0, :, y, x].argmax())] == part


def test_a_symmetric_face_has_symmetric_maps() -> None:
    maps = parsing_maps(face(), 128)
    mirrored = maps.flip(-1)[:, [0, 1, 3, 2, 5, 4, 6, 7, 8, 9]]
    assert float((mirrored != maps).any(1).float().mean()) < 0.005  # where a line passes through pixels' centres


def test_maps_go_with_landmarks_at_any_stride() -> None:
    large, small = parsing_maps(face(), 128), parsing_maps(face(), 32, 4)
    shares = torch.nn.functional.avg_pool2d(large, 4)
    assert float((shares - small).abs().mean()) < 0.01


@pytest.mark.parametrize(("size", "sigma", "stride"), [(0, 1.0, 1.0), (8, 0.0, 1.0), (8, 1.0, 0.0)])
def test_numbers_that_cannot_be_are_refused(size: int, sigma: float, stride: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        heatmaps(face(), size, sigma, stride)
