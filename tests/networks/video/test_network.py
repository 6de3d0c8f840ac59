"""What every network of clips promises, on stand-ins whose results are known."""

import pytest
import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.inference.enlarge import enlarge, enlarge_clip
from srlab.networks.interpolation import Interpolation
from srlab.networks.interpolation import enlarge as interpolated
from srlab.networks.video.network import (
    FrameByFrame,
    RecurrentNetwork,
    State,
    VideoNetwork,
    WindowedNetwork,
    as_video,
    frames_of,
    of_all,
)
from srlab.paradigms.evaluated import laid_out
from srlab.types import Prediction


class MeanOfThree(WindowedNetwork):
    """The mean of a frame and its neighbours, those beyond the clip left out."""

    def __init__(self, channels: int = 1) -> None:
        super().__init__(channels, scale=1, multiple_of=2, halo=0, temporal_halo=1, causal=False)
        self.longest = 0

    def predict(self, lr: Tensor) -> Prediction:
        self.longest = max(self.longest, lr.shape[1])
        windows = [lr[:, max(0, place - 1) : place + 2].mean(1) for place in range(lr.shape[1])]
        return Prediction(torch.stack(windows, 1), {})


class RunningSum(RecurrentNetwork):
    """The sum of all frames so far."""

    def __init__(self) -> None:
        super().__init__(1, scale=1, multiple_of=1, halo=0)

    def advance(self, lr: Tensor, state: State | None) -> tuple[Prediction, State]:
        sums = lr.cumsum(1) + (0 if state is None else state[0])
        return Prediction(sums, {}), (sums[:, -1:],)


def clip(frames: int = 7, channels: int = 1, height: int = 5, width: int = 4) -> Tensor:
    return torch.rand(1, frames, channels, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 20])
def test_a_window_in_chunks_is_the_whole_and_holds_no_more_than_a_chunk_and_its_halo(chunk: int) -> None:
    network, lr = MeanOfThree(), clip(height=6)
    whole = network(lr).sr
    network.longest = 0
    assert torch.equal(of_all(network.stream(frames_of(lr), 7, chunk)), whole)
    assert network.longest <= chunk + 2


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 20])
def test_a_carried_state_makes_chunks_the_whole(chunk: int) -> None:
    lr = clip()
    torch.testing.assert_close(of_all(RunningSum().stream(frames_of(lr), 7, chunk)), lr.cumsum(1))


def test_a_network_of_images_goes_frame_by_frame() -> None:
    lr = clip(channels=3)
    sr = as_video(Interpolation(3, 2))(lr).sr
    assert sr.shape == (1, 7, 3, 10, 8)
    torch.testing.assert_close(sr[:, 4], interpolated(lr[:, 4], 2))
    torch.testing.assert_close(enlarge(Interpolation(3, 2), lr), sr.clamp(0, 1))


def test_sizes_and_channels_are_matched_as_for_images() -> None:
    lr = clip(channels=3)
    sr = enlarge(MeanOfThree(), lr)
    assert sr.shape == lr.shape
    grey = clip(channels=1)
    mean = torch.stack([grey[:, max(0, place - 1) : place + 2].mean(1) for place in range(7)], 1)
    torch.testing.assert_close(enlarge(MeanOfThree(), grey), mean)
    torch.testing.assert_close(enlarge(MeanOfThree(3), grey), mean)
    torch.testing.assert_close(
        enlarge(MeanOfThree(), grey.expand(-1, -1, 3, -1, -1)), mean.expand_as(lr), atol=1e-5, rtol=0
    )
    parts = list(enlarge_clip(MeanOfThree(), frames_of(lr), 7, chunk=3))
    assert [part.shape[1] for part in parts] == [3, 3, 1]
    torch.testing.assert_close(of_all(iter(parts)), sr)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected clips \(B, T, 1, H, W\), got \(1, 1, 4, 4\)"):
        MeanOfThree()(torch.rand(1, 1, 4, 4))
    with pytest.raises(ValueError, match=r"not a multiple of 2"):
        MeanOfThree()(clip())
    with pytest.raises(ValueError, match=r"chunk=0"):
        next(RunningSum().stream(frames_of(clip()), 7, 0))
    with pytest.raises(InputError, match=r"takes 1 channels and the image has 4"):
        enlarge(MeanOfThree(), clip(channels=4))
    with pytest.raises(ValueError, match=r"temporal_halo=-1"):
        VideoNetwork.__init__(MeanOfThree(), 1, 1, 1, 0, -1, causal=False)


def test_frames_are_laid_out_as_images_are() -> None:
    lr = clip(channels=3)
    frames = laid_out(lr, torch.channels_last)
    assert torch.equal(frames, lr)
    assert frames[:, 2].is_contiguous(memory_format=torch.channels_last)
    assert laid_out(lr[0], torch.channels_last).is_contiguous(memory_format=torch.channels_last)


def test_the_adapter_keeps_the_networks_mode() -> None:
    assert not as_video(Interpolation(1, 2).eval()).training
    assert isinstance(as_video(Interpolation(1, 2)), FrameByFrame)
