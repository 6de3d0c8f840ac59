"""Every network that learns can learn one pair of images by heart: beyond 40 dB, in a bounded number of steps."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import srlab
from srlab.data.images import to_tensor
from srlab.data.sources import SkimagePhotos
from srlab.degradation.resize import resize
from srlab.networks.network import Network

Compose = Callable[..., Network]

CONF = Path(srlab.__file__).parents[2] / "conf"
BEYOND = 40.0  # dB
