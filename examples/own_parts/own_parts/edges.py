"""A loss on edges: an example of a part that lives outside srlab."""

from torch import Tensor, nn
from torch.nn import functional as F


class Edges(nn.Module):
    """Mean absolute difference of the horizontal and vertical gradients: (B, C, H, W), (B, C, H, W) -> ()."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        return F.l1_loss(sr.diff(dim=-1), hr.diff(dim=-1)) + F.l1_loss(sr.diff(dim=-2), hr.diff(dim=-2))
