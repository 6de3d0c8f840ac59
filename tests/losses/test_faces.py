"""Losses of faces: by hand on maps drawn of landmarks, and who counts."""

import pytest
import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.faces.maps import heatmaps, parsing_maps
from srlab.losses.faces import Heatmaps, Parsing
from srlab.losses.weighted import Step
from srlab.types import Batch, Prediction


def landmarks() -> Tensor:
    """Of two faces, (2, 68, 2): points on circles around the middle of 32 x 32 pixels."""
    angle = torch.arange(68) * 2 * torch.pi / 68
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)
    return torch.stack([16 + 10 * circle, 15 + 12 * circle])


def step_of(priors: dict[str, Tensor] | None, points: Tensor | None) -> Step:
    batch = Batch(torch.rand(2, 3, 4, 4), torch.rand(2, 3, 32, 32), torch.arange(2), landmarks=points)
    return Step(Prediction(torch.rand(2, 3, 32, 32), {}, priors), batch)


def test_heatmaps_of_all_steps_are_summed_and_each_is_logged() -> None:
    points = landmarks()
    right = heatmaps(points, 8, 1.5, stride=4)
    estimates = {"heatmaps1": right + 0.5, "heatmaps2": right - 0.25, "parsing": torch.rand(2, 10, 8, 8)}
    total, parts = Heatmaps(sigma=1.5).measure_parts(step_of(estimates, points))
    torch.testing.assert_close(parts, {"heatmaps1": torch.tensor(0.25), "heatmaps2": torch.tensor(0.0625)})
    torch.testing.assert_close(total, torch.tensor(0.3125))
    assert Heatmaps(sigma=1.5, outputs="heatmaps2").measure(step_of(estimates, points)).item() == pytest.approx(0.0625)


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
