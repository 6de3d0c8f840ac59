"""MHF-net: its blur and the adjoint, what a stage does, and the responses that the blind one estimates."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from srlab.degradation.mtf import MTF
from srlab.networks.cubes.expansion import expand
from srlab.networks.cubes.mhfnet import MHFNet
from srlab.networks.cubes.responses import Blur, estimate_responses
from tests.mixtures import mixed

SCALE, BANDS = 4, 6


def pair(gain: float = 0.3, materials: int = 8, size: int = 48) -> tuple[Tensor, Tensor, Tensor]:
    """A cube, LR and PAN, the mean of its first three bands, each (1, C, H, W) float32."""
    cube = mixed(size, BANDS, materials)[None]
    return cube.float(), MTF(SCALE, gain).reduce(cube).float(), cube[:, :3].mean(1, keepdim=True).float()


def optimisation(gain: float | None = 0.3, stages: int = 8) -> MHFNet:
    """The network without anything learned: its blocks add nothing, A is the guide for all bands, B any basis."""
    network = MHFNet(BANDS, SCALE, gain=gain, rank=BANDS, stages=stages, blocks=1).eval()
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.zeros_(part.weight)
    return network


def test_the_blur_is_the_sensors_and_its_adjoint_is_exact() -> None:
    cube, lr, _ = pair()
    blur = Blur.of([0.3], SCALE, cube)
    torch.testing.assert_close(blur.reduce(cube), lr, atol=1e-6, rtol=0)
    one, other = torch.rand(1, 2, 48, 40), torch.rand(1, 2, 12, 10)
    blur = Blur.of([0.2], SCALE, one)
    torch.testing.assert_close((blur.reduce(one) * other).sum(), (one * blur.adjoint(other)).sum())


@pytest.mark.parametrize("gain", [0.15, 0.3, 0.45])
def test_responses_are_recovered_from_a_pair(gain: float) -> None:
    _, lr, pan = pair(gain, size=64)
    found, response = estimate_responses(lr[0], pan[0], SCALE)
    assert found == gain
    wanted = torch.tensor([[1 / 3, 1 / 3, 1 / 3, 0, 0, 0]]).double()
    torch.testing.assert_close(response, wanted, atol=0.01, rtol=0)


def test_a_scene_without_data_is_made_of_zeros() -> None:
    """A tile beyond the swath among others of a batch must not end a training."""
    network = optimisation(gain=None, stages=2)
    _, lr, pan = pair()
    lr, pan = torch.cat([lr, 0 * lr]), torch.cat([pan, 0 * pan])
    with torch.no_grad():
        sr = network(lr, pan).sr
    assert sr[0].isfinite().all()
    assert not sr[1].any()


def test_with_exact_responses_each_stage_comes_nearer_to_lr() -> None:
    _, lr, pan = pair()
    with torch.no_grad():
        steps = list(optimisation()(lr, pan).intermediate.values())
    lacking = [float((MTF(SCALE, 0.3).reduce(step) - lr).norm()) for step in steps]
    assert all(after < before for before, after in pairwise(lacking))
    assert lacking[-1] < 0.2 * lacking[0]
    with torch.no_grad():
        wrong = optimisation(gain=0.05)(lr, pan).sr
    assert float((MTF(SCALE, 0.3).reduce(wrong) - lr).norm()) > 1.5 * lacking[-1]


@pytest.mark.parametrize("gain", [0.15, 0.45])
def test_the_blind_network_fuses_what_sensors_it_never_saw_give(gain: float) -> None:
    cube, lr, pan = pair(gain, materials=2)
    network = optimisation(gain=None, stages=20)
    assert {name.split(".")[0] for name, _ in network.named_parameters()} == {"stages", "encode", "adjust", "decode"}
    with torch.no_grad():
        sr = network(lr, pan).sr
        both = network(torch.cat([lr, lr.flip(3)]), torch.cat([pan, pan.flip(3)])).sr
    assert (sr - cube).square().mean() < 0.5 * (expand(lr, SCALE) - cube).square().mean()
    torch.testing.assert_close(both[:1], sr, atol=1e-5, rtol=0)


def test_size_by_hand_and_gradients_reach_all_of_it() -> None:
    def block(inputs: int, outputs: int) -> int:
        within = inputs + 3
        return 9 * (inputs * within + within**2 + within * outputs) + 2 * (2 * within + outputs)

    network = MHFNet(31, 4, guide_channels=3, rank=10, stages=3, blocks=2, width=16)
    wanted = 31 * 3 + 31 * 10 + 3 * (1 + block(13, 10) + 2 * block(10, 10)) + (31 + 1) * 16 + block(16, 16) + 17 * 31
    assert sum(parameter.numel() for parameter in network.parameters()) == wanted
    nn.init.normal_(network.decode.weight)
    made = network(torch.rand(2, 31, 6, 6), torch.rand(2, 3, 24, 24))
    assert list(made.intermediate) == ["step1", "step2", "step3"]
    made.sr.square().sum().backward()
    assert all(
        parameter.grad is not None and bool(parameter.grad.abs().sum() > 0) for parameter in network.parameters()
    )
    with pytest.raises(ValueError, match=r"gain=1.5: expected above 0 and below 1"):
        MHFNet(3, 4, gain=1.5)
