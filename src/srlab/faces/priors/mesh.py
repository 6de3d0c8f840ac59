"""Where 468 points of a face lie: the mesh network of MediaPipe (Kartynnik et al., arXiv 1907.06724)."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.faces.alignment import warp
from srlab.faces.priors.blaze import BlazeBlock
from srlab.faces.priors.prior import Prior

SIZE = 192
"""The frame's height and width."""


class FaceMesh(Prior):
    """468 points, x and y in pixels of the picture; a gradient flows to the picture through the network.

    The frame is a square around the landmarks, upright: as MediaPipe cuts the box that its detector finds.

    Args:
        weights: `blazeface_landmark.pth` of the PyTorch port (0.60 M parameters).
        margin: the frame's side, of the larger side of the landmarks' box.
    """

    def __init__(self, weights: str | None, margin: float = 1.5) -> None:
        super().__init__(_Mesh(), weights)
        if margin < 1:
            raise ValueError(f"margin={margin}: the frame must hold the landmarks' box, take 1 or more.")
        self.margin = margin

    def features(self, images: Tensor, landmarks: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], (B, 68, 2) -> (B, 468, 2)."""
        placed = frames(landmarks, self.margin)
        points: Tensor = self.network(warp(images, placed, SIZE, SIZE))
        inverse = torch.linalg.inv(placed[:, :, :2])
        found: Tensor = (points - placed[:, None, :, 2]) @ inverse.mT
        return found


def frames(landmarks: Tensor, margin: float) -> Tensor:
    """Pixels of the picture -> those of the frame: (B, 68, 2) -> (B, 2, 3)."""
    least, most = landmarks.amin(1), landmarks.amax(1)
    side = margin * (most - least).amax(1)
    scale = (SIZE / side)[:, None, None]
    turn = scale * torch.eye(2, device=landmarks.device)
    middle = (SIZE - 1) / 2 - scale * ((least + most) / 2)[..., None]
    return torch.cat((turn, middle), dim=-1)


class _Mesh(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = (16, 16, 16, 32, 32, 32, 64, 64, 64, 128, 128, 128, 128, 128, 128)
        strides = (1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1)
        self.backbone1 = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2),
            nn.PReLU(16),
            *(BlazeBlock(*place, nn.PReLU) for place in zip(widths, widths[1:], strides, strict=False)),
        )
        self.backbone2a = nn.Sequential(
            BlazeBlock(128, 128, 2, nn.PReLU),
            BlazeBlock(128, 128, 1, nn.PReLU),
            BlazeBlock(128, 128, 1, nn.PReLU),
            nn.Conv2d(128, 32, 1),
            nn.PReLU(32),
            BlazeBlock(32, 32, 1, nn.PReLU),
            nn.Conv2d(32, 3 * 468, 3),
        )
        self.backbone2b = nn.Sequential(  # whether there is a face: in the file, and not asked
            BlazeBlock(128, 128, 2, nn.PReLU),
            nn.Conv2d(128, 32, 1),
            nn.PReLU(32),
            BlazeBlock(32, 32, 1, nn.PReLU),
            nn.Conv2d(32, 1, 3),
        )

    def forward(self, frames: Tensor) -> Tensor:
        features = self.backbone1(F.pad(frames, (0, 1, 0, 1)))
        points = cast(Tensor, self.backbone2a(features)).reshape(-1, 468, 3)
        return points[..., :2]  # the third is depth
