"""Metrics that judge as people do, from torchmetrics and scikit-image; chosen by `metric@metrics=[lpips,dists]`.

LPIPS, DISTS and ARNIQA stand on networks whose weights torchvision and the authors host. They are taken from torch's
cache, or downloaded into it when the metric is built, that is, before any work starts. NIQE is in no library that this
project keeps: ARNIQA judges without a reference in its place, and the blur effect does so without any weights.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.evaluation.metrics import FACTS, Facts, Metric

_TORCHVISION = "https://download.pytorch.org/models/"
_ARNIQA = "https://github.com/miccunifi/ARNIQA/releases/download/weights/"
_BACKBONES = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}


class Lpips(Metric):
    """Learned perceptual image patch similarity (Zhang et al., CVPR 2018); lower is better.

    Args:
        backbone: `alex` is what papers report, `vgg` and `squeeze` the authors' others.
        metric: what it is called where it is part of another.
    """

    facts: Facts = FACTS["lpips"]

    def __init__(self, backbone: Literal["alex", "vgg", "squeeze"] = "alex", metric: str = "LPIPS") -> None:
        if backbone not in _BACKBONES:
            raise ValueError(f"{metric.lower()}.backbone={backbone!r}: choose one of {', '.join(_BACKBONES)}.")
        _need_torchvision(metric)
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

        self.network = _with_weights(
            metric,
            [_TORCHVISION + _BACKBONES[backbone]],
            lambda: LearnedPerceptualImagePatchSimilarity(net_type=backbone, normalize=True).net,
        )

    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        with torch.inference_mode():
            return float(self.distance(sr.clamp(0, 1), hr.clamp(0, 1)))

    def distance(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Of each pair, with gradients: (B, 1 or 3, H, W) twice -> (B, 1, 1, 1)."""
        distance: Tensor = self.network(_colours("LPIPS", sr), _colours("LPIPS", hr), normalize=True)
        return distance


class Dists(Metric):
    """Deep image structure and texture similarity (Ding et al., TPAMI 2020); lower is better."""

    facts: Facts = FACTS["dists"]

    def __init__(self) -> None:
        _need_torchvision("DISTS")
        from torchmetrics.functional.image.dists import DISTSNetwork

        self.network = _with_weights("DISTS", [_TORCHVISION + _BACKBONES["vgg"]], DISTSNetwork).eval()

    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        with torch.inference_mode():
            return float(self.distance(sr.clamp(0, 1), hr.clamp(0, 1)))

    def distance(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Of each pair, with gradients: (B, 1 or 3, H, W) twice -> (B,)."""
        distance: Tensor = self.network(_colours("DISTS", sr), _colours("DISTS", hr))
        return distance


class Arniqa(Metric):
    """ARNIQA (Agnolucci et al., WACV 2024): quality without a reference, 0 to 1; higher is better.

    Args:
        regressor: the opinions that it was fitted to: `koniq10k` (photographs) or `kadid10k` (synthetic distortions).
    """

    facts: Facts = FACTS["arniqa"]

    def __init__(self, regressor: Literal["koniq10k", "kadid10k"] = "koniq10k") -> None:
        if regressor not in ("koniq10k", "kadid10k"):
            raise ValueError(f"arniqa.regressor={regressor!r}: choose koniq10k or kadid10k.")
        _need_torchvision("ARNIQA")
        from torchmetrics.image.arniqa import ARNIQA

        self._network = _with_weights(
            "ARNIQA",
            [f"{_ARNIQA}ARNIQA.pth", f"{_ARNIQA}regressor_{regressor}.pth"],
            lambda: ARNIQA(regressor_dataset=regressor, normalize=True).model,
        )

    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        with torch.inference_mode():
            return float(self._network(_colours("ARNIQA", sr.clamp(0, 1)), normalize=True))


class BlurEffect(Metric):
    """How blurred an image is, without a reference (Crete et al., 2007; scikit-image): 0 to 1; lower is sharper.

    It takes noise and ringing for sharpness: read it beside a metric that has a reference.

    Args:
        window_pixels: length of the blur that the image is compared with.
    """

    facts: Facts = FACTS["blur_effect"]

    def __init__(self, window_pixels: int = 11) -> None:
        if window_pixels < 2:
            raise ValueError(f"blur_effect.window_pixels={window_pixels}: choose at least 2.")
        self.window_pixels = window_pixels

    def __call__(self, sr: Tensor, hr: Tensor) -> float:
        from skimage import measure

        coloured = sr.shape[1] == 3  # else the mean of the bands
        image = (sr[0] if coloured else sr[0].mean(0)).double().numpy()
        axis = 0 if coloured else None
        blur = measure.blur_effect(image, h_size=self.window_pixels, channel_axis=axis)  # type: ignore[no-untyped-call]
        return float(blur)


def _colours(metric: str, image: Tensor) -> Tensor:
    """What networks for photographs take: (B, 3, H, W) float32; grey three times."""
    if image.shape[1] not in (1, 3):
        raise InputError(
            f"{metric} judges grey and RGB images, not {image.shape[1]} channels: leave it out of metrics."
        )
    return image.float().expand(-1, 3, -1, -1)


def _need_torchvision(metric: str) -> None:
    from importlib.util import find_spec

    if find_spec("torchvision") is None:
        raise InputError(f"{metric} needs torchvision: pip install 'srlab[perceptual]', or leave it out of metrics.")


def _with_weights(metric: str, urls: Sequence[str], build: Callable[[], Any]) -> Any:
    """Build a network that loads its weights from torch's cache, or say how to get them there."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    missing = [url for url in urls if not (folder / url.rsplit("/", 1)[1]).is_file()]
    try:
        return build()
    except OSError as error:  # URLError, timeouts, a cache that cannot be written
        if not missing:
            raise
        raise InputError(
            f"{metric} needs weights that are not in {folder} and could not be downloaded ({error}). On a machine with "
            f"network access fetch {' and '.join(missing)}, and copy to that folder; or leave {metric} out of metrics."
        ) from error
