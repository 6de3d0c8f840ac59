"""What networks of clips say of themselves, and how a clip of any length goes through them some frames at a time."""

from abc import abstractmethod
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from srlab.networks.network import Network
from srlab.types import Prediction

Read = Callable[[int, int], Tensor]
"""Frames `start` to `stop` of a clip: (B, stop - start, C, h, w)."""

State = tuple[Tensor, ...]
"""What a recurrent network keeps of the frames that it has seen."""


class VideoNetwork(Network):
    """Base of networks of clips: lr (B, T, C, h, w) -> Prediction with sr (B, T, C, scale h, scale w), not clamped.

    A subclass implements `predict` and `stream`; those that see some frames around one are `WindowedNetwork`s.

    Args:
        channels, scale, multiple_of, halo: as in Network; the halo is that within one frame.
        temporal_halo: a frame depends on this many before it and, where it is not causal, after it; None: on the whole
            clip, or, where it is causal, on all that came before.
        causal: no frame depends on later ones, so that it can be shown before these are there.

    Raises:
        ValueError: at construction for impossible numbers, at the call for a clip that does not fit.
    """

    def __init__(
        self, channels: int, scale: int, multiple_of: int, halo: int | None, temporal_halo: int | None, causal: bool
    ) -> None:
        super().__init__(channels, scale, multiple_of, halo)
        if temporal_halo is not None and temporal_halo < 0:
            raise ValueError(f"temporal_halo={temporal_halo}: give 0 or more frames, or null for the whole clip.")
        self.temporal_halo, self.causal = temporal_halo, causal

    def check(self, lr: Tensor) -> None:
        if lr.ndim != 5 or 0 in lr.shape:
            raise ValueError(
                f"Expected clips (B, T, {self.channels}, H, W), got {tuple(lr.shape)}: take data of clips, or another "
                f"network for single images."
            )
        super().check(lr[:, 0])

    @abstractmethod
    def stream(self, read: Read, length: int, chunk: int) -> Iterator[Tensor]:
        """Super-resolve a clip, some frames at a time: its SR (B, t, C, scale h, scale w), from the first frame to the last.

        The result is that of the whole clip, and what is held at a time does not grow with it, where nothing else is
        said. Call it in evaluation mode, and without gradients.

        Args:
            read: gives any of its frames, more than once and in any order.
            length: T.
            chunk: frames at a time, 1 or more.
        """


class WindowedNetwork(VideoNetwork):
    """Base of networks whose frames depend on `temporal_halo` frames around them. A subclass implements `predict`.

    Args:
        channels, scale, multiple_of, halo, temporal_halo, causal: as in VideoNetwork.
    """

    def __init__(
        self, channels: int, scale: int, multiple_of: int, halo: int | None, temporal_halo: int, causal: bool
    ) -> None:
        super().__init__(channels, scale, multiple_of, halo, temporal_halo, causal)
        self.window = temporal_halo

    def stream(self, read: Read, length: int, chunk: int) -> Iterator[Tensor]:
        require_chunk(chunk)
        for start in range(0, length, chunk):
            stop = min(start + chunk, length)
            first = max(0, start - self.window)
            last = stop if self.causal else min(length, stop + self.window)
            yield self(read(first, last)).sr[:, start - first : stop - first]


class RecurrentNetwork(VideoNetwork):
    """Base of causal networks that carry a state from frame to frame. A subclass implements `advance`.

    Args:
        channels, scale, multiple_of, halo: as in VideoNetwork.
    """

    def __init__(self, channels: int, scale: int, multiple_of: int, halo: int | None = None) -> None:
        super().__init__(channels, scale, multiple_of, halo, temporal_halo=None, causal=True)

    @abstractmethod
    def advance(self, lr: Tensor, state: State | None) -> tuple[Prediction, State]:
        """The prediction for the next frames (B, t, C, h, w), and the state after them.

        Args:
            lr: t frames, 1 or more.
            state: after the frames before; None: there are none.
        """

    def predict(self, lr: Tensor) -> Prediction:
        return self.advance(lr, None)[0]

    def stream(self, read: Read, length: int, chunk: int) -> Iterator[Tensor]:
        require_chunk(chunk)
        state: State | None = None
        for start in range(0, length, chunk):
            lr = read(start, min(start + chunk, length))
            self.check(lr)
            prediction, state = self.advance(lr, state)
            yield prediction.sr


class FrameByFrame(WindowedNetwork):
    """A network of single images on each frame of a clip: the baseline that knows nothing of time.

    Args:
        network: (B, C, h, w) -> Prediction.

    Raises:
        ValueError: it takes a guide.
    """

    def __init__(self, network: Network) -> None:
        super().__init__(
            network.channels, network.scale, network.multiple_of, network.halo, temporal_halo=0, causal=True
        )
        if network.guide_channels is not None:
            raise ValueError(f"{type(network).__name__} takes a guide beside each image, and clips have none.")
        self.network = network

    def predict(self, lr: Tensor) -> Prediction:
        prediction: Prediction = self.network(lr.flatten(0, 1))

        def as_clips(images: Tensor) -> Tensor:
            return images.reshape(*lr.shape[:2], *images.shape[1:])

        intermediate = {name: as_clips(image) for name, image in prediction.intermediate.items()}
        return Prediction(as_clips(prediction.sr), intermediate)


def as_video(network: Network) -> VideoNetwork:
    """A network of clips as it is, one of images frame by frame; in the mode in which it was."""
    return network if isinstance(network, VideoNetwork) else FrameByFrame(network).train(network.training)


def require_chunk(chunk: int) -> None:
    """Refuse to go through a clip by no frames at a time.

    Raises:
        ValueError: the number is below 1.
    """
    if chunk < 1:
        raise ValueError(f"chunk={chunk}: give 1 frame or more at a time.")


def frames_of(clip: Tensor) -> Read:
    """A clip (B, T, C, h, w) that is in memory, as what gives its frames."""
    return lambda start, stop: clip[:, start:stop]


def of_all(parts: Iterator[Tensor]) -> Tensor:
    """The parts of a stream as one clip."""
    return torch.cat(list(parts), 1)
