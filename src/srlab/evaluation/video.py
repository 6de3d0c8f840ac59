"""The protocols of clips: PSNR and SSIM of each frame, after the conventions of the video papers, then the means.

The same frames of DUF's are worth 25.0 dB whole and 27.4 dB without 8 pixels of border and 2 frames at each end: which of
them a protocol leaves out stands in its name. Means are over a clip's frames, then over the clips.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from srlab.borders import Borders
from srlab.degradation.bd import BD, bd_tag
from srlab.degradation.resize import crop_to_multiple
from srlab.degradation.rounding import quantize
from srlab.errors import InputError
from srlab.evaluation.photographs import PhotographProtocol
from srlab.evaluation.protocol import Case
from srlab.interpolants import Kernel
from srlab.networks.interpolation import Phase, enlarge
from srlab.types import LabelledClip, LabelledImage


@dataclass(frozen=True)
class ClipProtocol(PhotographProtocol):
    """How LR clips are made, and how SR clips are scored. What is said of images holds for each frame.

    Args:
        blur_sigma: LR is a Gaussian's (`degradation=bd`) instead of `lr_kernel`'s: its standard deviation in HR pixels;
            None: it is not.
        blur_size: taps of the Gaussian on each axis.
        blur_borders: how HR goes on beyond its borders for it.
        drop_frames: at each end of a clip, which are super-resolved and not scored.
        all others: as in PhotographProtocol.

    Raises:
        ValueError: for a number or a word that cannot be.
    """

    blur_sigma: float | None
    blur_size: int
    blur_borders: Borders
    drop_frames: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.drop_frames < 0:
            raise ValueError(f"protocol.drop_frames={self.drop_frames}: give 0 or more.")
        if self.blur_sigma is not None and self.lr_rounding == "passes":
            raise ValueError("protocol.lr_rounding=passes is imresize's, and a Gaussian has none: set result or none.")
        _ = self.phase  # refuses a Gaussian that cannot be

    @property
    def made_by(self) -> str:
        return self.lr_kernel if self.blur_sigma is None else bd_tag(self.blur_sigma)

    @cached_property
    def phase(self) -> Phase:
        """Where LR pixels lie among those of HR."""
        if self.blur_sigma is None:
            return "centre"
        BD(1, self.blur_sigma, self.blur_size, self.blur_borders)
        return "first"

    def scored_frames(self, clip: LabelledClip) -> range:
        """Which of a clip's frames are scored.

        Raises:
            InputError: none would be.
        """
        kept = range(self.drop_frames, len(clip.frames) - self.drop_frames)
        if not kept:
            raise InputError(
                f"{clip.dataset}/{clip.name} has {len(clip.frames)} frames, and protocol={self.name} leaves out "
                f"{self.drop_frames} at each end: leave the clip out, or set protocol.drop_frames=0."
            )
        return kept

    def prepare(self, image: LabelledImage, scale: int, channels: int) -> Case:
        if self.blur_sigma is not None and image.lr is None:
            hr = crop_to_multiple(image.hr[None].double(), scale)
            hr = quantize(hr, image.levels) if image.levels else hr
            rounded = self.lr_rounding == "result"
            blur = BD(scale, self.blur_sigma, self.blur_size, self.blur_borders, rounded)
            image = replace(image, lr=blur.reduce(hr, image.levels)[0])
        return super().prepare(image, scale, channels)

    def interpolation(self, kernel: Kernel, scale: int, levels: int) -> Callable[..., Tensor]:
        """In float64 and of LR's phase: rounded once, when it is scored."""
        return lambda lr, guide=None: enlarge(lr.double(), scale, kernel, self.phase)

    def baseline(self, case: Case) -> Tensor:
        return enlarge(case.lr, case.scale, "bicubic", self.phase)

    def whole(self, sr: Tensor, case: Case) -> tuple[Tensor, Tensor]:
        """SR and HR of a frame as metrics of motion see them: finished, with their borders, (1, C, H, W) float32."""
        return self._finished(sr, case).float(), case.hr.float()

    def border(self, case: Case) -> int:
        """Pixels that are not scored, on each side."""
        return self._border(case)
