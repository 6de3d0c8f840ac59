"""What a network costs and sees, found without computing an image: on tensors that have sizes and no values."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from srlab.networks.cubes.pansharpening import Pansharpening
from srlab.networks.network import Network
from srlab.networks.pixel_recursive import PixelRecursive
from srlab.networks.video.baselines import MultiFrameBackProjection
from srlab.networks.video.network import VideoNetwork

HEIGHT, WIDTH = 720, 1280
"""Of the enlarged image for which the field counts multiply-adds (since CARN; Ahn et al., ECCV 2018)."""

FRAMES = 7
"""Of the clip by which networks of clips are measured; what is said is of one of them."""

PATCH = 48
"""Height and width of the LR sample whose activations are counted (EDSR's patch)."""


@dataclass(frozen=True)
class Cost:
    """Facts of a network.

    Attributes:
        parameters: trainable numbers.
        multiply_adds: of convolutions and matrix products, for an enlarged image of 1280 x 720 pixels.
        receptive_field: height and width in LR pixels of what an enlarged pixel depends on; None: the whole image.
        activation_bytes: what training keeps for the gradient of one sample of 48 x 48 LR pixels, in float32.
    """

    parameters: int
    multiply_adds: int
    receptive_field: int | None
    activation_bytes: int


def cost(network: Network) -> Cost:
    """Facts of a network that was built on the meta device (`with torch.device("meta")`)."""
    parameters = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    field = None if network.halo is None else 2 * network.halo + 1
    return Cost(parameters, multiply_adds(network), field, activation_bytes(network))


def multiply_adds(network: Network) -> int:
    """Of one pass that makes 1280 x 720 pixels: counted at the nearest size that the network takes, then scaled."""
    height, width = (max(1, round(side / network.scale / network.multiple_of)) for side in (HEIGHT, WIDTH))
    lr = blank(network, height * network.multiple_of, width * network.multiple_of)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        one_pass(network.eval(), lr)
    made = lr.shape[2] * lr.shape[3] * network.scale**2
    frames = FRAMES if isinstance(network, VideoNetwork) else 1
    return int(counter.get_total_flops() * HEIGHT * WIDTH / made / frames) // 2


def activation_bytes(network: Network) -> int:
    """What the graph of one training sample holds, each piece of memory once, parameters not among them."""
    side = max(1, round(PATCH / network.multiple_of)) * network.multiple_of
    weights = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        one_pass(network.train(), blank(network, side, side))
    frames = FRAMES if isinstance(network, VideoNetwork) else 1
    return sum(tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in weights) // frames


def one_pass(network: Network, lr: Tensor) -> None:
    """Run a network once; one that draws its sub-pixels takes a pass for each, of which this is one.

    A method that solves for an image's values, which there are none of here, is not run: it has no layers to count.
    """
    if isinstance(network, Pansharpening | MultiFrameBackProjection):
        return
    if isinstance(network, PixelRecursive):
        network.logits(lr, lr.new_empty(*lr.shape[:2], lr.shape[2] * network.scale, lr.shape[3] * network.scale))
    elif network.guide_channels:
        sides = (side * network.scale for side in lr.shape[2:])
        network(lr, lr.new_empty(len(lr), network.guide_channels, *sides))
    elif isinstance(network, VideoNetwork):
        network(lr[:, None].expand(-1, FRAMES, -1, -1, -1))
    else:
        network(lr)


def blank(network: Network, height: int, width: int) -> Tensor:
    return torch.empty(1, network.channels, height, width, device="meta")
