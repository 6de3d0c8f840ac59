"""What there is to compose: the choices of each group, and overrides that keep them quick; what is in `conf` is found."""

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

import srlab

CONF = Path(srlab.__file__).parents[2] / "conf"


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
