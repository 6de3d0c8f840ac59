"""Crops of several scales, each batch of one."""

from collections.abc import Callable, Mapping

from torch import Tensor
from torch.utils.data import Dataset


class MixedCrops(Dataset[dict[str, Tensor]]):
    """The sample at each position, of its batch's scale.

    Args:
        crops: of each scale.
        scale: of each batch, by its number from 0.
        together: samples of all ranks in one batch, to tell a position's batch.
    """

    def __init__(
        self, crops: Mapping[int, Dataset[dict[str, Tensor]]], scale: Callable[[int], int], together: int
    ) -> None:
        self.crops, self.scale, self.together = crops, scale, together

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        return self.crops[self.scale(position // self.together)][position]
