"""Losses of faces: by hand on maps drawn of landmarks, and who counts."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from srlab.build import build, build_all
from srlab.degradation.resize import resize
from srlab.errors import InputError
from srlab.faces.maps import heatmaps, parsing_maps
from srlab.faces.priors.prior import Prior
from srlab.losses.face_priors import Identity, Points, SeenByPrior
from srlab.losses.faces import Heatmaps, Parsing
from srlab.losses.weighted import Step, WeightedSum
from srlab.types import Batch, Prediction
from tests.conftest import composed


def landmarks() -> Tensor:
    """Of two faces, (2, 68, 2): points on circles around the middle of 32 x 32 pixels."""
    angle = torch.arange(68) * 2 * torch.pi / 68
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return torch.stack([16 + 10 * circle, 15 + 12 * circle])


def step_of(priors: dict[str, Tensor] | None, points: Tensor | None) -> Step:
    batch = Batch(torch.rand(2, 3, 4, 4), torch.rand(2, 3, 32, 32), torch.arange(2), landmarks=points)
    return Step(Prediction(torch.rand(2, 3, 32, 32), {}, priors), batch)


def test_heatmaps_of_all_steps_are_averaged_as_images_are_and_each_is_logged() -> None:
    points = landmarks()
    right = heatmaps(points, 8, 1.5, stride=4)
    estimates = {"heatmaps1": right + 0.5, "heatmaps2": right - 0.25, "parsing": torch.rand(2, 10, 8, 8)}
    total, parts = Heatmaps(sigma=1.5).measure_parts(step_of(estimates, points))
    torch.testing.assert_close(parts, {"heatmaps1": torch.tensor(0.25), "heatmaps2": torch.tensor(0.0625)})
    torch.testing.assert_close(total, torch.tensor(0.15625))
    assert Heatmaps(sigma=1.5, outputs="heatmaps2").measure(step_of(estimates, points)).item() == pytest.approx(0.0625)


def test_dics_objective_is_its_papers_up_to_a_factor() -> None:
    """The sum over steps of L1 + 0.1 x the squared error of the heatmaps (equation 7)."""
    points = landmarks()
    prediction = Prediction(
        torch.rand(2, 3, 32, 32),
        {"step1": torch.rand(2, 3, 32, 32)},
        {f"heatmaps{n}": torch.rand(2, 68, 8, 8) for n in (1, 2)},
    )
    step = step_of(None, points)
    supervision, drawn = build_all(composed("train", ["network=dic", "loss=[steps,heatmaps]", "run_dir=."]).loss)
    terms = WeightedSum({"steps": supervision, "heatmaps": drawn})
    found = terms(Step(prediction, step.batch)).total
    images = [prediction.intermediate["step1"], prediction.sr]
    pixels = [(image - step.batch.hr).abs().mean() for image in images]
    maps = [(made - heatmaps(points, 8, 1.0, stride=4)).square().mean() for made in (prediction.priors or {}).values()]
    torch.testing.assert_close(2 * found, torch.stack(pixels).sum() + 0.1 * torch.stack(maps).sum())


def test_parsing_is_compared_at_the_maps_own_size() -> None:
    points = landmarks()
    estimates = {"parsing": parsing_maps(points, 16, stride=2)}
    assert Parsing().measure(step_of(estimates, points)).item() == 0
    estimates["parsing"][:, :5] += 1
    assert Parsing().measure(step_of(estimates, points)).item() == pytest.approx(0.5)


def test_faces_whose_landmarks_are_unknown_count_nowhere() -> None:
    points = landmarks()
    points[1, 40] = torch.nan
    maps = torch.rand(2, 68, 8, 8, requires_grad=True)
    loss = Heatmaps().measure(step_of({"heatmaps": maps}, points))
    expected = (maps[0] - heatmaps(points[:1], 8, 1.0, stride=4)[0]).square().mean()
    torch.testing.assert_close(loss, expected)
    (gradient,) = torch.autograd.grad(loss, maps)
    assert gradient[0].any()
    assert not gradient[1].any()
    nobody = Heatmaps().measure(step_of({"heatmaps": maps}, torch.full_like(points, torch.nan)))
    assert nobody.item() == 0
    assert not torch.autograd.grad(nobody, maps)[0].any()


@pytest.mark.parametrize(
    ("priors", "points", "message"),
    [
        (None, landmarks(), "the network estimates nothing of a face: take network=dic"),
        ({"parsing": torch.rand(2, 10, 8, 8)}, landmarks(), "the network estimates parsing"),
        ({"heatmaps": torch.rand(2, 68, 8, 8)}, None, "the data has none: take data=faces"),
    ],
)
def test_what_is_missing_is_named_with_the_remedy(
    priors: dict[str, Tensor] | None, points: Tensor | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Heatmaps().measure(step_of(priors, points))


def test_a_sigma_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="sigma=0"):
        Heatmaps(sigma=0)


class Colours(Prior):
    """The mean colours of a face's surrounding, by a convolution whose weights a file has."""

    def features(self, images: Tensor, landmarks: Tensor) -> Tensor:
        seen: Tensor = self.network(images)
        return seen.mean((2, 3))


class Middle(Prior):
    """Two points: three pixels right of the first landmark, as far as red goes, and the first landmark."""

    def features(self, images: Tensor, landmarks: Tensor) -> Tensor:
        red = images[:, 0].mean((1, 2))
        moved = torch.stack([landmarks[:, 0, 0] + 3 * red, landmarks[:, 0, 1]], dim=1)
        return torch.stack([moved, landmarks[:, 0]], dim=1)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    torch.manual_seed(0)
    torch.save(nn.Conv2d(3, 4, 1).state_dict(), tmp_path / "colours.pth")
    return str(tmp_path / "colours.pth")


def test_identity_is_the_angle_or_the_distance_of_embeddings(weights: str) -> None:
    prior = Colours(nn.Conv2d(3, 4, 1), weights)
    step = step_of(None, landmarks())
    ours, right = (prior(images, landmarks()) for images in (step.prediction.sr, step.batch.hr))
    cosine = (ours * right).sum(1) / ours.norm(dim=1) / right.norm(dim=1)
    torch.testing.assert_close(Identity(prior).measure(step), 1 - cosine.mean())
    torch.testing.assert_close(Identity(prior, "l2").measure(step), ((ours - right) ** 2).sum(1).mean())
    with pytest.raises(ValueError, match="choose cosine or l2"):
        Identity(prior, "l1")  # type: ignore[arg-type]


def test_points_count_in_distances_of_the_eyes(weights: str) -> None:
    points = landmarks()
    step = step_of(None, points)
    red = (step.prediction.sr - step.batch.hr)[:, 0].mean((1, 2)).abs()
    eyes = (points[:, 36] - points[:, 45]).norm(dim=1)
    found = Points(Middle(nn.Conv2d(3, 4, 1), weights)).measure(step)
    torch.testing.assert_close(found, (3 * red / 2 / eyes).mean())


@pytest.mark.parametrize("term", [Identity, Points])
def test_a_priors_gradient_reaches_the_picture_and_no_weight(
    term: Callable[[Prior], SeenByPrior], weights: str
) -> None:
    prior = (Colours if term is Identity else Middle)(nn.Conv2d(3, 4, 1), weights)
    points = landmarks()
    points[1] = torch.nan
    step = step_of(None, points)
    sr = step.prediction.sr.requires_grad_(True)
    objective = WeightedSum({"prior": term(prior)})
    objective(step).total.backward()
    assert sr.grad is not None
    assert sr.grad[0].any()
    assert not sr.grad[1].any(), "a face without landmarks counts nowhere"
    assert not list(objective.parameters())
    assert not objective.state_dict()
    assert all(weight.grad is None for weight in prior.network.network.parameters())
    nobody = step_of(None, torch.full_like(points, torch.nan))
    nobody.prediction.sr.requires_grad_(True)
    nothing = term(prior).measure(nobody)
    assert nothing.item() == 0
    assert not torch.autograd.grad(nothing, nobody.prediction.sr)[0].any()


def test_the_hourglass_of_a_trained_dic_says_where_landmarks_are(tmp_path: Path) -> None:
    torch.manual_seed(0)
    small = ["network=dic", "scale=8", "run_dir=.", "framework.width=4", "framework.groups=1", "framework.fusions=1"]
    network = build(composed("train", [*small, "framework.hourglass_width=8", "framework.steps=1"]).framework).eval()
    torch.save(
        {"state_dict": {f"network.{name}": one for name, one in network.state_dict().items()}}, tmp_path / "dic.ckpt"
    )
    options = [f"loss.seen_heatmaps.prior.weights={tmp_path}/dic.ckpt", "loss.seen_heatmaps.prior.width=8"]
    (loss,) = build_all(composed("train", ["loss=[seen_heatmaps]", *options, "run_dir=."]).loss)
    points, lr = landmarks(), torch.rand(2, 3, 8, 8)
    points[1] = torch.nan
    prediction = network(lr)
    batch = Batch(lr, torch.rand(2, 3, 64, 64), torch.arange(2), landmarks=points)
    assert prediction.priors is not None
    right = network.landmarks(batch.hr - network.mean)[0]
    expected = (prediction.priors["heatmaps1"] - right)[0].square().mean()
    torch.testing.assert_close(loss.measure(Step(prediction, batch)), expected)
    assert expected > 0


@pytest.mark.parametrize(
    ("name", "of"),
    [("identity", "MobileFaceNet"), ("mesh", "FaceMesh"), ("seen_heatmaps", "LandmarkHourglass")],
)
def test_without_weights_there_is_no_such_loss(name: str, of: str, tmp_path: Path) -> None:
    node = composed("train", [f"loss=[{name}]", f"loss.{name}.prior.weights={tmp_path}/none", "run_dir=."]).loss
    with pytest.raises(InputError, match=rf"{of}: there is no weight file .*none. Name one, weights=<path>"):
        build_all(node)


@pytest.mark.parametrize(("name", "file"), [("identity", "MobileFaceNet_068.ckpt"), ("mesh", "blazeface_landmark.pth")])
def test_real_priors_prefer_the_better_picture(name: str, file: str, data_root: Path) -> None:
    folder = data_root / "domain/face"
    node = composed("train", [f"loss=[{name}]", f"loss.{name}.prior.weights={folder / 'weights' / file}", "run_dir=."])
    (loss,) = build_all(node.loss)
    labels = np.load(folder / "celeba_val_1000_dlib68.npz")
    where = torch.from_numpy(labels["landmarks"][:4]).float()
    assert where.isfinite().all()
    files = [folder / "fsrnet/data/celeba_val_1000_HR" / one for one in labels["names"][:4]]
    hr = (
        torch.stack([torch.from_numpy(np.array(Image.open(one).convert("RGB"))).permute(2, 0, 1) for one in files])
        / 255
    )
    values = []
    for scale in (1, 2, 8):
        sr = hr if scale == 1 else resize(resize(hr, scale=1 / scale), scale=scale).clamp(0, 1)
        values.append(float(loss.measure(Step(Prediction(sr, {}), Batch(hr, hr, torch.arange(4), landmarks=where)))))
    assert values[0] < 1e-5
    assert values[0] < values[1] < values[2]
