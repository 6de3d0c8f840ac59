"""Metrics of motion: what happens from one frame to the next, in SR and in HR; chosen by `metric@metrics=[tof,ewarp]`.

A clip that is steady because it is blurred has a low warping error, and a high tOF: read them together.
"""

from abc import abstractmethod
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlab.degradation.base import trim
from srlab.errors import InputError
from srlab.evaluation.metrics import FACTS, Facts, Metric
from srlab.evaluation.perceptual import Lpips

Floats = NDArray[np.float32]


class Frame(NamedTuple):
    """A frame as it was made and as it should be, each (1, C, H, W) float32 in [0, 1] with its borders."""

    sr: Tensor
    hr: Tensor


class TemporalMetric(Metric):
    """A metric of two frames that follow each other; a clip's is the mean over those of its steps that have one."""

    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        raise InputError(f"{type(self).__name__} compares frames of a clip, and this is an image: take data=clips.")

    @abstractmethod
    def between(self, before: Frame, now: Frame, border: int) -> float | None:
        """Score the step from a frame to the next; None where HR has nothing to judge it by, as at a cut.

        Args:
            before: the earlier frame.
            now: the later one.
            border: pixels on each side that do not count.
        """


class TOF(TemporalMetric):
    """How far the motion in SR is from that in HR, in pixels (TecoGAN; Chu et al., SIGGRAPH 2020; its tables: 10 times it).

    The optical flow of either is Farneback's, of 8-bit grey frames, with the settings of the authors' code; the mean over
    pixels of the length of the difference. It needs OpenCV.
    """

    facts: Facts = FACTS["tof"]

    def __init__(self) -> None:
        self.cv2 = _opencv("tOF")

    def between(self, before: Frame, now: Frame, border: int) -> float:
        ours, theirs = (self._flow(first, second) for first, second in zip(before, now, strict=True))
        off = trim(torch.from_numpy(ours - theirs).movedim(-1, 0), border)
        return float(off.double().square().sum(0).sqrt().mean())

    def _flow(self, first: Tensor, second: Tensor) -> Floats:
        """(H, W, 2)."""
        grey = [_grey(self.cv2, image) for image in (first, second)]
        flow: Floats = self.cv2.calcOpticalFlowFarneback(*grey, None, 0.5, 3, 15, 3, 5, 1.2, 0)
        return flow


class WarpingError(TemporalMetric):
    """How far SR is from the frame before it, moved as HR moves: the mean absolute difference of what is seen in both.

    After Lai et al. (ECCV 2018), with the flow of HR by OpenCV's DIS, and occlusions where it does not agree with the
    flow back or where it breaks off (Ruder et al., 2016, equations 5 and 6). Blur lowers it: read it beside tOF.
    """

    facts: Facts = FACTS["ewarp"]

    def __init__(self) -> None:
        self.cv2 = _opencv("The warping error")
        self.flow = self.cv2.DISOpticalFlow_create(self.cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def between(self, before: Frame, now: Frame, border: int) -> float | None:
        grey_before, grey_now = (_grey(self.cv2, frame.hr) for frame in (before, now))
        back: Floats = self.flow.calc(grey_now, grey_before, None)
        forth: Floats = self.flow.calc(grey_before, grey_now, None)
        seen = trim(torch.from_numpy(self.seen(back, forth)), border)
        moved = self.moved(before.sr[0].movedim(0, -1).numpy(), back)
        off = trim((torch.from_numpy(moved).movedim(-1, 0) - now.sr[0]).abs().mean(0), border)
        return float(off[seen].double().mean()) if bool(seen.any()) else None

    def moved(self, image: Floats, flow: Floats) -> Floats:
        """What lies at x + flow(x): (H, W, C) -> (H, W, C), by bilinear interpolation."""
        height, width = flow.shape[:2]
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        moved: Floats = self.cv2.remap(
            np.ascontiguousarray(image),
            columns + flow[..., 0],
            rows + flow[..., 1],
            self.cv2.INTER_LINEAR,
            borderMode=self.cv2.BORDER_REPLICATE,
        )
        return moved.reshape(image.shape)

    def seen(self, back: Floats, forth: Floats) -> NDArray[np.bool_]:
        """Where what a frame shows was in the frame before: (H, W)."""
        returned = self.moved(forth, back)
        agree = _squares(back + returned) <= 0.01 * (_squares(back) + _squares(returned)) + 0.5
        slope = sum(np.square(np.gradient(back[..., axis])).sum(0) for axis in (0, 1))
        smooth = slope <= 0.01 * _squares(back) + 0.002
        return np.asarray(agree & smooth, dtype=np.bool_)


class TLP(TemporalMetric):
    """How far the change from frame to frame, as LPIPS sees it, is from that of HR (TecoGAN; its tables: 100 times it).

    Args:
        backbone: of LPIPS, whose weights it needs.
    """

    facts: Facts = FACTS["tlp"]

    def __init__(self, backbone: Literal["alex", "vgg", "squeeze"] = "alex") -> None:
        self.lpips = Lpips(backbone, metric="tLP")

    def between(self, before: Frame, now: Frame, border: int) -> float:
        ours, theirs = (
            self.lpips(trim(second, border), trim(first, border)) for first, second in zip(before, now, strict=True)
        )
        return abs(ours - theirs)


def _squares(flow: Floats) -> Floats:
    squares: Floats = np.square(flow).sum(-1)
    return squares


def _grey(cv2: Any, image: Tensor) -> NDArray[np.uint8]:
    """8-bit grey of a frame (1, 1 or 3, H, W): (H, W)."""
    codes = (image[0].clamp(0, 1) * 255).round().to(torch.uint8).movedim(0, -1).contiguous().numpy()
    if codes.shape[-1] not in (1, 3):
        raise InputError(f"Motion is seen in grey or RGB frames, not {codes.shape[-1]} channels: leave the metric out.")
    grey: NDArray[np.uint8] = codes[..., 0] if codes.shape[-1] == 1 else cv2.cvtColor(codes, cv2.COLOR_RGB2GRAY)
    return np.ascontiguousarray(grey)


def _opencv(metric: str) -> Any:
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise InputError(f"{metric} needs OpenCV: pip install 'srlab[video]', or leave it out of metrics.") from error
    cv2.setNumThreads(1)  # the cores are the network's
    return cv2
