"""Find everything that is wrong with a data set before the first step, and say all of it at once."""

import logging
import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from srlab.data.images import Header
from srlab.data.pixels import channels_fit, expected_channels
from srlab.data.source import Source
from srlab.errors import InputError
from srlab.types import Pixels

log = logging.getLogger(__name__)

T = TypeVar("T")

STOP, SKIP = "stop", "skip"


@dataclass(frozen=True)
class Needs:
    """What images must be.

    Attributes:
        scale: HR pixels per LR pixel.
        channels: of the network; grey and RGB stand in for each other.
        smallest_lr: least LR height and width.
        reason: what asks for that size, and the remedy: the end of a message; `{fits}` stands for the LR size there is.
        guide_channels: of the guide that the network takes; None: it takes none.
    """

    scale: int
    channels: int
    smallest_lr: int
    reason: str
    guide_channels: int | None = None


@dataclass(frozen=True)
class Problem:
    """An image that cannot be used (or, with index None, something about the set), and why, naming it."""

    index: int | None
    text: str


def audit_headers(source: Source, needs: Needs) -> tuple[list[Header | None], list[Problem]]:
    """Check each image's header: (the headers, None where it is bad; the problems). Pixels are not decoded."""

    def check(index: int) -> Header | Problem:
        try:
            header = source.header(index)
            others = {name: companion.header(index) for name, companion in source.companions().items()}
        except InputError as error:
            return Problem(index, str(error))
        faults = _faults(header, others.pop("lr", None), needs) + _misfits(header, others, needs)
        return Problem(index, f"{source.where(index)}: {'; '.join(faults)}") if faults else header

    found = in_threads(check, range(len(source)))
    problems = [Problem(None, complaint) for complaint in source.complaints]
    if needs.guide_channels and source.guide is None:
        problems.append(Problem(None, f"{source.name}: has no guides, and the network takes one: take other data"))
    problems += [outcome for outcome in found if isinstance(outcome, Problem)]
    return [outcome if isinstance(outcome, Header) else None for outcome in found], problems


def audit_values(pixels: Pixels) -> str | None:
    """What is wrong with an image's values, or None: float images must be finite, with white at about 1."""
    if pixels.dtype != np.float32:
        return None
    low, high = float(pixels.min()), float(pixels.max())
    if not math.isfinite(low + high):
        return "it has values that are not finite, expected [0, 1]: mend or remove it"
    if low < -1 or high > 2:
        return f"its values lie in [{low:g}, {high:g}], expected white at 1: divide it by its white level"
    return None


def report(source: Source, problems: Sequence[Problem], left: int, on_bad_file: str) -> None:
    """Stop at problems, or, where they are to be skipped, list them in the log.

    Args:
        source: of the problems.
        problems: all that were found.
        left: images that are without one.
        on_bad_file: `stop` or `skip`.

    Raises:
        InputError: there are problems and `on_bad_file` is stop, or no image is left.
    """
    if not problems:
        return
    listing = "\n".join(f"  {problem.text}" for problem in problems)
    if on_bad_file != SKIP or not left:
        remedy = "Mend or remove them, or leave them out with data.on_bad_file=skip." if left else "No image is left."
        raise InputError(f"{source.name}: of {len(source)} images, these cannot be used:\n{listing}\n{remedy}")
    log.warning("%s: %d images are left; these were skipped:\n%s", source.name, left, listing)


def in_threads(work: Callable[[int], T], indices: Sequence[int]) -> list[T]:
    """Do independent work on each index, in as many threads as this process has cores (decoders release the GIL)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(max_workers=cores) as pool:
        return list(pool.map(work, indices))


def _faults(hr: Header, lr: Header | None, needs: Needs) -> list[str]:
    faults = []
    lr_size = (hr.height // needs.scale, hr.width // needs.scale)
    if not channels_fit(hr.channels, needs.channels):
        faults.append(
            f"has {hr.channels} channels, expected {expected_channels(needs.channels)}: set channels={hr.channels}"
        )
    if lr and lr.channels != hr.channels:
        faults.append(f"has {hr.channels} channels, but its LR image {lr.channels}")
    if lr and (lr.height, lr.width) != lr_size:
        faults.append(
            f"is {hr.height} x {hr.width}, so that at scale {needs.scale} its LR image must be "
            f"{lr_size[0]} x {lr_size[1]}, but that is {lr.height} x {lr.width}: set scale to the pair's"
        )
    elif min(lr_size) < needs.smallest_lr:
        least, reason = needs.smallest_lr * needs.scale, needs.reason.format(fits=min(lr_size))
        faults.append(f"is {hr.height} x {hr.width}, expected at least {least} x {least} {reason}")
    return faults


def _misfits(hr: Header, others: Mapping[str, Header], needs: Needs) -> list[str]:
    """What is wrong with the guide and the mask of an image."""
    faults = [
        f"is {hr.height} x {hr.width}, but its {name} {other.height} x {other.width}: they must be equal"
        for name, other in others.items()
        if (other.height, other.width) != (hr.height, hr.width)
    ]
    guide = others.get("guide")
    if guide and needs.guide_channels and guide.channels != needs.guide_channels:
        faults.append(f"has a guide of {guide.channels} channels, and the network takes {needs.guide_channels}")
    return faults
