"""A run's samples are one stream: what stands at a position depends on the seed and the position alone.

No generator is carried along, so there is no state to save: workers, ranks and restarts cannot change a sample.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from torch.utils.data import Sampler


def key(*parts: int | str) -> int:
    """A uniform integer in [0, 2^63) for what is named by `parts`: the seed, a purpose, and numbers.

    BLAKE2b is the counter-based generator: equal parts give equal keys, and no two others are related.
    """
    return keys(1, *parts)[0]


def keys(count: int, *parts: int | str) -> list[int]:
    """`count` (1 to 8) independent keys for what is named by `parts`, at the cost of one."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8 * count).digest()
    return [int.from_bytes(digest[8 * i : 8 * i + 8], "little") >> 1 for i in range(count)]


def image_at(seed: int, position: int, images: int) -> int:
    """Index of the image at a position: every `images` positions are a fresh permutation of all images."""
    epoch, place = divmod(position, images)
    return int(_order(seed, epoch, images)[place])


@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, images: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng(key(seed, "order", epoch)).permutation(images)


class Positions(Sampler[list[int]]):
    """The positions of each of this rank's batches, from `start` to the end of the run.

    Batch b of all ranks together is the positions from b * batch_size * world on; each rank takes its part of them in
    order, so that one rank with twice the batch sees what two ranks see.

    Args:
        iterations: batches in the run.
        batch_size: samples of one rank in one batch.
        start: batches that an earlier part of the run has done.
        rank, world: which of how many processes this is.
    """

    def __init__(self, iterations: int, batch_size: int, start: int = 0, rank: int = 0, world: int = 1) -> None:
        self.iterations = iterations
        self.batch_size = batch_size
        self.start = start
        self.rank = rank
        self.world = world

    def __len__(self) -> int:
        """The batches of the whole run, the done ones included: Lightning counts on from the resumed batch itself."""
        return self.iterations

    def __iter__(self) -> Iterator[list[int]]:
        for batch in range(self.start, self.iterations):
            first = (batch * self.world + self.rank) * self.batch_size
            yield list(range(first, first + self.batch_size))
