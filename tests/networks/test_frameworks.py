"""What makes each framework that framework, and what it refuses."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from srlab.networks.backbones.edsr import EDSR
from srlab.networks.blocks import Convolution
from srlab.networks.frameworks import PostUpsampling, PreUpsampling
from srlab.networks.interpolation import enlarge
from srlab.networks.network import Network
from srlab.networks.upsamplers import SubPixel


class Bare(nn.Module):
    """A backbone from outside that publishes nothing: 3 channels to `width`."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, width, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        features: Tensor = self.convolution(image)
        return features


class Sized(Bare):
    """A backbone from outside that publishes its channels, and what its images' sizes must be a multiple of."""

    def __init__(self, width: int = 6, multiple_of: int = 1) -> None:
        super().__init__(width)
        self.in_channels, self.out_channels = 3, width
        self.multiple_of = multiple_of


def zeroed(network: Network) -> Network:
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    return network


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_at_zero_weights_a_global_residual_is_the_interpolation(scale: int, kernel: str) -> None:
    lr = torch.rand(2, 3, 5, 7)
    for network in (
        PreUpsampling(EDSR(3, 8, 1), 3, scale, interpolation=kernel, global_residual=True),
        PostUpsampling(EDSR(3, 8, 1), SubPixel, 3, scale, interpolation=kernel, global_residual=True),
    ):
        torch.testing.assert_close(zeroed(network)(lr).sr, enlarge(lr, scale, kernel), rtol=0, atol=0)


def test_at_zero_weights_without_a_residual_the_mean_is_left() -> None:
    network = zeroed(PostUpsampling(EDSR(3, 8, 1), SubPixel, 3, 2, mean=[0.1, 0.2, 0.3]))
    sr = network(torch.rand(1, 3, 5, 7)).sr
    torch.testing.assert_close(sr, torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1).expand(1, 3, 10, 14))


def test_the_mean_is_taken_from_the_backbones_input() -> None:
    seen = []
    network = PreUpsampling(EDSR(3, 8, 1), 3, 2, mean=[0.1, 0.2, 0.3])
    network.backbone.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    network(torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1).expand(1, 3, 4, 4))
    torch.testing.assert_close(seen[0], torch.zeros(1, 3, 8, 8), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("channels", "mean"), [(1, [0.2]), (4, [0.2, 0.2, 0.2, 0.2])])
def test_other_bands_are_given_the_means_average(channels: int, mean: list[float]) -> None:
    network = PostUpsampling(EDSR(channels, 8, 1), SubPixel, channels, 2, mean=[0.1, 0.2, 0.3])
    torch.testing.assert_close(network.mean.flatten(), torch.tensor(mean))
    assert "mean" not in network.state_dict()


def test_the_cost_of_post_upsampling_falls_with_the_square_of_the_scale() -> None:
    sizes = []
    for scale in (2, 4):
        pre, post = PreUpsampling(EDSR(3, 8, 1), 3, scale), PostUpsampling(EDSR(3, 8, 1), SubPixel, 3, scale)
        for network in (pre, post):
            network.backbone.register_forward_hook(
                lambda module, inputs, features: sizes.append(features[0, 0].numel())
            )
            network(torch.rand(1, 3, 16 // scale, 16 // scale))
    assert sizes == [16 * 16, 8 * 8, 16 * 16, 4 * 4]


def test_a_backbone_from_outside_needs_only_its_channels() -> None:
    network = PostUpsampling(Sized(), SubPixel, 3, 2)
    assert network(torch.rand(1, 3, 4, 5)).sr.shape == (1, 3, 8, 10)
    assert (network.multiple_of, network.halo) == (1, None)


def test_without_a_tail_the_last_part_must_make_the_image() -> None:
    network = PreUpsampling(Sized(3), 3, 2, tail=None)
    assert network(torch.rand(1, 3, 4, 5)).sr.shape == (1, 3, 8, 10)
    with pytest.raises(
        ValueError, match=r"Without a tail, EDSR itself must make the image's 3 channels, but it makes 8"
    ):
        PreUpsampling(EDSR(3, 8, 1), 3, 2, tail=None)


def test_a_tail_is_sized_by_its_neighbours() -> None:
    network = PostUpsampling(EDSR(3, 8, 1), SubPixel, 3, 2, tail=partial(Convolution, kernel_size=9, bias=False))
    assert isinstance(network.tail, Convolution)
    assert network.tail.weight.shape == (3, 8, 9, 9)


@pytest.mark.parametrize(("scale", "multiple_of"), [(2, 4), (3, 8), (4, 2), (8, 1)])
def test_pre_needs_only_what_the_enlargement_leaves_of_a_multiple(scale: int, multiple_of: int) -> None:
    backbone = Sized(multiple_of=8)
    assert PreUpsampling(backbone, 3, scale).multiple_of == multiple_of
    assert PostUpsampling(backbone, SubPixel, 3, scale).multiple_of == 8


def test_images_that_do_not_fit_are_refused() -> None:
    network = PostUpsampling(Sized(multiple_of=4), SubPixel, 3, 2)
    with pytest.raises(ValueError, match=r"Expected LR images \(B, 3, H, W\), got \(1, 1, 8, 8\)"):
        network(torch.rand(1, 1, 8, 8))
    with pytest.raises(ValueError, match=r"8 x 6 is not a multiple of 4"):
        network(torch.rand(1, 3, 8, 6))


def test_neighbours_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"EDSR takes 3 channels, the framework hands it 1: set channels=3"):
        PreUpsampling(EDSR(3, 8, 1), 1, 2)
    with pytest.raises(ValueError, match=r"Bare does not publish in_channels and out_channels"):
        PreUpsampling(Bare(), 3, 2)
    with pytest.raises(ValueError, match=r"scale=5 is not one of \(2, 3, 4, 8\)"):
        PostUpsampling(EDSR(3, 8, 1), SubPixel, 3, 5)
    with pytest.raises(ValueError, match=r"scale=0"):
        PreUpsampling(EDSR(3, 8, 1), 3, 0)
    with pytest.raises(ValueError, match=r"interpolation='cubic' is unknown"):
        PostUpsampling(EDSR(3, 8, 1), SubPixel, 3, 2, interpolation="cubic")
