"""A face of circles and lines, whose landmarks are known."""

import math

import torch


def face() -> torch.Tensor:
    """Landmarks on 128 x 128 pixels, symmetric about x = 63.5: (1, 68, 2)."""
    points = torch.full((68, 2), math.nan)
    angles = torch.linspace(math.pi, 0, 17)
    points[:17] = torch.stack((63.5 + 45 * angles.cos(), 55 + 60 * angles.sin()), 1)
    points[17:22] = torch.tensor([[28.5, 44], [34.5, 41], [40.5, 40], [46.5, 41], [52.5, 43]])
    points[27:31] = torch.tensor([[63.5, 52], [63.5, 58], [63.5, 64], [63.5, 70]])
    points[31:36] = torch.tensor([[53.5, 76], [58.5, 78], [63.5, 79], [68.5, 78], [73.5, 76]])
    points[36:42] = torch.tensor([[33.5, 54], [38.5, 51], [44.5, 51], [49.5, 55], [44.5, 57], [38.5, 57]])
    points[48:55] = torch.tensor([[45.5, 92], [51.5, 89], [57.5, 87], [63.5, 88], [69.5, 87], [75.5, 89], [81.5, 92]])
    points[55:60] = torch.tensor([[75.5, 99], [69.5, 103], [63.5, 104], [57.5, 103], [51.5, 99]])
    points[60:65] = torch.tensor([[48.5, 93], [57.5, 92], [63.5, 93], [69.5, 92], [78.5, 93]])
    points[65:68] = torch.tensor([[69.5, 97], [63.5, 98], [57.5, 97]])
    mirrored = points * torch.tensor([-1.0, 1.0]) + torch.tensor([127.0, 0.0])
    points[22:27] = mirrored[[21, 20, 19, 18, 17]]
    points[42:48] = mirrored[[39, 38, 37, 36, 41, 40]]
    return points[None]
