"""Images made on the spot."""

import pytest
import torch
from torch import Tensor


@pytest.fixture
def smooth() -> Tensor:
    """(1, 3, 96, 120): sums of a few slow waves, so that nothing aliases when it is shrunk."""
    generator = torch.Generator().manual_seed(7)
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(120.0), indexing="ij")
    image = torch.zeros(3, 96, 120)
    for _ in range(12):
        fy, fx, phase = torch.rand(3, 3, 1, 1, generator=generator).unbind(0)
        image += torch.sin(0.35 * (fy - 0.5) * y + 0.35 * (fx - 0.5) * x + 6.28 * phase)
    return (0.5 + image / 30)[None]


@pytest.fixture
def noisy_codes() -> Tensor:
    """(3, 3, 48, 60): independent 8-bit codes, the hardest case for equality to the bit."""
    return torch.randint(0, 256, (3, 3, 48, 60), generator=torch.Generator().manual_seed(8)).float() / 255
