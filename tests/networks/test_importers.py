"""Files of other code bases, read into our networks, compute what they compute there."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from srlab.errors import InputError
from srlab.networks.weights import load_weights
from tests.networks.conftest import Compose
from tests.networks.references_dense import (
    BASICSR,
    NEW,
    OLD,
    dbpn,
    drrn,
    esrgan,
    memnet,
    prosr,
    prosrs_level,
    rdn,
    srdensenet,
    srfbn,
)
from tests.networks.references_plain import (
    espcn,
    first_msrn,
    fsrcnn,
    mmediting_edsr,
    ms_lapsrn,
    mwcnn,
    named_fsrcnn,
    rcan_of_unit_range,
    srcnn,
    vdsr,
)
from tests.networks.references_residual import (
    Recorder,
    W,
    basicsr_edsr,
    basicsr_rcan,
    carn,
    edsr,
    mdsr,
    msrn,
    msrresnet,
    rcan,
    srresnet,
    wdsr,
)

SMALL = ["backbone.width=8"]


def sizes(overrides: list[str]) -> list[str]:
    """The overrides that make a network as small as its reference."""
    own = any("backbone.widths" in one for one in overrides)
    return overrides if own else [*overrides, *SMALL]


REFERENCES: dict[str, tuple[Callable[[Recorder, Tensor], Tensor], list[str]]] = {
    "SRCNN": (srcnn, ["network=srcnn_915", f"backbone.widths=[{W},{W}]"]),
    "VDSR": (vdsr, ["network=vdsr", "backbone.layers=3"]),
    "FSRCNN": (fsrcnn, ["network=fsrcnn"]),
    "FSRCNN, parts by name": (named_fsrcnn, ["network=fsrcnn"]),
    "ESPCN": (espcn, ["network=espcn"]),
    "ESPCN, parts by name": (partial(espcn, first="feature_maps", last="sub_pixel"), ["network=espcn"]),
    "MS-LapSRN": (
        ms_lapsrn,
        ["network=ms_lapsrn", "upsampler.kernel_size=4", "backbone.layers=2", "backbone.recursions=3"],
    ),
    "MSRN, first release": (
        first_msrn,
        ["network=msrn", "channels=1", "framework.mean=null", "upsampler.staged=false", "backbone.blocks=2"],
    ),
    "RCAN for 0 to 1": (
        rcan_of_unit_range,
        [
            "network=rcan",
            "framework.mean=null",
            "upsampler.staged=false",
            "backbone.groups=2",
            "backbone.blocks=2",
            "backbone.reduction=4",
        ],
    ),
    "MWCNN": (
        mwcnn,
        ["network=mwcnn", "backbone.norm=none", f"backbone.widths=[{W},{W},{W}]", "backbone.layers=2"],
    ),
    "EDSR of MMEditing": (mmediting_edsr, ["network=edsr_baseline", "backbone.blocks=2"]),
    "EDSR": (edsr, ["network=edsr_baseline", "backbone.blocks=2"]),
    "EDSR of BasicSR": (basicsr_edsr, ["network=edsr_baseline", "backbone.blocks=2"]),
    "MDSR": (mdsr, ["network=mdsr", "backbone.blocks=2"]),
    "RCAN": (rcan, ["network=rcan", "backbone.groups=2", "backbone.blocks=2", "backbone.reduction=4"]),
    "RCAN of BasicSR": (
        basicsr_rcan,
        ["network=rcan", "backbone.groups=2", "backbone.blocks=2", "backbone.reduction=4"],
    ),
    "MSRN": (msrn, ["network=msrn", "backbone.blocks=2"]),
    "CARN": (carn, ["network=carn"]),
    "SRResNet": (
        srresnet,
        [
            "network=srresnet",
            "backbone.blocks=2",
            "backbone.norm=instance",
            "backbone.activation=leaky_relu",
            "upsampler.activation=leaky_relu",
        ],
    ),
    "MSRResNet": (msrresnet, ["network=msrresnet", "backbone.blocks=2"]),
    "WDSR-A": (wdsr, ["network=wdsr_a", "backbone.blocks=2"]),
    "RDN": (rdn, ["network=rdn", "backbone.blocks=2", "backbone.layers=2", "backbone.growth=4"]),
    "ESRGAN, old": (partial(esrgan, names=OLD), ["network=rrdb", "backbone.blocks=2", "backbone.growth=4"]),
    "ESRGAN, new": (partial(esrgan, names=NEW), ["network=rrdb", "backbone.blocks=2", "backbone.growth=4"]),
    "ESRGAN of BasicSR": (
        partial(esrgan, names=BASICSR),
        ["network=rrdb", "backbone.blocks=2", "backbone.growth=4"],
    ),
    "SRDenseNet": (
        srdensenet,
        ["network=srdensenet", "backbone.blocks=2", "backbone.layers=2", "backbone.growth=4"],
    ),
    "DRRN": (drrn, ["network=drrn", "backbone.units=3"]),
    "MemNet": (memnet, ["network=memnet", "backbone.shared=false", "backbone.memories=2", "backbone.recursions=2"]),
    "DBPN": (dbpn, ["network=dbpn", "backbone.stem_width=16", "backbone.stages=3"]),
    "SRFBN": (srfbn, ["network=srfbn", "backbone.groups=3", "backbone.steps=3"]),
    "ProSR": (
        prosr,
        [
            "network=prosr",
            "backbone.growth=4",
            "backbone.units=[2,2]",
            "framework.deeper.0.growth=4",
            "framework.deeper.0.units=[2]",
        ],
    ),
    "ProSRs": (
        partial(prosr, level=prosrs_level),
        [
            "network=prosrs",
            "backbone.growth=4",
            "backbone.units=[2,2]",
            "framework.deeper.0.growth=4",
            "framework.deeper.0.units=[2]",
        ],
    ),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_file_computes_what_it_computed_at_home(composed: Compose, tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    reference, overrides = REFERENCES[name]
    network = composed(*sizes(overrides), "scale=4").double().eval()
    # Neither dark nor bright: bicubic enlargement leaves it positive, as it does luma, which a ReLU then does not change.
    net, lr = Recorder(), 0.4 + 0.2 * torch.rand(1, network.channels, 8, 6)
    reference(net, lr)  # makes the weights
    torch.save({"state_dict": {f"module.{key}": tensor for key, tensor in net.state.items()}}, tmp_path / "file.pth")
    load_weights(network, tmp_path / "file.pth")
    net.state = {key: t.double() if t.is_floating_point() else t for key, t in net.state.items()}
    with torch.no_grad():
        torch.testing.assert_close(network(lr.double()).sr, reference(net, lr.double()), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_file_for_another_network_is_named(composed: Compose, tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    reference, overrides = REFERENCES[name]
    net = Recorder()
    reference(net, torch.rand(1, composed(*overrides, "scale=4").channels, 8, 6))
    torch.save(net.state, tmp_path / "file.pth")
    right = overrides[0]
    with pytest.raises(InputError, match=rf"looks like .*: try .*{right}"):
        load_weights(composed("network=bicubic"), tmp_path / "file.pth")


def test_another_mean_than_the_networks_is_refused(composed: Compose, tmp_path: Path) -> None:
    net = Recorder()
    edsr(net, torch.rand(1, 3, 7, 6))
    net.state["sub_mean.bias"] = -255 * torch.tensor([0.5, 0.5, 0.5])
    torch.save(net.state, tmp_path / "file.pth")
    with pytest.raises(InputError, match=r"unexpected \(add_mean.bias.*sub_mean.bias"):
        load_weights(composed("network=edsr_baseline", "backbone.blocks=2", *SMALL, "scale=4"), tmp_path / "file.pth")


def test_a_network_with_a_mean_does_not_take_weights_that_know_of_none(composed: Compose, tmp_path: Path) -> None:
    net = Recorder()
    reference, overrides = REFERENCES["MSRN, first release"]
    reference(net, torch.rand(1, 1, 7, 6))
    torch.save(net.state, tmp_path / "file.pth")
    centred = [one for one in sizes(overrides) if one != "framework.mean=null"]
    with pytest.raises(InputError, match=r"subtracts no mean.*add framework.mean=null"):
        load_weights(composed(*centred, "scale=4"), tmp_path / "file.pth")
