"""Warping by known motion, and what finds motion: a network that learns it from zero, DIS and RAFT."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.losses.motion import Alignment, Census, Smoothness
from srlab.losses.pixel import Charbonnier
from srlab.losses.weighted import Step, WeightedSum
from srlab.networks.video.baselines import FrameBefore
from srlab.networks.video.flow import FlowNetwork, SpyNet, resized, warp
from srlab.networks.video.frvsr import FNet
from srlab.networks.video.providers import DIS, RAFT
from srlab.networks.video.vespcn import CoarseToFine
from srlab.types import Batch, Prediction
from tests.networks.video.clips import gliding, textured, waves


def moved(right: float, down: float, height: int, width: int) -> Tensor:
    return torch.tensor([right, down]).view(1, 2, 1, 1).expand(1, 2, height, width)


def psnr(image: Tensor, other: Tensor, cut: int = 4) -> float:
    error = (image - other)[..., cut:-cut, cut:-cut].square().mean()
    return float(10 * torch.log10(1 / error))


@pytest.mark.parametrize(("right", "down"), [(0, 0), (1, 0), (0, 1), (-2, 3), (4, -1)])
def test_whole_pixels_are_fetched_as_they_are(right: int, down: int) -> None:
    image = textured(1, 9, 12)[:, 0]
    warped = warp(image, moved(right, down, 9, 12))
    rows = (torch.arange(9) + down).clamp(0, 8)
    columns = (torch.arange(12) + right).clamp(0, 11)
    torch.testing.assert_close(warped, image[..., rows, :][..., columns], rtol=0, atol=1e-5)


def test_what_lies_beyond_is_nothing_or_the_border() -> None:
    image = torch.ones(1, 1, 4, 5)
    assert warp(image, moved(10, 0, 4, 5), "zeros").abs().max() == 0
    assert warp(image, moved(10, 0, 4, 5)).min() == 1


@pytest.mark.parametrize(("right", "down"), [(0.5, 0.25), (-1.3, 0.7)])
def test_the_frame_before_warped_by_the_true_flow_is_this_frame(right: float, down: float) -> None:
    before, this = waves(40, 48), waves(40, 48, right, down)
    # what lay at x lies at x + right now: this[x] is before[x - right]
    assert psnr(warp(before, moved(-right, -down, 40, 48)), this) > 40
    assert psnr(warp(before, moved(right, down, 40, 48)), this) < 30


def test_warping_keeps_the_precision_and_passes_gradients_to_both() -> None:
    images, flow = textured(1, 6, 6)[:, 0].requires_grad_(), moved(0.3, 0.2, 6, 6).clone().requires_grad_()
    torch.autograd.backward(warp(images, flow).square().sum())
    for tensor in (images, flow):
        assert tensor.grad is not None
        assert tensor.grad.abs().max() > 0
    assert warp(images.bfloat16(), flow).dtype is torch.bfloat16
    with pytest.raises(ValueError, match="Expected a flow"):
        warp(images, flow[..., 1:])
    with pytest.raises(ValueError, match="choose one of zeros, border"):
        warp(images, flow, "mirror")  # type: ignore[arg-type]


def test_a_resized_flow_counts_the_new_pixels() -> None:
    flow = resized(moved(2.0, 3.0, 4, 6), (8, 3))
    torch.testing.assert_close(flow, moved(1.0, 6.0, 8, 3))


def test_spynet_has_the_published_number_of_parameters() -> None:
    level = sum((a * b * 49 + b) for a, b in [(8, 32), (32, 64), (64, 32), (32, 16), (16, 2)])
    assert sum(parameter.numel() for parameter in SpyNet().parameters()) == 6 * level == 1_440_300


@pytest.mark.parametrize("network", [SpyNet(1, levels=3, widths=(8, 8)), FNet(1, width=4), CoarseToFine(1, width=8)])
@pytest.mark.parametrize(("height", "width"), [(9, 14), (32, 24)])
def test_flow_networks_take_any_size_and_begin_still(network: FlowNetwork, height: int, width: int) -> None:
    clip = textured(3, height, width)
    flow = network(clip[:, 1:], clip[:, :-1])
    assert flow.shape == (1, 2, 2, height, width)
    assert flow.abs().max() < 0.2
    (flow * torch.rand_like(flow)).sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.parameters())
    network.zero_grad()
    with pytest.raises(ValueError, match="two frames of 1 channels and one size"):
        network(clip[:, 1:], clip[:, :-1, :, 1:])


def test_a_flow_network_learns_from_frames_alone() -> None:
    """Its photometric error on motion that it has not seen falls below that of no flow, and the motion is the right one."""
    torch.manual_seed(0)
    network = FrameBefore(1, 1, SpyNet(1, levels=2, widths=(16, 8), kernel_size=5)).train()
    objective = WeightedSum({"photometric": Alignment(Charbonnier()), "smoothness": Smoothness(weight=0.001)})
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    drawn = torch.Generator().manual_seed(0)
    for _ in range(150):
        steps = (2 * torch.rand(4, 2, generator=drawn) - 1).tolist()
        lr = torch.cat([gliding(2, 20, 20, right, down) for right, down in steps])
        terms = objective(Step(network(lr), Batch(lr, lr, torch.zeros(4))))
        optimizer.zero_grad()
        terms.total.backward()
        optimizer.step()
    assert set(terms.values) == {"photometric", "smoothness"}
    unseen = gliding(2, 24, 24, 0.9, -0.8)
    with torch.no_grad():
        assert network.flow is not None
        flow = network.flow(unseen[:, 1], unseen[:, 0])
    error = (warp(unseen[:, 0], flow) - unseen[:, 1])[..., 4:-4, 4:-4].abs().mean()
    still = (unseen[:, 0] - unseen[:, 1])[..., 4:-4, 4:-4].abs().mean()
    assert error < 0.7 * still
    right, down = flow.mean((0, 2, 3)).tolist()
    assert right < -0.15
    assert down > 0.05


def test_a_better_flow_costs_less() -> None:
    """Both photometric losses fall from no flow to half of the true one, and from there to the true one."""
    clip = gliding(2, 24, 24, 1.0, 0.5)
    for loss in (Charbonnier(), Census()):
        costs = []
        for part in (0.0, 0.5, 1.0):
            aligned = warp(clip[:, 0], moved(-part, -part / 2, 24, 24))[..., 4:-4, 4:-4]
            told = Prediction(clip, {"aligned": aligned, "aligned_to": clip[:, 1, :, 4:-4, 4:-4]})
            costs.append(float(Alignment(loss).measure(Step(told, Batch(clip, clip, torch.zeros(1))))))
        assert costs[0] > 1.3 * costs[1] > 1.3 * costs[2]


def test_losses_of_motion_are_their_closed_forms() -> None:
    flow = torch.zeros(1, 1, 2, 6, 5)
    flow[:, :, 0] = 0.3 * torch.arange(5.0)  # 0.3 to the right, but for the last column
    told = Prediction(torch.zeros(1), {"flow": flow})
    step = Step(told, Batch(torch.zeros(1), torch.zeros(1), torch.zeros(1)))
    expected = (4 * math.sqrt(0.01 + 0.09) + math.sqrt(0.01)) / 5
    assert float(Smoothness().measure(step)) == pytest.approx(expected)
    with pytest.raises(InputError, match="needs a network that tells its 'aligned'"):
        Alignment(Charbonnier()).measure(step)


def test_census_is_unflows() -> None:
    """One neighbour of the only inner pixel is two grey levels brighter: t / sqrt(0.81 + t^2), then d^2 / (0.1 + d^2)."""
    image = torch.full((1, 1, 7, 7), 0.5)
    other = image.clone()
    other[..., 1, 2] += 2 / 255
    ternary = 2 / math.sqrt(0.81 + 4)
    distance = ternary**2 / (0.1 + ternary**2)
    assert float(Census()(image, other)) == pytest.approx((distance**2 + 0.001**2) ** 0.45, rel=1e-4)


def test_census_knows_structure_and_not_light() -> None:
    image, other = textured(1, 16, 16)[:, 0], textured(1, 16, 16, seed=1)[:, 0]
    same = float(Census()(image, image))
    assert same == pytest.approx(0.001**0.9)
    assert float(Census()(image, image + 0.2)) == pytest.approx(same, rel=1e-3)
    assert float(Census()(image, other)) > 20 * same
    with pytest.raises(InputError, match="smaller than the census window"):
        Census()(image[..., :5], image[..., :5])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(64, 80), (20, 24)])
def test_dis_finds_a_translation(channels: int, height: int, width: int) -> None:
    pytest.importorskip("cv2", reason="opencv-python-headless is not installed")
    clip = gliding(2, height, width, 1.5, -0.5, channels)
    flow = DIS(channels)(clip[:, 1], clip[:, 0])
    inner = flow[..., 6:-6, 6:-6].mean((2, 3))
    torch.testing.assert_close(inner, torch.tensor([[-1.5, 0.5]]), rtol=0, atol=0.2)
    with pytest.raises(ValueError, match="1 channel or 3"):
        DIS(4)


def test_raft_is_never_random(tmp_path: Path) -> None:
    models = pytest.importorskip("torchvision.models.optical_flow", reason="torchvision is not installed")
    with pytest.raises(InputError, match="There is no weight file"):
        RAFT(str(tmp_path / "raft.pth"))
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="does not fit torchvision's raft_small"):
        RAFT(str(tmp_path / "other.pth"))
    torch.manual_seed(0)
    reference = models.raft_small().eval()
    torch.save(reference.state_dict(), tmp_path / "raft.pth")
    network = RAFT(str(tmp_path / "raft.pth"), updates=2, channels=1)
    assert not list(network.parameters()), "it is not trained, and no weight of the network that holds it"
    clip = textured(2, 128, 136)
    with torch.no_grad():
        flow = network(clip[:, 1], clip[:, 0])
        frames = [2 * clip[:, place].expand(-1, 3, -1, -1) - 1 for place in (1, 0)]
        torch.testing.assert_close(flow, reference(*frames, num_flow_updates=2)[-1])
        small = network(clip[:, 1, :, :40, :50], clip[:, 0, :, :40, :50])
    assert small.shape == (1, 2, 40, 50)


def test_a_still_clip_needs_no_flow_and_a_moving_one_does() -> None:
    clip = gliding(4, 24, 24, 1.0, 0.0)

    class Known(FlowNetwork):
        def estimate(self, target: Tensor, source: Tensor) -> Tensor:
            return moved(-1.0, 0.0, *target.shape[-2:]).expand(len(target), -1, -1, -1)

    assert psnr(FrameBefore(1, 1, Known(1))(clip).sr, clip, cut=3) > 60
    assert psnr(FrameBefore(1, 1, None)(clip).sr, clip, cut=3) < 30
