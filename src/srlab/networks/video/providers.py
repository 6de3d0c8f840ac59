"""Motion from elsewhere: OpenCV's DIS, which learns nothing (Kroeger et al., ECCV 2016), and torchvision's RAFT."""

import importlib.util
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from srlab.color import rgb_to_ycbcr
from srlab.networks.frozen import Frozen
from srlab.networks.video.flow import FlowNetwork, fitted, resized
from srlab.networks.weights import read, unwrapped

Preset = Literal["ultrafast", "fast", "medium"]
LEAST = 32
"""Pixels a side below which DIS is given enlarged frames: its patches are 8 x 8, over a pyramid."""


class DIS(FlowNetwork):
    """Dense inverse search on 8-bit luma, on the CPU and without a gradient.

    Args:
        channels: of the frames: 1, or 3 (RGB).
        preset: OpenCV's: ultrafast, fast or medium.
        finest: of the pyramid's levels: 0 goes down to single pixels, 1 (the preset's) to 2 x 2.

    Raises:
        ValueError: options that cannot be, or no OpenCV.
    """

    def __init__(self, channels: int = 3, preset: Preset = "medium", finest: int = 0) -> None:
        super().__init__(channels)
        if channels not in (1, 3):
            raise ValueError(f"channels={channels}: DIS compares luma, of frames of 1 channel or 3.")
        if preset not in get_args(Preset) or finest < 0:
            raise ValueError(
                f"preset={preset!r}, finest={finest}: choose {', '.join(get_args(Preset))}, and 0 or more."
            )
        if importlib.util.find_spec("cv2") is None:
            raise ValueError("DIS flow is OpenCV's, which is not installed: pip install 'srlab[video]'.")
        self.preset, self.finest = preset, finest

    @torch.no_grad()
    def estimate(self, target: Tensor, source: Tensor) -> Tensor:
        if target.is_meta:
            return target.new_empty(len(target), 2, *target.shape[-2:])
        import cv2

        create = cv2.DISOpticalFlow_create  # type: ignore[attr-defined]
        height, width = target.shape[-2:]
        factor = max(1, -(-LEAST // min(height, width)))
        frames = [fitted(self.luma(images.float()), (factor * height, factor * width)) for images in (target, source)]
        codes = [np.ascontiguousarray((255 * one[:, 0]).clamp(0, 255).round().byte().cpu().numpy()) for one in frames]
        method = create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{self.preset.upper()}"))
        method.setFinestScale(self.finest)
        found = np.stack([method.calc(*pair, None) for pair in zip(*codes, strict=True)])
        flow = torch.from_numpy(found).permute(0, 3, 1, 2).contiguous().to(target.device)
        return resized(flow, (height, width))

    @staticmethod
    def luma(images: Tensor) -> Tensor:
        return images if images.shape[1] == 1 else rgb_to_ycbcr(images)[:, :1]


RAFTSize = Literal["small", "large"]
UNIT, SMALLEST = 8, 128
"""RAFT compares features of an eighth of the size, over a pyramid that needs 16 of them a side."""


class RAFT(FlowNetwork):
    """RAFT (Teed and Deng, ECCV 2020) as torchvision has it, with published weights, never trained here.

    Args:
        weights: torchvision's file, such as raft_small_C_T_V2-01064c6d.pth.
        size: small or large, that of the weights.
        updates: of the flow (torchvision: 12).
        channels: of the frames: 3 (RGB), or 1, which is given three times.

    Raises:
        ValueError: options that cannot be, weights that do not fit, or no torchvision.
        InputError: no such file: weights are never random, since the flow of random ones means nothing.
    """

    def __init__(self, weights: str, size: RAFTSize = "small", updates: int = 12, channels: int = 3) -> None:
        super().__init__(channels)
        if channels not in (1, 3) or size not in get_args(RAFTSize) or updates < 1:
            raise ValueError(
                f"channels={channels}, size={size!r}, updates={updates}: choose 1 or 3 channels, small or large, 1 update "
                f"or more."
            )
        if importlib.util.find_spec("torchvision") is None:
            raise ValueError("RAFT is torchvision's, which is not installed: pip install 'srlab[video]'.")
        from torchvision.models.optical_flow import raft_large, raft_small

        network = {"small": raft_small, "large": raft_large}[size]()
        try:
            network.load_state_dict(unwrapped(read(Path(weights).expanduser()), averaged=True))
        except RuntimeError as error:
            raise ValueError(
                f"{weights} does not fit torchvision's raft_{size}: {str(error).splitlines()[0]}"
            ) from error
        self.network, self.updates = Frozen(network), updates

    def estimate(self, target: Tensor, source: Tensor) -> Tensor:
        height, width = target.shape[-2:]
        grown = max(1.0, SMALLEST / min(height, width))
        size = (-(-round(grown * height) // UNIT) * UNIT, -(-round(grown * width) // UNIT) * UNIT)
        frames = (2 * F.interpolate(one, size, mode="bilinear").expand(-1, 3, -1, -1) - 1 for one in (target, source))
        flow: Tensor = self.network.network(*frames, num_flow_updates=self.updates)[-1]
        return resized(flow.float(), (height, width))
