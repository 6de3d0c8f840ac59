"""How much memory a network of clips takes, and how many frames at a time fit into what there is.

Its frames are not cut in tiles: what it knows of other frames is warped from wherever the motion says, and a recurrent
network carries that on from frame to frame, so that no margin makes a tile exact.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.inference.enlarge import enlarge_clip
from srlab.inference.memory import SCRATCH, Peak
from srlab.networks.video.network import VideoNetwork

FRAMES = 16
"""At a time, where memory allows: more are no faster."""

PROBE = 32
"""Side in LR pixels of the frames on which an appetite is measured."""


@dataclass(frozen=True)
class Appetite:
    """Bytes for each LR pixel of a frame.

    Attributes:
        once: whatever the clip.
        frame: for each frame that goes through the network at a time.
        part: for each part in which a clip goes through it: networks of both directions keep features of the way back.
    """

    once: float
    frame: float
    part: float

    def need(self, pixels: int, frames: int, length: int) -> float:
        """Bytes that a clip takes.

        Args:
            pixels: LR pixels of a frame.
            frames: at a time.
            length: of the clip, in frames.
        """
        return pixels * (self.once + self.frame * frames + self.part * -(-length // frames))


def appetite(network: VideoNetwork, channels: int) -> Appetite:
    """Measured on small black clips, which go through the network as large ones do; call it as that is, under autocast too.

    Args:
        network: in evaluation mode.
        channels: of the frames.
    """
    side = -(-PROBE // network.multiple_of) * network.multiple_of
    device = next((tensor.device for tensor in network.state_dict().values()), torch.device("cpu"))

    def read(start: int, stop: int) -> Tensor:
        return torch.zeros(1, stop - start, channels, side, side, device=device)

    def peak(length: int, frames: int) -> float:
        with Peak() as counter:
            for _ in enlarge_clip(network, read, length, frames):
                pass
        return float(SCRATCH * counter.peak / side**2)

    shorter, longer, wider = peak(5, 1), peak(7, 1), peak(7, 3)
    part = max(0.0, (longer - shorter) / 2)
    frame = max(0.0, (wider - longer + 4 * part) / 2)  # of 3 parts, not 7
    return Appetite(max(0.0, longer - frame - 7 * part), frame, part)


def frames_within(need: Appetite, height: int, width: int, length: int, budget: float) -> int:
    """How many frames at a time a budget allows, 16 at most.

    Args:
        need: of the network.
        height: of the LR frames.
        width: of the LR frames.
        length: of the clip, in frames.
        budget: bytes.

    Raises:
        InputError: it does not allow one.
    """
    least = min(range(1, min(FRAMES, length) + 1), key=lambda frames: need.need(height * width, frames, length))
    for frames in range(min(FRAMES, length), 0, -1):
        if need.need(height * width, frames, length) <= budget:
            return frames
    raise InputError(
        f"frames of {height} x {width} take {need.need(height * width, least, length) / 1e9:.1f} GB, "
        f"{least} of {length} at a time, and there are {max(0.0, budget) / 1e9:.1f}: raise memory_gb, cut the frames or the "
        f"clip, or take a smaller network. A network of clips does not work by tiles, which would not be exact; one of "
        f"images does."
    )
