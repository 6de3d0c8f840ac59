"""Network interpolation: weights between those of two networks (ESRGAN; Wang et al., ECCVW 2018, section 3.4)."""

from collections.abc import Mapping

import torch
from torch import Tensor


def interpolate(first: Mapping[str, Tensor], second: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """(1 - alpha) first + alpha second, tensor by tensor, in the precision of the first; counters are the nearer one's.

    Args:
        first: a state dict, of the network for PSNR in the paper.
        second: of the same network after another training, adversarial in the paper.
        alpha: 0 gives the first, 1 the second, 0.8 the paper's choice.

    Raises:
        ValueError: the two are not of one network, or alpha is outside [0, 1].
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha={alpha}: choose from 0 (the first network) to 1 (the second).")
    if first.keys() != second.keys():
        odd = sorted(first.keys() ^ second.keys())
        raise ValueError(
            f"The two networks differ: {len(odd)} tensors ({', '.join(odd[:3])}) are in one of them only. Interpolate "
            f"between two trainings of one network."
        )
    shapes = [name for name in first if first[name].shape != second[name].shape]
    if shapes:
        name = shapes[0]
        raise ValueError(
            f"The two networks differ: {name} is {tuple(first[name].shape)} in one and {tuple(second[name].shape)} in "
            f"the other. Interpolate between two trainings of one network."
        )
    return {
        name: torch.lerp(one, second[name].to(one), alpha)
        if one.is_floating_point()
        else (one if alpha < 0.5 else second[name])
        for name, one in first.items()
    }
