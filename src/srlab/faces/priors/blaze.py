"""The blocks of BlazeFace and of the face mesh (Bazarevsky et al., arXiv 1907.05047, section 3.1, figure 1)."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F


class BlazeBlock(nn.Module):
    """A separable convolution beside a shortcut: (B, before, H, W) -> (B, after, H / stride, W / stride).

    The shortcut is pooled where the convolution strides, and has zeros for channels that it lacks. As in the published
    networks, a stride pads right and below alone.

    Args:
        before, after: channels.
        stride: 1 or 2.
        activation: channels -> layer.
    """

    def __init__(self, before: int, after: int, stride: int, activation: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.stride, self.more = stride, after - before
        self.convs = nn.Sequential(
            nn.Conv2d(before, before, 3, stride, padding=0 if stride == 2 else 1, groups=before),
            nn.Conv2d(before, after, 1),
        )
        self.act = activation(after)

    def forward(self, features: Tensor) -> Tensor:
        convolved, shortcut = features, features
        if self.stride == 2:
            convolved, shortcut = F.pad(features, (0, 2, 0, 2)), F.max_pool2d(features, 2)
        if self.more:
            shortcut = F.pad(shortcut, (0, 0, 0, 0, 0, self.more))
        result: Tensor = self.act(self.convs(convolved) + shortcut)
        return result
