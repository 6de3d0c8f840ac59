"""Enlarge files: each is read, tiled, and written while it is made, by workers that share the devices."""

import copy
import logging
import math
import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from srlab.data.audit import audit_values
from srlab.data.images import Header, read_header, read_image
from srlab.data.metadata import read_metadata
from srlab.data.pixels import channels_fit, levels_of, to_pixels, to_tensor
from srlab.data.streaming import Form, write_bands
from srlab.errors import InputError
from srlab.inference.enlarge import enlarge, enlarge_with_alpha
from srlab.inference.planner import Planner
from srlab.inference.self_ensemble import SelfEnsemble
from srlab.inference.tiling import Tiling, halo_of
from srlab.networks.network import Network
from srlab.types import Pixels

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One image to enlarge, beside its guide where the network takes one."""

    source: Path
    target: Path
    header: Header
    guide: Path | None = None


@dataclass(frozen=True)
class Summary:
    """How one image went: its sizes, its tiles, its time, or its error."""

    source: str
    target: str
    height: int = 0
    width: int = 0
    tile: int = 0
    halo: int = 0
    seconds: float = 0.0
    error: str = ""


@dataclass
class Upscaler:
    """A network on some devices, with how its images are tiled.

    Attributes:
        network: in evaluation mode, on any device.
        devices: each gets a copy.
        bfloat16: compute in bfloat16.
        factor: another enlargement, for networks of several or any.
        tile: the longest side of a tile in LR pixels; None: by the memory.
        halo: the margin in LR pixels; None: exact, or in bfloat16 as wide as it takes.
        batch: tiles at once.
        memory_gb: what the process may hold; None: half of what is free.
        compiled: `torch.compile` the network.
        workers: images at a time.
    """

    network: Network
    devices: list[torch.device]
    bfloat16: bool = False
    factor: float | None = None
    tile: int | None = None
    halo: int | None = None
    batch: int = 1
    memory_gb: float | None = None
    compiled: bool = False
    workers: int = 2
    free: "queue.Queue[Tiling]" = field(default_factory=queue.Queue, init=False)
    planner: Planner = field(init=False)

    def __post_init__(self) -> None:
        sharing = max(1, min(self.workers, len(self.devices)))
        self.planner = Planner(self.tile, self.halo, self.memory_gb, sharing)
        if self.batch < 1:
            raise InputError(f"batch={self.batch}: give 1 or more.")
        if self.tile is not None and self.tile < self.network.multiple_of:
            raise InputError(
                f"tile={self.tile}: the network takes multiples of {self.network.multiple_of}: give as many."
            )
        whole = None if self.factor is None or self.factor != int(self.factor) else int(self.factor)
        for device in self.devices:
            network = copy.deepcopy(self.network).to(device).to(memory_format=torch.channels_last).eval()
            if self.compiled:
                network.compile()
            exact = halo_of(network, whole)
            self.free.put(Tiling(network, 0, self.halo or exact, self.batch, device, self.bfloat16, whole))

    @property
    def scale(self) -> float:
        return self.factor or self.network.scale

    def all(self, jobs: list[Job], advanced: Callable[[int], None] = lambda pixels: None) -> Iterator[Summary]:
        """Enlarge all; what fails is told and stops nothing else. `advanced` is called with each band's LR pixels."""
        with ThreadPoolExecutor(max(1, self.workers)) as pool:
            running = [pool.submit(self.tried, job, advanced) for job in jobs]
            try:
                for done in as_completed(running):
                    yield done.result()
            finally:
                for waiting in running:
                    waiting.cancel()

    def tried(self, job: Job, advanced: Callable[[int], None]) -> Summary:
        try:
            return self.one(job, advanced)
        except (InputError, OSError, MemoryError, ValueError) as error:
            return Summary(str(job.source), str(job.target), error=str(error) or type(error).__name__)

    def one(self, job: Job, advanced: Callable[[int], None]) -> Summary:
        """Enlarge one file into another of the same kind and depth."""
        started = time.perf_counter()
        check_channels(job, self.network)
        pixels = read_image(job.source)
        if fault := audit_values(pixels):
            raise InputError(f"{job.source}: {fault}.")
        height, width, channels = pixels.shape
        size = [math.floor(side * self.scale) for side in (height, width)]
        form = Form(size[0], size[1], channels, pixels.dtype, job.header.alpha)
        used: list[Tiling] = []
        if job.guide is None:
            bands = self.bands(pixels, job.header.alpha, used, advanced)
        else:
            bands = self.beside(pixels, guide_of(job, self.network), advanced)
        write_bands(job.target, form, bands, read_metadata(job.source, self.scale))
        tile, halo = (used[0].tile, used[0].halo) if used else (max(height, width), 0)
        seconds = time.perf_counter() - started
        return Summary(str(job.source), str(job.target), height, width, tile, halo, seconds)

    def bands(
        self, pixels: Pixels, alpha: bool, used: list[Tiling], advanced: Callable[[int], None]
    ) -> Iterator[Pixels]:
        """Bands of the result; a device is held only while it computes one."""
        if self.factor is not None and self.factor != int(self.factor):  # tiles of a fraction do not begin at pixels
            with self.leased() as tiling:
                yield at_once(tiling, pixels, partial(enlarge_with_alpha if alpha else enlarge, scale=self.factor))
            advanced(pixels.shape[0] * pixels.shape[1])
            return
        with self.leased() as tiling:
            planned = self.planner.tiling(tiling, pixels, alpha)
        used.append(planned)
        tile = planned.tile
        bands = planned.bands(pixels, alpha)
        while True:
            with self.leased() as tiling:
                planned.network, planned.device = tiling.network, tiling.device
                band = next(bands, None)
            if band is None:
                if planned.tile < tile:  # memory ran out: the next image need not find out again
                    self.planner.tile = planned.tile
                return
            yield band
            advanced(len(band) // planned.scale * pixels.shape[1])

    def beside(self, pixels: Pixels, guide: Tensor, advanced: Callable[[int], None]) -> Iterator[Pixels]:
        """The whole result at once: most guided networks scale an image by its range, which a tile does not know."""
        with self.leased() as tiling:
            yield at_once(tiling, pixels, partial(enlarge, guide=guide[None].to(tiling.device)))
        advanced(pixels.shape[0] * pixels.shape[1])

    @contextmanager
    def leased(self) -> Iterator[Tiling]:
        tiling = self.free.get()
        try:
            yield tiling
        finally:
            self.free.put(tiling)


def at_once(tiling: Tiling, pixels: Pixels, method: Callable[[Network, Tensor], Tensor]) -> Pixels:
    """The whole image without tiles."""
    lr = to_tensor(pixels)[None].to(tiling.device, memory_format=torch.channels_last)
    with torch.autocast(tiling.device.type, torch.bfloat16, enabled=tiling.bfloat16):
        return to_pixels(method(tiling.network, lr)[0], levels_of(pixels))


def guide_of(job: Job, network: Network) -> Tensor:
    """The guide of an image: (G, scale H, scale W) in [0, 1].

    Raises:
        InputError: it is not the network's kind, or of another size; or the image has alpha, or values above 1.
    """
    assert job.guide is not None
    header, image = read_header(job.guide), job.header
    due = (image.height * network.scale, image.width * network.scale, network.guide_channels)
    if header.alpha or (header.height, header.width, header.channels) != due:
        raise InputError(
            f"{job.guide} is {header.height} x {header.width} with {header.channels} channels, and the guide of "
            f"{job.source} must be {due[0]} x {due[1]} with {due[2]}: give another, or convert it."
        )
    if image.alpha:
        raise InputError(f"{job.source} has alpha, which networks with a guide do not take: remove it.")
    return to_tensor(read_image(job.guide))


def check_channels(job: Job, network: Network) -> None:
    """Refuse an image that is not the network's kind (`InputError`)."""
    found = job.header.without_alpha().channels
    if not channels_fit(found, network.channels):
        raise InputError(f"{job.source} has {found} channels, and the network takes {network.channels}.")


def check_guide(network: Network, given: str | None) -> None:
    """Refuse a guide that the network does not take, or none where it takes one (`InputError`)."""
    if network.guide_channels is None and given is not None:
        raise InputError(f"guide={given}: this network enlarges images by themselves: leave guide out.")
    if network.guide_channels is not None and given is None:
        raise InputError(
            f"The network takes a guide of {network.guide_channels} channels beside each image, {network.scale} times as "
            f"large: give guide=<its file, or a folder of guides with the images' names>."
        )


def orientations(network: Network, wanted: bool, factor: float | None) -> Network:
    """The network, or its self-ensemble.

    Raises:
        InputError: at another factor than the network's own, or with a network that takes a guide.
    """
    if not wanted:
        return network
    if network.guide_channels is not None:
        raise InputError("self_ensemble=true is for networks without a guide: leave it out.")
    if factor is not None:
        raise InputError("self_ensemble=true is for the network's own scale: leave factor out.")
    return SelfEnsemble(network)
