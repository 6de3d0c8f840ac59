"""The low and the high frequencies of an image, parted by means of neighbours."""

from torch import Tensor
from torch.nn import functional as F


def low_pass(image: Tensor, size: int) -> Tensor:
    """The mean of each pixel's `size` x `size` neighbours inside the image, odd: (B, C, H, W) -> the same."""
    return F.avg_pool2d(image, size, stride=1, padding=size // 2, count_include_pad=False)


def high_pass(image: Tensor, size: int) -> Tensor:
    """What `low_pass` takes away: edges and noise."""
    return image - low_pass(image, size)
