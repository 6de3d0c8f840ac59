"""The images of a report: what the best settings make of the first test images, at their most detailed window."""

import base64
import logging
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from PIL import Image
from torch import Tensor

import srlab
from srlab.build import build
from srlab.data.pixels import to_pixels
from srlab.evaluation.evaluate import Scored, score_image
from srlab.evaluation.strips import most_detailed_crop
from srlab.evaluation.video_scoring import score_clip
from srlab.inference.enlarge import enlarge, enlarge_clip
from srlab.networks.network import Network
from srlab.report.gather import Row, Run
from srlab.types import LabelledClip

log = logging.getLogger(__name__)

WINDOW = 192
"""Height and width of the window in HR pixels."""


FRAMES = 12
"""Of a clip: the one in their middle is shown."""


def pictures(runs: Sequence[Run], table: Sequence[Row], images: int, methods: int) -> list[dict[str, Any]]:
    """For each test image: LR, bicubic, the methods and HR as PNG, each with its score.

    Test images, protocol and scale are those of the best run that has an export. Settings of another protocol or scale
    are left out: their LR images are others.

    Args:
        runs: all runs.
        table: the leaderboard, whose order decides which methods are shown.
        images: of the test set.
        methods: at most so many.
    """
    by_folder = {str(run.folder): run for run in runs}
    candidates = [  # a baseline has no export
        row for row in table if row.own and (Path(row.folders[0]) / "export/model.safetensors").is_file()
    ]
    if not candidates or images < 1:
        return []
    first = candidates[0]
    alike = [row for row in candidates if table_of(row) == table_of(first)]
    networks: dict[str, Network] = {}
    for row in alike[:methods]:
        try:
            networks[row.setting] = srlab.load(row.folders[0])
        except Exception as error:  # a stranger's part, or a damaged file: the others are shown
            log.warning("%s is not shown: %s", row.folders[0], error)
    config = OmegaConf.create(by_folder[first.folders[0]].config)
    try:
        data, protocol = build(config.data), build(config.protocol)
        data.setup("test")
        found = [image for image, _ in zip(data.test_dataloader(), range(images), strict=False)]
    except Exception as error:  # the data may be gone, or on another machine
        log.warning("No images are shown: the test images of %s cannot be had (%s).", first.folders[0], error)
        return []
    return [one_image(image, protocol, networks) for image in found] if networks else []


def table_of(row: Row) -> tuple[str, str, int]:
    return row.protocol_hash, row.dataset, row.scale


@torch.no_grad()
def one_image(image: Any, protocol: Any, networks: dict[str, Network]) -> dict[str, Any]:
    """One test image and what each network makes of it."""
    panels: list[dict[str, str]] = []
    scored: Scored | None = None
    for name, network in networks.items():
        facts: tuple[Any, int, int, dict[str, Any]] = protocol, network.scale, network.channels, {}
        if isinstance(image, LabelledClip):
            part = replace(image, frames=image.frames[:FRAMES])
            scored = score_clip(lambda *frames, network=network: enlarge_clip(network, *frames), part, *facts)
        else:
            scored = score_image(
                lambda lr, guide=None, network=network: enlarge(network, lr, guide=guide), image, *facts
            )
        if not panels:
            scale = scored.case.scale
            rows, columns = most_detailed_crop(protocol.shown(scored.hr), WINDOW, scale)
            low = tuple(slice(part.start // scale, part.stop // scale) for part in (rows, columns))
            unit = scored.scores[0].unit
            panels.append(panel("LR", "", protocol.shown(scored.lr)[(slice(None), *low)]))
            told = f"{scored.baseline_headline:.2f} {unit}"
            panels.append(panel("bicubic", told, protocol.shown(scored.baseline)[:, rows, columns]))
        panels.append(panel(name, f"{scored.headline:.2f} {unit}", protocol.shown(scored.sr)[:, rows, columns]))
    assert scored is not None
    panels.append(panel("HR", "", protocol.shown(scored.hr)[:, rows, columns]))
    return {"name": f"{image.dataset}/{image.name}", "metric": scored.scores[0].metric, "panels": panels}


def panel(name: str, score: str, image: Tensor) -> dict[str, str]:
    """A picture as a data URL, without loss."""
    shown = image.float().clamp(0, 1)
    shown = shown if len(shown) in (1, 3) else shown[[0, len(shown) // 2, -1]]
    buffer = BytesIO()
    Image.fromarray(to_pixels(shown.expand(3, -1, -1), 255)).save(buffer, "PNG", optimize=True)
    return {
        "name": name,
        "score": score,
        "png": "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode(),
    }
