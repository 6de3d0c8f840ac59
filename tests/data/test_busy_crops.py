"""Crops of one image: even, inside, and where something happens."""

import pytest
import torch

from srlab.data.busy_crops import BusyCrops


def test_crops_lie_inside_at_even_places() -> None:
    torch.manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(90.0), indexing="ij")
    image = (torch.stack([rows, columns, torch.rand(60, 90)]) / 90)[None]
    crops = BusyCrops(image, 26)
    for _ in range(50):
        crop = crops.draw()
        assert crop.shape == (1, 3, 26, 26)
        top, left = (round(90 * crop[0, axis, 0, 0].item()) for axis in (0, 1))
        assert top % 2 == left % 2 == 0
        assert torch.equal(crop, image[..., top : top + 26, left : left + 26])


@pytest.mark.parametrize("halved", [False, True])
def test_they_are_drawn_where_the_gradients_are(halved: bool) -> None:
    torch.manual_seed(1)
    image = torch.full((1, 3, 120, 120), 0.5)
    image[..., 80:100, 70:90] = torch.rand(1, 1, 20, 20)
    crops = BusyCrops(image, 26, halved)
    assert all(crops.draw().std() > 0.01 for _ in range(30))


def test_a_flat_image_is_cropped_anywhere() -> None:
    torch.manual_seed(2)
    assert BusyCrops(torch.full((1, 1, 40, 40), 0.5), 26).draw().shape == (1, 1, 26, 26)


def test_an_image_smaller_than_a_crop_is_refused() -> None:
    with pytest.raises(ValueError, match="no crop of 26"):
        BusyCrops(torch.rand(1, 3, 20, 40), 26)
