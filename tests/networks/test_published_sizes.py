"""Named networks have the published numbers of parameters, or those counted by hand from the paper's layers."""

from collections.abc import Callable

import pytest
import torch

from srlab.networks.network import Network

Compose = Callable[..., Network]


def fsrcnn(d: int, s: int, m: int) -> int:
    """Weights, biases and PReLU slopes of FSRCNN(d, s, m), from the paper's table 1; it counts the weights alone."""
    weights = 25 * d + s * d + 9 * m * s * s + d * s + 81 * d
    biases_and_slopes = 2 * (d + s + m * s + d) + 1
    return weights + biases_and_slopes


@pytest.mark.parametrize(
    ("name", "scale", "expected"),
    [
        ("srcnn_915", 3, 8_032 + 64 + 32 + 1),  # paper: 8,032 weights
        ("srcnn_955", 3, 57_184 + 64 + 32 + 1),  # paper: 57,184 weights
        ("vdsr", 2, 664_704),  # paper: 665 K, without bias
        ("vdsr", 4, 664_704),
        ("fsrcnn", 3, fsrcnn(56, 12, 4)),
        ("fsrcnn", 2, fsrcnn(56, 12, 4)),
        ("espcn", 3, (25 * 64 + 64) + (9 * 64 * 32 + 32) + (9 * 32 * 9 + 9)),
        ("espcn", 4, (25 * 64 + 64) + (9 * 64 * 32 + 32) + (9 * 32 * 16 + 16)),
        ("edsr_baseline", 2, 1_369_859),  # the authors' code
        ("edsr_baseline", 3, 1_554_499),
        ("edsr_baseline", 4, 1_517_571),
        ("edsr", 2, 40_729_603),
        ("edsr", 3, 43_680_003),
        ("edsr", 4, 43_089_923),
        ("nearest", 2, 0),
        ("bilinear", 2, 0),
        ("bicubic", 2, 0),
        ("lanczos", 2, 0),
    ],
)
def test_parameters(composed: Compose, name: str, scale: int, expected: int) -> None:
    with torch.device("meta"):
        network = composed(f"network={name}", f"scale={scale}")
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_fsrcnn_has_the_papers_weights() -> None:
    assert fsrcnn(56, 12, 4) - 2 * (56 + 12 + 4 * 12 + 56) - 1 == 12_464


def test_starts_are_the_published_ones(composed: Compose) -> None:
    torch.manual_seed(0)
    for name in ("srcnn_915", "srcnn_955"):
        for key, tensor in composed(f"network={name}").named_parameters():
            if key.endswith("weight"):
                assert tensor.std().item() == pytest.approx(0.001, rel=0.1)
            else:
                assert tensor.abs().max() == 0
    for key, tensor in composed("network=vdsr").named_parameters():
        fan_in = 9 * tensor.shape[1]
        assert tensor.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.15), key
    deconvolution = composed("network=fsrcnn").get_parameter("upsampler.stages.0.weight")
    assert deconvolution.std().item() == pytest.approx(0.001, rel=0.1)


def test_a_signal_survives_vdsr_at_the_start(composed: Compose) -> None:
    torch.manual_seed(0)
    network = composed("network=vdsr")
    deep = network.get_submodule("backbone")(torch.randn(1, 1, 48, 48))
    assert 0.1 < deep.square().mean() < 10
