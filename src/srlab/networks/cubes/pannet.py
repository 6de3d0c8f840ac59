"""PanNet: any backbone on the high frequencies of cube and guide, and the expanded cube's spectra mapped to its output.

Yang et al., PanNet: A Deep Network Architecture for Pan-Sharpening (ICCV 2017), sections 3.1 and 3.2.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from srlab.networks.blocks import Convolution
from srlab.networks.cubes.expansion import expand
from srlab.networks.frameworks import backbone_facts, last_layer
from srlab.networks.frequencies import high_pass
from srlab.networks.network import GuidedNetwork, chained_halo
from srlab.types import Prediction


class PanNet(GuidedNetwork):
    """A framework at the full size: expanded LR + tail(backbone(high-passed LR, expanded, and high-passed guide)).

    Args:
        backbone: image to features, of `channels` + `guide_channels` channels.
        channels, scale, guide_channels: as in GuidedNetwork.
        tail: makes the last layer, features to image; None: the backbone makes the image.
        window: the high pass takes the mean of so many pixels on a side away, odd (paper: 5), 1: nothing.

    Raises:
        ValueError: the channels of two neighbours differ, or the window is even.
    """

    def __init__(
        self,
        backbone: nn.Module,
        channels: int,
        scale: int,
        guide_channels: int = 1,
        tail: Callable[..., nn.Module] | None = Convolution,
        window: int = 5,
    ) -> None:
        facts = backbone_facts(backbone, channels + guide_channels)
        last, last_halo = last_layer(tail, backbone, facts.out_channels, channels)
        if window < 1 or window % 2 == 0:
            raise ValueError(f"window={window}: give an odd number of pixels, 1 for no high pass.")
        beyond = chained_halo(facts.halo, last_halo, window // 2)
        halo = None if beyond is None else -(-beyond // scale) + 2 + window // 2
        super().__init__(channels, scale, facts.multiple_of, halo, guide_channels)
        self.backbone, self.tail, self.window = backbone, last, window

    def predict_guided(self, lr: Tensor, guide: Tensor) -> Prediction:
        details = torch.cat([expand(self.seen(lr), self.scale), self.seen(guide)], 1)
        mapped: Tensor = expand(lr, self.scale) + self.tail(self.backbone(details))
        return Prediction(mapped, {})

    def seen(self, image: Tensor) -> Tensor:
        """What of an image the backbone is given: (B, C, H, W) -> the same."""
        return high_pass(image, self.window) if self.window > 1 else image
