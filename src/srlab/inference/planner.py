"""Into which tiles an image is cut: as large as the memory allows, with a margin as wide as it takes."""

import logging
from dataclasses import dataclass, field, replace
from threading import Lock

import torch

from srlab.errors import InputError
from srlab.inference.memory import RESERVE, bytes_per_pixel, memory_budget, resident, tile_within, usual_tile
from srlab.inference.probing import difference_of_tiles, enough_halo
from srlab.inference.tiling import Tiling
from srlab.types import Pixels

log = logging.getLogger(__name__)


@dataclass
class Planner:
    """What is measured once of a network on a device, and asked for each image; threads may share it.

    Attributes:
        tile: the longest side of a tile in LR pixels; None: by the memory.
        halo: the margin in LR pixels; None: exact, or in bfloat16 as wide as it takes.
        memory_gb: what the process may hold; None: half of what is free.
        sharing: images that are enlarged at a time.
    """

    tile: int | None = None
    halo: int | None = None
    memory_gb: float | None = None
    sharing: int = 1
    planning: Lock = field(default_factory=Lock, init=False)
    halos: dict[torch.device, int] = field(default_factory=dict, init=False)
    appetites: dict[tuple[object, ...], float] = field(default_factory=dict, init=False)
    told: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        for name, value, least in (("tile", self.tile, 1), ("halo", self.halo, 0)):
            if value is not None and value < least:
                raise InputError(f"{name}={value}: give {least} or more, or null.")

    def tiling(self, tiling: Tiling, pixels: Pixels, alpha: bool) -> Tiling:
        """The tiling for an image: its margin, then its tile, which the memory bounds.

        Raises:
            InputError: the budget is less than the smallest tile takes.
        """
        height, width, channels = pixels.shape
        colours: Pixels = pixels[..., :-1] if alpha else pixels
        with self.planning:
            tiling = replace(tiling, halo=self.margin(tiling, colours))
            unit = tiling.network.multiple_of
            whole = -(-max(height, width) // unit) * unit
            tile = self.tile or min(whole, usual_tile(tiling))
            if self.tile is None or self.memory_gb is not None:
                key = (tiling.device, channels, pixels.dtype.name, alpha)
                if key not in self.appetites:
                    self.appetites[key] = bytes_per_pixel(tiling, channels, pixels.dtype, alpha)
                row = tiling.scale**2 * width * channels * pixels.dtype.itemsize
                fitting = tile_within(self.budget(tiling.device), self.appetites[key], tiling, row)
                if fitting < unit:
                    smallest = (unit + 2 * tiling.halo) ** 2 * self.appetites[key]
                    needed = 1.2 * (resident() + RESERVE + smallest) / 1e9
                    raise InputError(f"memory_gb={self.memory_gb} is too little: give {needed:.1f} or more.")
                tile = min(tile, fitting)
            tiling.tile = max(unit, tile // unit * unit)
            if tiling.network.halo is None and tiling.tile < whole and not self.told:
                self.told = True
                found = difference_of_tiles(tiling, colours)
                log.warning(
                    "This network sees the whole image, so that tiles are not quite what the whole would be: on a piece "
                    "of the first image, cut in four, they differ by %.1f of 255 at most, %.1f dB PSNR.",
                    255 * found.largest,
                    found.psnr,
                )
        return tiling

    def margin(self, tiling: Tiling, pixels: Pixels) -> int:
        if self.halo is not None or not tiling.bfloat16:
            return tiling.halo
        if tiling.device not in self.halos:
            self.halos[tiling.device] = enough_halo(tiling, pixels)
            log.info(
                "Tiles overlap by %d pixels: bfloat16 shows no more of %d.", self.halos[tiling.device], tiling.halo
            )
        return self.halos[tiling.device]

    def budget(self, device: torch.device) -> float:
        """Bytes for tiles: of the process's share, what it does not hold yet."""
        return memory_budget(device, self.memory_gb, self.sharing)
