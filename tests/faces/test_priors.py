"""Priors: published weights fit and know real faces; they are frozen, and never random."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from srlab.degradation.resize import resize
from srlab.errors import InputError
from srlab.faces.alignment import five_points, similarity, warp
from srlab.faces.layout import PERMUTATION_68
from srlab.faces.priors.detector import BlazeFace, centres
from srlab.faces.priors.dlib import SAME_PERSON, Dlib
from srlab.faces.priors.mesh import FaceMesh
from srlab.faces.priors.mobilefacenet import TEMPLATE, MobileFaceNet, _MobileFaceNet
from srlab.faces.priors.prior import Prior
from tests.faces.drawn import face

Faces = tuple[Tensor, Tensor]


def test_a_similarity_is_found_again() -> None:
    points = torch.randn(3, 9, 2, generator=torch.Generator().manual_seed(0)).double()
    angle, scale, shift = 0.4, 1.7, torch.tensor([3.0, -5.0]).double()
    turn = scale * torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]).double()
    found = similarity(points, points @ turn.T + shift)
    torch.testing.assert_close(found, torch.cat((turn, shift[:, None]), 1).expand(3, 2, 3))


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    points = face()
    found = similarity(points * torch.tensor([-1.0, 1.0]), points)
    assert float(torch.linalg.det(found[0, :, :2])) > 0


def test_a_warp_moves_pixels_to_where_the_transform_says() -> None:
    image = torch.rand(2, 3, 12, 14)
    shifted = torch.tensor([[1.0, 0.0, -3.0], [0.0, 1.0, -2.0]]).expand(2, 2, 3)
    torch.testing.assert_close(warp(image, shifted, 6, 5), image[:, :, 2:8, 3:8])
    quarter = torch.tensor([[0.0, -1.0, 11.0], [1.0, 0.0, 0.0]]).expand(2, 2, 3)  # (x, y) -> (11 - y, x)
    torch.testing.assert_close(warp(image, quarter, 14, 12), image.transpose(2, 3).flip(3), atol=1e-5, rtol=0)


def test_five_points_of_a_drawn_face() -> None:
    points = five_points(face())[0]
    eyes, nose, mouth = points[:2], points[2:3], points[3:]
    torch.testing.assert_close(eyes[0] + eyes[1], torch.tensor([127.0, 2 * float(eyes[0, 1])]))
    assert nose.tolist() == [[63.5, 70.0]]
    assert mouth.tolist() == [[45.5, 92.0], [81.5, 92.0]]


def test_mobilefacenet_has_the_published_operations() -> None:
    """221 M multiply-adds (Chen et al., table 2, 112 x 112; here 112 x 96), counted by hooks."""
    network, counted = _MobileFaceNet().eval(), [0]

    def count(layer: torch.nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(layer, torch.nn.Conv2d)
        counted[0] += output[0].numel() * layer.weight[0].numel()

    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    assert network(torch.zeros(1, 3, 112, 96)).shape == (1, 128)
    assert counted[0] * 112 / 96 == pytest.approx(221e6, rel=0.02)


@pytest.mark.parametrize("prior", [MobileFaceNet, FaceMesh, BlazeFace])
def test_without_weights_there_is_no_prior(prior: type[MobileFaceNet | FaceMesh | BlazeFace], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no weights, and judges nothing without"):
        prior(None)
    with pytest.raises(InputError, match="there is no weight file"):
        prior(str(tmp_path / "missing.pth"))
    torch.save({"net_state_dict": {"conv1.weight": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=f"does not fit {prior.__name__}"):
        prior(str(tmp_path / "other.pth"))


@pytest.fixture(scope="module")
def identity(faces_root: Path) -> MobileFaceNet:
    return MobileFaceNet(str(faces_root / "weights/MobileFaceNet_068.ckpt"))


@pytest.fixture(scope="module")
def mesh(faces_root: Path) -> FaceMesh:
    return FaceMesh(str(faces_root / "weights/blazeface_landmark.pth"))


def test_a_face_is_more_like_its_mirror_image_than_like_any_other(identity: MobileFaceNet, celeba: Faces) -> None:
    images, landmarks = celeba
    mirrored = (landmarks * torch.tensor([-1.0, 1.0]) + torch.tensor([127.0, 0.0]))[:, list(PERMUTATION_68)]
    with torch.no_grad():
        alike = identity(images, landmarks) @ identity(images.flip(-1), mirrored).T
    assert torch.equal(alike.argmax(1), torch.arange(len(images)))
    assert float(alike.diag().mean()) > 0.85
    assert float(alike.mean() - alike.diag().mean() / len(images)) < 0.1


def test_where_the_face_lies_makes_no_difference_to_who_it_is(identity: MobileFaceNet, celeba: Faces) -> None:
    images, landmarks = celeba[0][:4], celeba[1][:4]
    large = resize(images, scale=2)
    with torch.no_grad():
        same = (identity(images, landmarks) * identity(large, landmarks * 2 + 0.5)).sum(1)
    assert float(same.min()) > 0.98


def test_the_mesh_lies_on_dlibs_landmarks(mesh: FaceMesh, celeba: Faces) -> None:
    images, landmarks = celeba
    with torch.no_grad():
        points = mesh(images, landmarks)
    assert points.shape == (24, 468, 2)
    for name, ours, theirs in (("left eye", 33, 36), ("right eye", 263, 45), ("mouth", 61, 48), ("nose", 1, 30)):
        distances = (points[:, ours] - landmarks[:, theirs]).norm(dim=1)
        unit = (landmarks[:, 36] - landmarks[:, 45]).norm(dim=1)
        assert float((distances / unit).mean()) < (0.12 if name == "nose" else 0.08), name


@pytest.fixture(scope="module")
def detector(faces_root: Path) -> BlazeFace:
    return BlazeFace(str(faces_root / "weights/blazeface.pth"))


def test_guesses_start_where_the_published_anchors_lie(faces_root: Path) -> None:
    anchors = np.load(faces_root / "weights/anchors_face.npy")
    assert np.array_equal(anchors[:, :2], centres().numpy())
    assert (anchors[:, 2:] == 1).all()  # all of one size: the frame's


def test_the_detector_finds_faces_and_their_eyes(detector: BlazeFace, celeba: Faces) -> None:
    images, landmarks = celeba
    with torch.no_grad():
        guesses = detector(images, landmarks)
    best = guesses[torch.arange(len(images)), guesses[..., 0].argmax(1)]
    points = best[:, 5:].unflatten(1, (6, 2))
    unit = (landmarks[:, 36] - landmarks[:, 45]).norm(dim=1)
    for place, theirs in enumerate((landmarks[:, 36:42].mean(1), landmarks[:, 42:48].mean(1), landmarks[:, 30])):
        assert float(((points[:, place] - theirs).norm(dim=1) / unit).mean()) < 0.1
    for image, marks in zip(images, landmarks, strict=True):
        box = detector.find(image[None])
        assert box is not None
        middle = marks[17:].mean(0)
        assert (torch.tensor(box[:2]) < middle).all()
        assert (middle < torch.tensor(box[2:])).all()


def test_a_face_is_found_wherever_it_lies_in_a_picture_of_any_size(detector: BlazeFace, celeba: Faces) -> None:
    picture = torch.full((1, 3, 200, 300), 0.5)
    picture[:, :, 60:188, 150:278] = celeba[0][0]
    alone, within = detector.find(celeba[0][:1]), detector.find(picture)
    assert alone is not None
    assert within is not None
    moved = torch.tensor(alone) + torch.tensor([150, 60, 150, 60])
    assert float((torch.tensor(within) - moved).abs().max()) < 12
    assert detector.find(celeba[0][:1].mean(1, keepdim=True)) is not None, "a grey picture is one too"


def test_noise_and_blanks_are_no_faces(detector: BlazeFace) -> None:
    noise = torch.rand(20, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    assert not any(detector.find(picture[None]) for picture in (*noise, torch.zeros(3, 64, 64)))
    with pytest.raises(ValueError, match="sure=1"):
        BlazeFace(None, sure=1)


@pytest.mark.parametrize("name", ["identity", "mesh", "detector"])
def test_a_prior_is_frozen_and_lets_the_gradient_through(
    name: str, request: pytest.FixtureRequest, celeba: Faces
) -> None:
    prior: Prior = request.getfixturevalue(name)
    images = celeba[0][:2].clone().requires_grad_()
    features = prior.train()(images, celeba[1][:2])
    assert torch.equal(features, prior.eval()(images, celeba[1][:2]))
    features.sum().backward()
    assert images.grad is not None
    assert bool(images.grad[:, :, 40:90, 40:90].abs().sum((1, 2, 3)).gt(0).all())
    assert not list(prior.parameters())
    assert not prior.state_dict()


def test_a_prior_is_not_autocast(identity: MobileFaceNet, celeba: Faces) -> None:
    images, landmarks = celeba[0][:2], celeba[1][:2]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        autocast = identity(images, landmarks)
    assert autocast.dtype == torch.float32
    with torch.no_grad():
        assert torch.equal(autocast, identity(images, landmarks))


def test_the_template_is_a_face() -> None:
    left, right, nose, *mouth = torch.tensor(TEMPLATE)
    assert left[0] < nose[0] < right[0] < 96
    assert left[1] < nose[1] < mouth[0][1] < 112


@pytest.fixture(scope="module")
def dlib() -> Dlib:
    pytest.importorskip("dlib", reason="needs dlib: pip install 'srlab[faces]'")
    return Dlib()


def test_dlib_marks_as_the_stored_landmarks_say(dlib: Dlib, celeba: Faces) -> None:
    for image, landmarks in zip(celeba[0][:6], celeba[1], strict=False):
        box = dlib.find(image[None])
        assert box is not None
        assert torch.equal(dlib.mark(image[None], box), landmarks)


def test_dlib_tells_people_apart(dlib: Dlib, celeba: Faces) -> None:
    described = []
    for image in (celeba[0][0], celeba[0][0].flip(-1), celeba[0][2]):
        box = dlib.find(image[None])
        assert box is not None
        described.append(dlib.describe(image[None], box))
    self_, mirrored, other = described
    assert float((self_ - mirrored).norm()) < SAME_PERSON < float((self_ - other).norm())


def test_dlib_finds_no_face_in_noise(dlib: Dlib) -> None:
    assert dlib.find(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))) is None
    with pytest.raises(InputError, match="one RGB picture"):
        dlib.find(torch.rand(1, 1, 64, 64))
