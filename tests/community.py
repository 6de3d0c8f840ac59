"""A tiny file such as the community hands around: an ESRGAN that srlab did not write."""

from pathlib import Path

import torch


def write_esrgan(path: Path, scale: int = 2) -> Path:
    """Write spandrel's own ESRGAN, two blocks of random weights, as BasicSR wraps it."""
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(0)
    torch.save({"params_ema": ESRGAN(num_filters=8, num_blocks=2, scale=scale).state_dict()}, path)
    return path
