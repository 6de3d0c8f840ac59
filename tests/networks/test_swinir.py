"""SwinIR-light: its size, its windows, and agreement with an independent implementation."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from srlab.networks.backbones.swinir import WindowAttention, reach
from srlab.networks.weights import load_weights
from tests.networks.conftest import Compose

SMALL = ["backbone.width=12", "backbone.depths=[2,2]", "backbone.heads=2", "backbone.window=4"]


@pytest.mark.parametrize(("scale", "published"), [(2, 878), (3, 886), (4, 897)])
def test_the_parameters_are_the_papers_and_one_convolution(composed: Compose, scale: int, published: int) -> None:
    """The paper's table counts one 3x3 convolution of 60 channels less than its own released weights hold."""
    with torch.device("meta"):
        network = composed("network=swinir_light", f"scale={scale}")
    total = sum(parameter.numel() for parameter in network.parameters())
    assert round((total - (9 * 60 + 1) * 60) / 1000) == published


@pytest.mark.parametrize("scale", [2, 4])
def test_official_weights_give_spandrels_image(composed: Compose, tmp_path: Path, scale: int) -> None:
    pytest.importorskip("spandrel", reason="spandrel is not installed: pip install spandrel")
    from spandrel.architectures.SwinIR import SwinIR

    torch.manual_seed(0)
    reference = SwinIR(
        img_size=16,
        embed_dim=12,
        depths=[2, 2],
        num_heads=[2, 2],
        window_size=4,
        mlp_ratio=2.0,
        upscale=scale,
        img_range=1.0,
        upsampler="pixelshuffledirect",
        resi_connection="1conv",
    ).eval()
    for parameter in reference.parameters():  # no term may be too small to be seen
        nn.init.normal_(parameter, std=0.3)
    torch.save({"params": reference.state_dict()}, tmp_path / "weights.pth")
    network = composed("network=swinir_light", f"scale={scale}", *SMALL, "framework.mean=[0.4488,0.4371,0.4040]").eval()
    load_weights(network, tmp_path / "weights.pth")
    lr = torch.rand(2, 3, 12, 20)
    with torch.no_grad():
        torch.testing.assert_close(network(lr).sr, reference(lr), rtol=1e-4, atol=1e-4)


def seen_from(attention: WindowAttention, row: int, column: int) -> Tensor:
    features = torch.randn(1, 12, 12, 4, requires_grad=True)
    attention(features)[0, row, column].sum().backward()
    assert features.grad is not None
    return features.grad.abs().sum((0, 3)) > 0


@pytest.mark.parametrize(
    ("shift", "row", "rows"),
    [(0, 0, (0, 4)), (0, 5, (4, 8)), (2, 0, (0, 2)), (2, 5, (2, 6)), (2, 11, (10, 12))],
)
def test_a_pixel_sees_its_window_and_nothing_across_the_border(shift: int, row: int, rows: tuple[int, int]) -> None:
    seen = seen_from(WindowAttention(4, 2, 4, shift), row, 5)
    columns = slice(2, 6) if shift else slice(4, 8)
    expected = torch.zeros(12, 12, dtype=torch.bool)
    expected[slice(*rows), columns] = True
    assert torch.equal(seen, expected)


def test_each_pair_of_layers_widens_the_view_by_a_window() -> None:
    assert reach([2] * 2, 8) + 2 * 8 - reach([4] * 2, 8) == 0
    assert reach([], 8) == 2


def test_impossible_numbers_are_refused(composed: Compose) -> None:
    with pytest.raises(Exception, match=r"width=60 is not a multiple of heads=7"):
        composed("network=swinir_light", "backbone.heads=7")
    with pytest.raises(Exception, match=r"window=7 has no half"):
        composed("network=swinir_light", "backbone.window=7")
