"""What networks cost, against the papers and against counts by hand."""

import pytest
import torch

from srlab.networks.cost import activation_bytes, cost, multiply_adds
from srlab.networks.network import Network
from srlab.taxonomy import ELSEWHERE, place
from tests.networks.compositions import FROM_A_FILE, choices
from tests.networks.conftest import Compose


def on_meta(composed: Compose, *overrides: str) -> Network:
    with torch.device("meta"):
        return composed(*overrides)


@pytest.mark.parametrize(
    ("name", "scale", "published"),
    [  # G multiply-adds at 1280 x 720, from the table of CARN (Ahn et al., ECCV 2018) and IMDN (Hui et al., ACM MM 2019)
        ("srcnn_955", 4, 52.7),
        ("vdsr", 2, 612.6),
        ("drcn", 4, 17_974.3),
        ("drrn", 3, 6_796.9),
        ("carn", 2, 222.8),
        ("carn", 4, 90.9),
        ("carn_m", 4, 32.5),
        ("imdn", 4, 40.9),
        ("edsr", 4, 2_894.5),  # RCAN-it and others count the same
        ("rcan", 4, 916.9),
    ],
)
def test_multiply_adds_are_the_published_ones(composed: Compose, name: str, scale: int, published: float) -> None:
    assert multiply_adds(on_meta(composed, f"network={name}", f"scale={scale}")) / 1e9 == pytest.approx(
        published, rel=2e-3
    )


def test_a_count_by_hand(composed: Compose) -> None:
    """ESPCN at x4: 5x5, 3x3 and 3x3 convolutions at the small size, and what their gradients need."""
    found = cost(on_meta(composed, "network=espcn", "scale=4"))
    weights = 25 * 64 + 9 * 64 * 32 + 9 * 32 * 16
    assert found.parameters == weights + 64 + 32 + 16
    assert found.multiply_adds == weights * 320 * 180
    assert found.receptive_field == 1 + 2 * (2 + 1 + 1)
    # The image, and both activations: tanh keeps its output, which is the next convolution's input.
    assert found.activation_bytes == 4 * 48**2 * (1 + 64 + 32)


def test_memory_grows_with_recursion_where_parameters_do_not(composed: Compose) -> None:
    few, many = (on_meta(composed, "network=drcn", f"backbone.recursions={count}") for count in (4, 8))
    assert activation_bytes(many) > 1.5 * activation_bytes(few)


@pytest.mark.parametrize("name", sorted({*choices("network")} - FROM_A_FILE))
def test_every_named_network_has_its_place_in_the_survey(composed: Compose, name: str) -> None:
    assert ELSEWHERE not in place(on_meta(composed, f"network={name}"))
