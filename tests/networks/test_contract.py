"""What every composition must do. A new choice in `conf` is covered by being there."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from torch import nn

import srlab
from srlab.errors import InputError
from srlab.inference.exchange import write_onnx
from srlab.networks.network import Network

Compose = Callable[..., Network]

CONF = Path(srlab.__file__).parents[2] / "conf"
SCALES = (2, 3, 4, 8)


def choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


SMALLER = {
    "edsr": ["backbone.width=8", "backbone.blocks=2"],
    "edsr_large": ["backbone.width=12", "backbone.blocks=2"],
    "vdsr": ["backbone.width=8", "backbone.layers=4"],
    "edsr_ppm": ["backbone.features.width=8", "backbone.features.blocks=2"],
    "ircnn": ["backbone.width=8"],
    "swinir_light": ["backbone.width=8", "backbone.depths=[1,2]", "backbone.heads=2", "backbone.window=2"],
    "dwsr": ["backbone.width=8", "backbone.layers=2", "backbone.out_channels=8"],
    "mwcnn": ["backbone.widths=[8,6]", "backbone.layers=1", "backbone.out_channels=8"],
    "srresnet": ["backbone.width=8", "backbone.blocks=2"],
    "rcan": ["backbone.width=8", "backbone.groups=2", "backbone.blocks=1", "backbone.reduction=2"],
    "carn": ["backbone.width=8", "backbone.blocks=2"],
    "carn_m": ["backbone.width=8", "backbone.blocks=2"],
    "mdsr": ["backbone.width=8", "backbone.blocks=2"],
    "srdensenet": ["backbone.width=8", "backbone.growth=4", "backbone.blocks=2", "backbone.layers=2"],
    "rdn": ["backbone.width=8", "backbone.growth=4", "backbone.blocks=2", "backbone.layers=2"],
    "msrn": ["backbone.width=8", "backbone.blocks=2"],
    "enhancenet": ["backbone.width=8", "backbone.blocks=2"],
    "rrdb": ["backbone.width=8", "backbone.growth=4", "backbone.blocks=1"],
    "wdsr_a": ["backbone.width=8", "backbone.blocks=2"],
    "wdsr_b": ["backbone.width=8", "backbone.blocks=2"],
    "imdn": ["backbone.width=64", "backbone.blocks=1"],
    "lapsrn": ["backbone.width=8", "backbone.layers=2"],
    "ms_lapsrn": ["backbone.width=8", "backbone.layers=2", "backbone.recursions=2"],
    "prosr": ["backbone.width=8", "backbone.growth=4", "backbone.units=[2,2]"],
    "prosrs": ["backbone.width=8", "backbone.growth=4", "backbone.units=[2,2]"],
    "drcn": ["backbone.width=8", "backbone.recursions=3"],
    "drrn": ["backbone.width=8", "backbone.units=3"],
    "memnet": ["backbone.width=8", "backbone.memories=2", "backbone.recursions=2"],
    "dbpn": ["backbone.width=8", "backbone.stem_width=8", "backbone.stages=3"],
    "srfbn": ["backbone.width=8", "backbone.groups=2", "backbone.steps=2"],
    "srfbn_s": ["backbone.width=8", "backbone.groups=2", "backbone.steps=2"],
    "dsrn": ["backbone.width=8", "backbone.steps=4"],
    "hourglass": ["backbone.width=8", "backbone.scales=2"],
    "zssr": ["backbone.width=8", "backbone.layers=3"],
}
"""Overrides that keep large backbones quick; a backbone that is not named here is tested at its own size."""

SMALL_FACES = {
    "sparnet": ["framework.widths=[4,4]", "framework.blocks=1", "framework.hidden=4"],
    "sparnet_light": ["framework.widths=[4,4]", "framework.hidden=4"],
    "fsrnet": ["framework.width=4", "framework.encoder_blocks=1", "framework.hourglass_width=4"],
    "dic": ["framework.width=4", "framework.groups=2", "framework.steps=2", "framework.hourglass_width=8"],
}
SMALL_PRIOR = {"pixel_recursive": ["framework.prior.width=8", "framework.prior.layers=1", "framework.prior.hidden=8"]}


def partial_backbones() -> list[str]:
    """The backbones that wait for the scale and the upsampler, since they go up and down by themselves."""
    found = []
    for name in choices("backbone"):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            node = compose(f"backbone/{name}").backbone
        if node.get("_partial_", False):
            found.append(name)
    return found


ITERATIVE = partial_backbones()
ONE_RESOLUTION = [name for name in choices("backbone") if name not in ITERATIVE]

FRAMEWORK = {
    "iterative": ["framework.projection.width=8", "framework.projection.stages=2"],
    "multi_scale": ["framework.scales=[${scale}]"],
}
"""Overrides that keep a framework small, or all of its parts in use."""


def composition(framework: str, backbone: str, upsampler: str = "subpixel") -> Any:
    parts = [f"framework={framework}", f"backbone={backbone}", f"upsampler={upsampler}"]
    return pytest.param(
        [*parts, *SMALLER.get(backbone, []), *FRAMEWORK.get(framework, [])], id=f"{framework}-{backbone}-{upsampler}"
    )


ALONE = [
    *(composition("pre", backbone) for backbone in ONE_RESOLUTION),
    *(composition("post", backbone) for backbone in ONE_RESOLUTION),
    *(composition("iterative", backbone) for backbone in ITERATIVE),
    *(composition("post", "edsr", upsampler) for upsampler in choices("upsampler") if upsampler != "subpixel"),
    *(composition(framework, "edsr") for framework in ("progressive", "multi_scale", "iterative")),
    *(composition("progressive", backbone) for backbone in ("lapsrn", "ms_lapsrn", "prosr")),
]
"""Every choice of each group, beside a usual one of the others."""

CROSSED = [
    *(
        composition("post", backbone, upsampler)
        for backbone in ONE_RESOLUTION
        for upsampler in choices("upsampler")
        if backbone != "edsr" and upsampler != "subpixel"
    ),
    *(composition("iterative", backbone, upsampler) for backbone in ITERATIVE for upsampler in choices("upsampler")),
    *(composition(framework, backbone) for framework in ("iterative", "multi_scale") for backbone in ONE_RESOLUTION),
]
"""What ALONE leaves of all pairs."""


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("overrides", ALONE)
def test_odd_sizes_grow_by_the_scale_and_every_parameter_learns(
    composed: Compose, overrides: list[str], scale: int
) -> None:
    if "framework=progressive" in overrides and scale == 3:
        with pytest.raises(InputError, match=r"cannot reach scale=3: choose scale=2, 4 or 8, or framework=post"):
            composed(*overrides, f"scale={scale}")
    else:
        grows_and_learns(composed(*overrides, f"scale={scale}"), scale)


@pytest.mark.parametrize("overrides", CROSSED)
def test_every_pair_of_parts_fits(composed: Compose, overrides: list[str]) -> None:
    grows_and_learns(composed(*overrides, "scale=4"), 4)


def grows_and_learns(network: Network, scale: int) -> None:
    height, width = 5 * network.multiple_of, 3 * network.multiple_of
    prediction = network(torch.rand(1, 3, height, width))
    assert prediction.sr.shape == (1, 3, scale * height, scale * width)
    assert (network.scale, network.channels) == (scale, 3)
    sum(image.square().sum() for image in (prediction.sr, *prediction.intermediate.values())).backward()
    still = [name for name, tensor in network.named_parameters() if tensor.grad is None or not tensor.grad.any()]
    assert not still


@pytest.mark.parametrize("channels", [1, 31])
@pytest.mark.parametrize("overrides", ALONE)
def test_any_number_of_bands_goes_through(composed: Compose, overrides: list[str], channels: int) -> None:
    network = composed(*overrides, f"channels={channels}")
    size = 4 * network.multiple_of
    assert network(torch.rand(2, channels, size, size)).sr.shape == (2, channels, 2 * size, 2 * size)


@pytest.mark.parametrize("overrides", ALONE)
def test_a_state_dict_makes_the_same_network_again(composed: Compose, overrides: list[str]) -> None:
    network, copy = composed(*overrides).eval(), composed(*overrides).eval()
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    copy.load_state_dict(torch.load(file, weights_only=True))
    lr = torch.rand(1, 3, 4 * network.multiple_of, 4 * network.multiple_of)
    with torch.no_grad():
        torch.testing.assert_close(copy(lr).sr, network(lr).sr, rtol=0, atol=0)


@pytest.mark.parametrize("overrides", ALONE)
def test_bfloat16_stays_close_to_float32(composed: Compose, overrides: list[str]) -> None:
    network = composed(*overrides).eval()
    lr = torch.rand(1, 3, 6 * network.multiple_of, 6 * network.multiple_of)
    with torch.no_grad():
        exact = network(lr).sr
        with torch.autocast("cpu", torch.bfloat16):
            fast = network(lr.to(memory_format=torch.channels_last)).sr
    assert fast.dtype is torch.float32, "bfloat16 has only 8 bits: the image itself is summed in float32"
    torch.testing.assert_close(fast, exact, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("overrides", ALONE)
def test_the_published_halo_bounds_what_a_pixel_depends_on(composed: Compose, overrides: list[str], scale: int) -> None:
    network = composed(*overrides, f"scale={scale}").double().eval()
    for parameter in network.parameters():  # all paths open, all of one sign: nothing cancels, no ReLU closes
        terms = max(1, parameter[0].numel())
        nn.init.uniform_(parameter, 0.5 / terms, 1 / terms)
    if network.halo is None:
        assert reach(network, 0, 8 * network.multiple_of) == 8 * network.multiple_of - 1
        return
    size = 2 * (network.halo + 3) // network.multiple_of * network.multiple_of + 2 * network.multiple_of
    centre = size // 2 // network.multiple_of * network.multiple_of
    # The farthest reach of all the places that a pixel can have within a block, as wavelets and windows make them.
    measured = max(reach(network, centre + place, size) for place in range(network.multiple_of))
    assert network.halo - 1 <= measured <= network.halo


def reach(network: Network, place: int, size: int) -> int:
    """How far from an LR pixel on the diagonal lie those that its SR pixels depend on."""
    lr = torch.rand(1, 3, size, size, dtype=torch.float64, requires_grad=True)
    own = slice(place * network.scale, (place + 1) * network.scale)
    network(lr).sr[..., own, own].square().sum().backward()
    assert lr.grad is not None
    return int((lr.grad[0, 0].nonzero() - place).abs().max())


DRAWN = {"any_scale", "attention_fh", "pixel_recursive", "prior"}
"""Frameworks whose computation depends on a real number (the upsampler `meta` too) or on what it drew before: no graph of
it can be exported."""

GUIDED = {path.stem for path in (CONF / "framework").glob("*.yaml") if "networks.guided" in path.read_text()}
"""Frameworks of depth, which need a guide: tests/networks/test_guided.py has them."""
CUBES = {
    *(path.stem for path in (CONF / "framework").glob("*.yaml") if "networks.cubes" in path.read_text()),
    *(path.stem for path in (CONF / "network").glob("*.yaml") if "networks.cubes" in path.read_text()),
}
"""Frameworks and networks of cubes, most of which need a guide: tests/networks/test_pansharpening.py has them."""

FACES = {path.stem for path in (CONF / "framework").glob("*.yaml") if "networks.faces" in path.read_text()}
"""Frameworks of faces, whose sizes are multiples of 32 at x2 and therefore large: tests/networks/test_faces.py has them."""

VIDEO = {
    *(path.stem for path in (CONF / "framework").glob("*.yaml") if "networks.video" in path.read_text()),
    *("basicvsr_small", "spynet"),  # picks of these
}
"""Frameworks and networks of clips: tests/networks/video has them."""

FROM_A_FILE = {"community", "spandrel"}
"""A framework and a network that a weight file makes: tests/test_export.py has one."""


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


@pytest.mark.parametrize("name", sorted({*choices("network")} - FROM_A_FILE - GUIDED - CUBES - VIDEO))
def test_every_named_network_runs(composed: Compose, name: str) -> None:
    small = ["backbone.blocks=1"] if name == "edsr" else []
    network = composed(f"network={name}", *small, *SMALL_PRIOR.get(name, []), *SMALL_FACES.get(name, []))
    lr = torch.rand(1, network.channels, 4 * network.multiple_of, 5 * network.multiple_of)
    assert network(lr).sr.shape == (1, network.channels, 2 * lr.shape[2], 2 * lr.shape[3])


@pytest.mark.parametrize("backbone", ["srcnn_955", "vdsr", "espcn", "fsrcnn", "edsr"])
@pytest.mark.parametrize("name", ["srcnn_915", "vdsr", "espcn", "fsrcnn", "edsr_baseline"])
def test_a_named_networks_parts_can_be_exchanged(composed: Compose, name: str, backbone: str) -> None:
    for exchanged in (f"backbone={backbone}", "framework=post", "upsampler=nearest"):
        network = composed(f"network={name}", exchanged)
        lr = torch.rand(1, network.channels, 4, 4)
        assert network(lr).sr.shape == (1, network.channels, 8, 8)


def test_the_numbers_of_a_named_network_are_ordinary_overrides(composed: Compose) -> None:
    network = composed("network=edsr_baseline", "backbone.blocks=8", "backbone.width=16", "channels=4")
    assert network.halo == composed("framework=post", "backbone.blocks=8").halo
    assert network.channels == 4
    assert sum(name.endswith("branch.0.weight") for name in network.state_dict()) == 8
