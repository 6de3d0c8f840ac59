"""The protocol of photographs: PSNR and SSIM of luma or of all channels, after the conventions of the field's papers.

The same SR image is worth 25.3 to 26.9 dB under the conventions of popular toolkits. The choices of the field are in
`conf/protocol`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from srlab.borders import Borders
from srlab.degradation.base import trim
from srlab.degradation.downscale import Rounding, downscale
from srlab.degradation.resize import crop_to_multiple, resize
from srlab.degradation.rounding import quantize
from srlab.errors import InputError
from srlab.evaluation.metrics import psnr, ssim
from srlab.evaluation.protocol import Case, Protocol, beside
from srlab.interpolants import Kernel
from srlab.types import LabelledImage


@dataclass(frozen=True)
class PhotographProtocol(Protocol):
    """How LR images are made, and how SR images are scored.

    HR is cropped to a multiple of the scale, keeping the top left. "The image's depth" is that of its file: 8 or 16
    bit; nothing is rounded where the file holds floats. PSNR and SSIM are computed per image, in float64.

    Args:
        name: as it stands beside every score.
        compare: `y`: luma alone; `channels`: all channels together.
        network_input: `image`: the network is given the image; `y`: the HR luma is made first, the LR image from it,
            and the network is given that.
        lr_kernel: of the antialiased reduction.
        lr_borders: `symmetric`, or `replicate` as older MATLABs had it.
        lr_rounding: of LR to the image's depth: between and after the `passes`, of the `result`, or `none`.
        round_sr: SR is rounded to the image's depth before anything else (it is always clamped).
        round_y: luma is rounded to the image's depth, HR's before LR is made from it.
        luma: offset and the weights of R, G, B in 8-bit codes, for R, G, B in [0, 1].
        grey: an image of one channel is taken for luma itself (`as_y`, MATLAB's way), or for an RGB image of three
            equal channels (`as_rgb`): that narrows its range to 219 / 255 and adds 1.32 dB.
        border_per_scale: pixels cut from each side before scoring, times the scale;
        border_extra: and this many more.
        ssim_window, ssim_sigma, ssim_k1, ssim_k2: see `ssim`.

    Raises:
        ValueError: for a number or a word that cannot be.
    """

    name: str
    compare: Literal["y", "channels"]
    network_input: Literal["image", "y"]
    lr_kernel: Kernel
    lr_borders: Borders
    lr_rounding: Rounding
    round_sr: bool
    round_y: bool
    luma: Sequence[float]
    grey: Literal["as_y", "as_rgb"]
    border_per_scale: int
    border_extra: int
    ssim_window: int
    ssim_sigma: float
    ssim_k1: float
    ssim_k2: float

    def __post_init__(self) -> None:
        for field in ("ssim_sigma", "ssim_k1", "ssim_k2"):  # 1 and 1.0 are one protocol: they must hash alike
            object.__setattr__(self, field, float(getattr(self, field)))
        object.__setattr__(self, "luma", tuple(map(float, self.luma)))
        for field, words in (
            ("compare", ("y", "channels")),
            ("network_input", ("image", "y")),
            ("lr_kernel", ("nearest", "bilinear", "bicubic", "lanczos2", "lanczos3")),
            ("lr_borders", ("symmetric", "replicate")),
            ("lr_rounding", ("passes", "result", "none")),
            ("grey", ("as_y", "as_rgb")),
        ):
            if getattr(self, field) not in words:
                raise ValueError(f"protocol.{field}={getattr(self, field)!r}: choose one of {', '.join(words)}.")
        if len(self.luma) != 4:
            raise ValueError(f"protocol.luma={self.luma}: expected the offset and the weights of R, G, B.")
        if self.network_input == "y" and self.compare != "y":
            raise ValueError("protocol.network_input=y gives a network luma alone: set protocol.compare=y.")
        if self.ssim_window % 2 == 0 or self.ssim_sigma <= 0 or min(self.border_per_scale, self.border_extra) < 0:
            raise ValueError(
                f"protocol: ssim_window={self.ssim_window} must be odd, ssim_sigma={self.ssim_sigma} positive, and no "
                f"border ({self.border_per_scale} x scale + {self.border_extra}) negative."
            )

    @property
    def made_by(self) -> str:
        return self.lr_kernel

    @property
    def metric_names(self) -> tuple[str, str]:
        """The names under which `score` returns PSNR and SSIM."""
        return ("psnr_y", "ssim_y") if self.compare == "y" else ("psnr", "ssim")

    def prepare(self, image: LabelledImage, scale: int, channels: int) -> Case:
        """Crop HR, make LR (or take the set's own), and convert both to what the network is given.

        Args:
            image: as it comes from its set.
            scale: HR pixels per LR pixel.
            channels: of the network.

        Raises:
            InputError: the image, the network and the protocol do not fit.
        """
        where = f"{image.dataset}/{image.name}"
        self._check(image, where, scale, channels)
        hr = crop_to_multiple(image.hr[None].double(), scale)
        hr = quantize(hr, image.levels) if image.levels else hr  # from float32 back onto the codes themselves
        lr = None if image.lr is None else image.lr[None].double()
        if lr is not None and (hr.shape[1], *hr.shape[2:]) != (lr.shape[1], *(side * scale for side in lr.shape[2:])):
            raise InputError(
                f"{where}: LR {tuple(lr.shape[1:])} times {scale} is not HR {tuple(hr.shape[1:])}, cropped to "
                f"a multiple of {scale}: check that the LR folder is that of x{scale} and of this set."
            )
        if self.network_input == "y":
            hr = self._luma(hr, image.levels)
            lr = None if lr is None else self._luma(lr, image.levels)
        if lr is None:
            lr = downscale(hr, scale, image.levels, self.lr_kernel, self.lr_borders, self.lr_rounding)
        height, width = hr.shape[2:]
        guide, mask = beside(image, height, width)
        return Case(where, lr.float(), hr, image.levels, scale, guide, mask)

    def score(self, sr: Tensor, case: Case) -> dict[str, float]:
        """PSNR and SSIM of an SR image (1, C, H, W), by the names of `metric_names`."""
        finished, border = self._finished(sr, case), self._border(case)
        ours, truth = (trim(self._compared(image, case), border) for image in (finished, case.hr))
        similarity = ssim(ours, truth, self.ssim_window, self.ssim_sigma, self.ssim_k1, self.ssim_k2)
        return dict(zip(self.metric_names, (psnr(ours, truth), similarity), strict=True))

    def pictures(self) -> Callable[[Tensor, Case], tuple[Tensor, Tensor]]:
        if self.network_input == "y":
            raise InputError(
                f"Further metrics judge whole images, and protocol={self.name} makes luma alone: take "
                f"protocol=classical_y, or leave them out."
            )

        return self._pictures

    def _pictures(self, sr: Tensor, case: Case) -> tuple[Tensor, Tensor]:
        """SR and HR as other metrics judge them: whole colours, rounded and cropped as the protocol has it, float32."""
        sr, hr = (trim(image, self._border(case)).float() for image in (self._finished(sr, case), case.hr))
        return sr, hr

    def interpolation(self, kernel: Kernel, scale: int, levels: int) -> Callable[..., Tensor] | None:
        """Where SR is rounded, as MATLAB enlarges an image of integer depth: rounded between the passes too."""
        if not (self.round_sr and levels):
            return None
        return lambda lr, guide=None: resize(lr, scale=scale, kernel=kernel, levels=levels)

    def baseline(self, case: Case) -> Tensor:
        """LR enlarged as MATLAB does it, in the image's depth where SR is rounded."""
        return resize(case.lr, scale=case.scale, levels=case.levels if self.round_sr else 0)

    def _check(self, image: LabelledImage, where: str, scale: int, channels: int) -> None:
        bands, height, width = image.hr.shape
        if self.compare == "y" and bands not in (1, 3):
            raise InputError(f"{where} has {bands} channels, and luma is made of 3 or 1: take protocol=rgb.")
        if self.network_input == "y" and channels != 1:
            raise InputError(
                f"protocol={self.name} gives luma, one channel, and the network takes {channels}: set channels=1, or "
                f"take protocol=classical_y."
            )
        if self.network_input == "image" and channels != bands and not {channels, bands} <= {1, 3}:
            raise InputError(f"{where} has {bands} channels, and the network takes {channels}: set channels={bands}.")
        least = 2 * (self.border_per_scale * scale + self.border_extra) + self.ssim_window
        if min(height - height % scale, width - width % scale) < least:
            raise InputError(
                f"{where} is {height} x {width}: at x{scale} the borders and SSIM's window need {least} pixels a side. "
                f"Leave it out."
            )

    def _border(self, case: Case) -> int:
        return self.border_per_scale * case.scale + self.border_extra

    def _finished(self, sr: Tensor, case: Case) -> Tensor:
        """SR on the CPU in float64, clamped, and rounded where the protocol rounds it."""
        if sr.shape != case.hr.shape:
            raise InputError(
                f"{case.image}: SR is {tuple(sr.shape)} and HR {tuple(case.hr.shape)}: the network must enlarge "
                f"{tuple(case.lr.shape)} by {case.scale}."
            )
        sr = sr.detach().to("cpu", torch.float64)
        return quantize(sr, case.levels if self.round_sr else 0)

    def _compared(self, image: Tensor, case: Case) -> Tensor:
        if self.compare == "channels":
            return image
        if self.network_input == "y":
            return quantize(image, case.levels) if self.round_y else image
        return self._luma(image, case.levels)

    def _luma(self, image: Tensor, levels: int) -> Tensor:
        if image.shape[1] == 1 and self.grey == "as_rgb":
            image = image.expand(-1, 3, -1, -1)
        if image.shape[1] == 3:
            offset, *weights = self.luma
            image = (offset + torch.einsum("bchw,c->bhw", image, image.new_tensor(weights))[:, None]) / 255
        return quantize(image, levels) if self.round_y and levels else image
