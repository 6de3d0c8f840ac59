"""DCTNet: depth with the photograph's edges, solved for by cosine transforms (Zhao et al., CVPR 2022, arXiv 2104.06977).

Channel by channel, the features x of the result minimise |x - d|^2 + lambda |L x - w L r|^2: near to the features d of the
map, with the Laplacian L of the photograph's features r where the weights w, learned too, take it over (equation 5). The
minimum is a division in the cosine domain. Names of parameters are our own; `importers_guided` reads the authors' files.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.networks.guided.dct import dct, inverse_dct, laplacian_spectrum
from srlab.networks.guided.ranged import Ranged, centred, full_precision


class SemiCoupled(nn.Module):
    """A residual layer for both kinds of features, half of whose kernels they share: two (B, C, H, W) -> two alike.

    It starts as the authors' does, from He's uniform weights without a bias.

    Args:
        width: C.
        shared: of the C kernels of each convolution.
    """

    def __init__(self, width: int, shared: int) -> None:
        super().__init__()
        own = width - shared
        parts = {"shared": shared, "depth": own, "guide": own}
        self.first = nn.ModuleDict({name: nn.Conv2d(width, count, 3) for name, count in parts.items()})
        self.second = nn.ModuleDict({name: nn.Conv2d(width, count, 3) for name, count in parts.items()})
        for convolution in (*self.first.values(), *self.second.values()):
            nn.init.kaiming_uniform_(convolution.weight, nonlinearity="relu")  # type: ignore[arg-type]
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]

    def forward(self, depth: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        return self.branch(depth, "depth"), self.branch(guide, "guide")

    def branch(self, features: Tensor, kind: str) -> Tensor:
        hidden = F.relu(self.convolve(self.first, features, kind))
        return F.relu(self.convolve(self.second, hidden, kind) + features)

    def convolve(self, parts: nn.ModuleDict, features: Tensor, kind: str) -> Tensor:
        both = [parts["shared"], parts[kind]]
        weight, bias = (torch.cat([getattr(part, name) for part in both]) for name in ("weight", "bias"))
        return F.conv2d(features, weight, bias, padding=1)


class EdgeAttention(nn.Module):
    """Where the photograph's edges are the map's: (B, C, H, W) -> weights (B, C, H, W) in (0, 1), H and W from 3.

    It looks at a wide surrounding at a sixth of the size (enhanced spatial attention; Liu et al., RFANet, CVPR 2020).

    Args:
        width: C.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        narrow = width // 4
        self.reduce = nn.Conv2d(width, narrow, 1)
        self.shortcut = nn.Conv2d(narrow, narrow, 1)
        self.stride = nn.Conv2d(narrow, narrow, 3, stride=2)
        self.layers = nn.Sequential(
            nn.Conv2d(narrow, narrow, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(narrow, narrow, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(narrow, narrow, 3, padding=1),
        )
        self.expand = nn.Conv2d(narrow, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        reduced = self.reduce(features)
        strided = self.stride(reduced)
        wide = self.layers(F.max_pool2d(strided, min(7, *strided.shape[2:]), stride=3))
        wide = F.interpolate(wide, reduced.shape[2:], mode="bilinear", align_corners=False)
        return torch.sigmoid(self.expand(wide + self.shortcut(reduced)))


class DCTNet(Ranged):
    """See the module. Every pixel depends on the whole image.

    Args:
        scale: HR pixels per LR pixel.
        width: channels of features (paper: 64).
        shared: of them, how many kernels the two branches share (paper: 32).
        layers: semi-coupled ones (paper: 4).
        strength: lambda at the start (authors: about 1.1; their code draws its logarithm around 0.1).
        guide_channels: see `Ranged`.
        range_from: see `Ranged`.
        back_projections: see `Ranged`.
        channels: see `Ranged`.
    """

    laplacian: Tensor

    def __init__(
        self,
        scale: int,
        width: int = 64,
        shared: int = 32,
        layers: int = 4,
        strength: float = 1.1,
        guide_channels: int = 3,
        range_from: Literal["lr", "given"] = "lr",
        back_projections: int = 0,
        channels: int = 1,
    ) -> None:
        super().__init__(scale, guide_channels, range_from, back_projections, channels=channels)
        if width % 4 or not 0 < shared < width:
            raise ValueError(f"width={width} must be a multiple of 4, and shared={shared} between 0 and it.")
        self.depth_head = nn.Conv2d(channels, width, 3, padding=1)
        self.guide_head = nn.Conv2d(guide_channels, width, 3, padding=1)
        self.layers = nn.ModuleList(SemiCoupled(width, shared) for _ in range(layers))
        self.attention = EdgeAttention(width)
        self.log_strength = nn.Parameter(torch.full((1, width, 1, 1), strength).log())
        self.tail = nn.Sequential(
            nn.Conv2d(width, width // 2, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width // 2, width // 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width // 4, channels, 3, padding=1),
        )  # the authors end in a ReLU, which is what clamping a result does, and of which a training may never wake up
        eight = torch.ones(1, 1, 3, 3) / 16  # the eight-point Laplacian, absolute values summing to 1, as kornia has it
        eight[..., 1, 1] = -8 / 16
        self.register_buffer("laplacian", eight, persistent=False)

    def refine(self, lr: Tensor, guide: Tensor) -> Tensor:
        depth, photograph = F.relu(self.depth_head(self.enlarged(lr))), F.relu(self.guide_head(centred(guide)))
        for layer in self.layers:
            depth, photograph = layer(depth, photograph)
        attention = self.attention(photograph)
        with full_precision(depth):
            solved = self.solve(depth.float(), photograph.float(), attention.float())
        image: Tensor = self.tail(solved)
        return image

    def solve(self, depth: Tensor, photograph: Tensor, attention: Tensor) -> Tensor:
        """The minimum for each channel: (B, C, H, W) each -> (B, C, H, W)."""
        strength = self.log_strength.exp()
        spectrum = laplacian_spectrum(*depth.shape[2:]).to(depth).square()
        wanted = self.second_difference(attention * self.second_difference(photograph))
        return inverse_dct(dct(strength * wanted + depth) / (strength * spectrum + 1))

    def second_difference(self, features: Tensor) -> Tensor:
        count = features.shape[1]
        padded = F.pad(features, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, self.laplacian.expand(count, -1, -1, -1), groups=count)
