"""Every composition becomes a graph with free sizes, and ONNX, or is refused."""

from pathlib import Path

import pytest
import torch

from srlab.errors import InputError
from srlab.inference.exchange import write_onnx
from srlab.networks.network import Network
from tests.networks.compositions import ALONE, CUBES, FACES, FRAMEWORK, FROM_A_FILE, GUIDED, SMALLER, VIDEO, choices
from tests.networks.conftest import Compose

pytestmark = pytest.mark.usefixtures("seeded")

DRAWN = {"any_scale", "attention_fh", "pixel_recursive", "prior"}
"""Frameworks whose computation depends on a real number (the upsampler `meta` too) or on what it drew before: no graph of
it can be exported."""


@pytest.mark.parametrize(
    "framework", sorted({*choices("framework")} - DRAWN - FROM_A_FILE - GUIDED - CUBES - FACES - VIDEO)
)
def test_frameworks_export_with_free_sizes(composed: Compose, framework: str) -> None:
    exports(composed(f"framework={framework}", *SMALLER["edsr"], *FRAMEWORK.get(framework, [])).eval())


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [part for part in ALONE if part.id != "post-edsr-meta"])
def test_every_part_exports_with_free_sizes(composed: Compose, overrides: list[str]) -> None:
    exports(composed(*overrides).eval())


def exports(network: Network) -> None:
    unit = network.multiple_of
    height, width = (unit * torch.export.Dim(side, min=4, max=512) for side in ("height", "width"))
    example = torch.rand(1, 3, 12 * unit, 14 * unit)
    program = torch.export.export(network, (example,), dynamic_shapes={"lr": {2: height, 3: width}})
    lr = torch.rand(1, 3, 9 * unit, 21 * unit)
    with torch.no_grad():
        torch.testing.assert_close(program.module()(lr).sr, network(lr).sr)


UNTRACEABLE = ("upsampler=meta", "backbone=edsr_ppm")
"""Kernels of a real number, and means over as many regions at any size, are not among ONNX's operators."""


@pytest.mark.slow
@pytest.mark.parametrize("overrides", ALONE)
def test_every_part_gives_its_image_in_onnxruntime_or_is_refused(
    composed: Compose, overrides: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    network = composed(*overrides).eval()
    if set(overrides) & set(UNTRACEABLE):
        with pytest.raises(InputError, match=r"[uU]se format=srlab"):
            write_onnx(network, tmp_path / "model.onnx")
    else:
        assert write_onnx(network, tmp_path / "model.onnx") < 1e-4


@pytest.mark.parametrize(("network", "kind"), [("guided_filter", "takes a guide"), ("basicvsr_small", "takes clips")])
def test_networks_of_more_than_one_image_have_no_onnx(
    composed: Compose, network: str, kind: str, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    small = ["scale=4", "channels=1"]
    with pytest.raises(InputError, match=f"{kind}: use format=srlab"):
        write_onnx(composed(f"network={network}", *small), tmp_path / "model.onnx")
