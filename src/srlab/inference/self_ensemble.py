"""The eight turns and flips of an image, and a result that is the mean or the median over them."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from srlab.networks.network import Network
from srlab.types import Prediction


def turned(image: Tensor, place: int) -> Tensor:
    """One of the eight: `place` % 4 quarter turns, flipped from 4 on: (..., H, W) -> (..., H, W) or (..., W, H)."""
    image = torch.rot90(image, place % 4, (-2, -1))
    return image.flip(-1) if place >= 4 else image


def turned_back(image: Tensor, place: int) -> Tensor:
    """Undo `turned`."""
    image = image.flip(-1) if place >= 4 else image
    return torch.rot90(image, -(place % 4), (-2, -1))


def median_of_turns(
    method: Callable[[Tensor], Tensor],
    image: Tensor,
    places: Iterable[int] = range(8),
    finish: Callable[[Tensor], Tensor] = lambda result: result,
) -> Tensor:
    """The median of what a method makes of each turn, turned back: one bad result in eight changes little.

    Args:
        method: image (B, C, H, W) -> image, also of turned ones.
        image: (B, C, H, W).
        places: which turns; (0, 2, 4, 6) keep an image's height its height.
        finish: what is done to each result when it is turned back.
    """
    results = torch.stack([finish(turned_back(method(turned(image, place)), place)) for place in places])
    ordered = results.sort(dim=0).values
    count = len(ordered)
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2


class SelfEnsemble(Network):
    """A network asked eight times: lr (B, C, H, W) -> the mean of its images (B, C, scale H, scale W).

    Geometric self-ensemble (EDSR; Lim et al., CVPRW 2017, section 3.4). It sees as far as the network, so that it is
    tiled alike. One turn is held at a time.

    Args:
        network: whose scale, channels, unit and halo this has.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(network.channels, network.scale, network.multiple_of, network.halo)
        self.network = network

    def predict(self, lr: Tensor) -> Prediction:
        total = torch.zeros((), device=lr.device)
        for place in range(8):
            total = total + turned_back(self.network(turned(lr, place)).sr, place).float()
        return Prediction(total / 8, {})
