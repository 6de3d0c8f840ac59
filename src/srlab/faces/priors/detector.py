"""Where the faces are: BlazeFace, MediaPipe's detector for near faces (Bazarevsky et al., arXiv 1907.05047, section 3).

128 x 128 pixels make 896 guesses, two at each of 16 x 16 places and six at each of 8 x 8, all of one size (section 3.2):
how sure it is, a box, and six points (eyes, nose, mouth, ears).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from srlab.faces.priors.blaze import BlazeBlock
from srlab.faces.priors.prior import Prior, rgb

SIZE = 128
"""The frame's height and width."""

GRIDS = ((16, 2), (8, 6))
"""Places along a side, and guesses at each."""

Box = tuple[int, int, int, int]


class BlazeFace(Prior):
    """Finds the face of a picture; a gradient flows to the picture through `features`.

    Args:
        weights: `blazeface.pth` of the PyTorch port (0.10 M parameters).
        sure: the least score of a face, from 0 to 1 (the port: 0.75; MediaPipe: 0.5, which noise reaches).

    Attributes:
        tag: what judged, for a protocol's hash: the score is part of it.

    Raises:
        InputError: no such file, or one that does not fit.
        ValueError: a score that is none.
    """

    def __init__(self, weights: str | None, sure: float = 0.75) -> None:
        if not 0 < sure < 1:
            raise ValueError(f"sure={sure}: a score lies between 0 and 1, the port takes 0.75.")
        super().__init__(_BlazeFace(), weights)
        self.sure = float(sure)
        self.tag = f"{self.tag} {self.sure}"
        self.register_buffer("centres", centres(), persistent=False)

    def features(self, images: Tensor, landmarks: Tensor | None = None) -> Tensor:
        """(B, 3, H, W) in [0, 1], and landmarks that it does not need -> (B, 896, 17).

        A guess is its score (before the sigmoid), then x and y of its box's top left and bottom right corners and of its
        six points, in pixels of the picture.
        """
        height, width = images.shape[-2:]
        side = max(height, width)
        below, right = side - height, side - width
        square = F.pad(images, (right // 2, right - right // 2, below // 2, below - below // 2))
        frames = F.interpolate(square, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)
        guesses: Tensor = self.network(frames * 2 - 1)
        box, points = guesses[..., None, 1:5] / SIZE, torch.unflatten(guesses[..., 5:] / SIZE, 2, (6, 2))
        start = self.get_buffer("centres")[:, None]
        middle, half = start + box[..., :2], box[..., 2:] / 2
        places = torch.cat((middle - half, middle + half, start + points), dim=2)
        origin = torch.tensor([right // 2, below // 2], dtype=places.dtype, device=places.device)
        return torch.cat((guesses[..., :1], (places * side - 0.5 - origin).flatten(2)), dim=2)

    @torch.no_grad()
    def find(self, image: Tensor) -> Box | None:
        """The box of the face of (1, 1 or 3, H, W) in [0, 1] that it is surest of: left, top, right, bottom; None: no face.

        What the port blends into one box from all guesses that overlap is here the best guess's.
        """
        with torch.autocast(image.device.type, enabled=False):
            guesses = self.features(rgb(image))[0]
        best = guesses[guesses[:, 0].argmax()]
        if float(best[0].sigmoid()) < self.sure:
            return None
        left, top, right, bottom = best[1:5].round().int().tolist()
        return left, top, right, bottom


def centres() -> Tensor:
    """The places that the guesses start from, x and y as shares of the frame: (896, 2)."""
    grids = []
    for places, guesses in GRIDS:
        axis = (torch.arange(places) + 0.5) / places
        grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).flatten(0, 1)
        grids.append(grid.repeat_interleave(guesses, 0))
    return torch.cat(grids)


class _BlazeFace(nn.Module):
    """(B, 3, 128, 128) in [-1, 1] -> (B, 896, 17); the names are those of the port's file."""

    def __init__(self) -> None:
        super().__init__()
        widths = (24, 24, 28, 32, 36, 42, 48, 56, 64, 72, 80, 88)
        strides = (1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1)
        self.backbone1 = nn.Sequential(
            nn.Conv2d(3, 24, 5, stride=2),
            nn.ReLU(),
            *(BlazeBlock(*place, _relu) for place in zip(widths, widths[1:], strides, strict=False)),
        )
        self.backbone2 = nn.Sequential(BlazeBlock(88, 96, 2, _relu), *(BlazeBlock(96, 96, 1, _relu) for _ in range(4)))
        (_, more), (_, fewer) = GRIDS
        self.classifier_8, self.classifier_16 = nn.Conv2d(88, more, 1), nn.Conv2d(96, fewer, 1)
        self.regressor_8, self.regressor_16 = nn.Conv2d(88, 16 * more, 1), nn.Conv2d(96, 16 * fewer, 1)

    def forward(self, frames: Tensor) -> Tensor:
        near = self.backbone1(F.pad(frames, (1, 2, 1, 2)))
        far = self.backbone2(near)
        guesses = [
            torch.cat([_listed(score(features), 1), _listed(place(features), 16)], dim=2)
            for features, score, place in (
                (near, self.classifier_8, self.regressor_8),
                (far, self.classifier_16, self.regressor_16),
            )
        ]
        return torch.cat(guesses, dim=1)


def _listed(maps: Tensor, numbers: int) -> Tensor:
    """(B, guesses x numbers, h, w) -> (B, h x w x guesses, numbers)."""
    return maps.movedim(1, -1).reshape(len(maps), -1, numbers)


def _relu(channels: int) -> nn.Module:
    return nn.ReLU()
