"""How much memory an enlargement takes, and how large a tile fits into what there is."""

import contextlib
import math
import os
import resource
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from srlab.inference.tiling import Span, Tiling, Window
from srlab.types import Pixels

RESERVE = 0.1e9
"""Bytes for encoders, decoders and what else a process comes to need."""

PROBE = 48
"""Side of the tile, in LR pixels, on which a network's appetite is measured."""

SCRATCH = 1.7
"""What convolutions need beside their tensors, which no operator shows, as a factor: measured on a CPU, 1.1 to 1.6."""

USUAL_TILE = 192
"""Side in LR pixels of the tiles that are used where memory is no matter: larger ones are no faster."""

MARGINS = 24
"""A tile is as wide as so many halos at least, where memory allows: its margins are then a sixth of its pixels."""


class Peak(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that live at once, in `peak`, while operators run under it."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.current = self.peak = 0
        self.known: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self.count(leaf.untyped_storage())
        return result

    def count(self, storage: torch.UntypedStorage) -> None:
        place = storage.data_ptr()
        if place in self.known or not place:
            return
        self.known[place] = storage.nbytes()
        self.current += storage.nbytes()
        self.peak = max(self.peak, self.current)
        weakref.finalize(storage, self.forget, place)

    def forget(self, place: int) -> None:
        self.current -= self.known.pop(place, 0)


def bytes_per_pixel(tiling: Tiling, channels: int, dtype: np.dtype[Any], alpha: bool) -> float:
    """Bytes that a tile takes for each of its LR pixels, margin included, measured by enlarging a small one."""
    unit = tiling.network.multiple_of
    side = -(-PROBE // unit) * unit
    span = Span(0, side, 0, side)
    pixels: Pixels = np.zeros((side, side, channels), dtype)
    with Peak() as counter:
        tiling.forward(pixels, [Window(span, span)], alpha)
    return float(SCRATCH * counter.peak / side**2)


def tile_within(budget: float, per_pixel: float, tiling: Tiling, row: int) -> int:
    """The side of the largest tile, in LR pixels, that takes no more than a budget; 0 where none does.

    Args:
        budget: bytes for tiles and for a band of the result.
        per_pixel: of a tile, margin included.
        tiling: whose halo and batch count.
        row: bytes of the result for each row of LR pixels; two bands are held while one is written.
    """
    unit = tiling.network.multiple_of
    margin = -(-tiling.halo // unit) * unit

    def need(tile: int) -> float:
        return tiling.batch * (tile + 2 * margin) ** 2 * per_pixel + 2 * tile * row

    low, high = 0, 2**16 // unit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if need(middle * unit) <= budget else (low, middle - 1)
    return low * unit


def usual_tile(tiling: Tiling) -> int:
    """The side of a tile where memory is no matter: wide enough that its margins cost little."""
    unit = tiling.network.multiple_of
    return max(unit, max(USUAL_TILE, MARGINS * tiling.halo) // unit * unit)


def resident() -> int:
    """Bytes of memory that this process holds."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the most so far, where the system does not say


def memory_budget(device: torch.device, memory_gb: float | None, shares: int = 1) -> float:
    """Bytes that may be taken besides what the process holds already.

    Args:
        device: which is to hold them.
        memory_gb: what the process may hold in all; None: half of what is free.
        shares: equal parts of it that are taken at a time.
    """
    if memory_gb is not None and device.type == "cpu":
        return (1e9 * memory_gb - resident() - RESERVE) / shares
    return min(available(device) / 2, 1e9 * (memory_gb or math.inf))


def available(device: torch.device) -> int:
    """Bytes that are free on a device, within the limit of a container; without a word of it, 4 GB."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [read() for read in (_free_in_the_machine, _free_in_the_container)]
    return min((amount for amount in found if amount is not None), default=4 * 10**9)


def _quietly(read: Callable[[], int]) -> Callable[[], int | None]:
    def tried() -> int | None:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            return read()
        return None

    return tried


@_quietly
def _free_in_the_machine() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])


@_quietly
def _free_in_the_container() -> int:
    folder = Path("/sys/fs/cgroup")
    return int((folder / "memory.max").read_text()) - int((folder / "memory.current").read_text())
