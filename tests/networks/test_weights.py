"""Published weights give the published authors' figures; every wrapping is undone; what does not fit says why."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image
from torch import Tensor, nn

import srlab
from srlab.errors import InputError
from srlab.evaluation.evaluate import score_image
from srlab.networks.network import Network
from srlab.networks.weights import load_weights
from srlab.types import LabelledImage
from tests.networks.conftest import Compose

CONF = Path(srlab.__file__).parents[2] / "conf"


def set5(data_root: Path) -> list[LabelledImage]:
    images = []
    for path in sorted((data_root / "photos/Set5/HR").glob("*.png")):
        rgb = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32) / 255
        hr = torch.from_numpy(rgb).permute(2, 0, 1)
        images.append(LabelledImage(dataset="set5", name=path.stem, hr=hr, lr=None, levels=255))
    assert len(images) == 5
    return images


def set5_psnr(network: Network, protocol: str, data_root: Path) -> float:
    """The mean PSNR over Set5 under a protocol of the house."""
    rules = instantiate(OmegaConf.load(CONF / "protocol" / f"{protocol}.yaml"))
    with torch.no_grad():
        scored = [
            score_image(lambda lr: network(lr).sr, image, rules, network.scale, network.channels, {})
            for image in set5(data_root)
        ]
    return float(np.mean([one.headline for one in scored]))


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "file", "scale", "protocol", "published"),
    [
        ("srcnn_915", "srcnn_915_x3.pt", 3, "float_y", 32.485),
        pytest.param("vdsr", "vdsr.pt", 2, "float_y", 37.653, marks=SLOW),
        pytest.param("vdsr", "vdsr.pt", 3, "float_y", 33.773, marks=SLOW),
        ("vdsr", "vdsr.pt", 4, "float_y", 31.453),
        ("lapsrn", "lapsrn_x4.pt", 4, "float_y", 31.645),
        pytest.param("carn_m", "carn_m.pth", 2, "classical_y", 37.678, marks=SLOW),
        pytest.param("carn_m", "carn_m.pth", 3, "classical_y", 34.058, marks=SLOW),
        ("carn_m", "carn_m.pth", 4, "classical_y", 31.883),
        pytest.param("imdn", "IMDN_x2.pth", 2, "classical_y", 37.996, marks=SLOW),
        pytest.param("imdn", "IMDN_x3.pth", 3, "classical_y", 34.360, marks=SLOW),
        ("imdn", "IMDN_x4.pth", 4, "classical_y", 32.210),
    ],
)
def test_published_weights_reach_the_published_psnr(
    composed: Compose,
    data_root: Path,
    weights_root: Path,
    name: str,
    file: str,
    scale: int,
    protocol: str,
    published: float,
) -> None:
    network = composed(f"network={name}", f"scale={scale}").eval()
    load_weights(network, weights_root / file)
    psnr = set5_psnr(network, protocol, data_root)
    assert psnr == pytest.approx(published, abs=0.01)


def small() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 3))


def prefixed(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + key: tensor for key, tensor in state.items()}


WRAPPINGS: dict[str, Callable[[dict[str, Tensor], dict[str, Tensor]], object]] = {
    "bare": lambda state, other: state,
    "params": lambda state, other: {"params": state, "iter": 7},
    "params_ema before params": lambda state, other: {"params": other, "params_ema": state},
    "state_dict": lambda state, other: {"state_dict": state, "epoch": 3},
    "model in state_dict": lambda state, other: {"model": {"state_dict": state}},
    "DataParallel": lambda state, other: prefixed("module.", state),
    "compiled": lambda state, other: {"params": prefixed("module._orig_mod.", state)},
    "training": lambda state, other: {
        "state_dict": prefixed("network.", other) | prefixed("ema.network.", state) | {"loss.weight": torch.ones(1)},
        "global_step": 5,
    },
    "generator beside a discriminator": lambda state, other: {
        "state_dict": prefixed("generator.", state)
        | prefixed("discriminator.", other)
        | {"step_counter": torch.ones(1)}
    },
    "average of a generator": lambda state, other: {
        "state_dict": prefixed("generator.", other) | prefixed("generator_ema.", state)
    },
    "netG beside netD": lambda state, other: {"netG": prefixed("module.", state), "netD": other, "epoch": 3},
    "options beside the weights": lambda state, other: {
        "model": {"width": 64},
        "net": {"state_dict": state},
    },
    "training without average": lambda state, other: {"state_dict": prefixed("network.", state)},
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_usual_wrapping_is_undone(tmp_path: Path, wrapping: str) -> None:
    source, network = small(), small()
    torch.save(WRAPPINGS[wrapping](source.state_dict(), small().state_dict()), tmp_path / "weights.pth")
    load_weights(network, tmp_path / "weights.pth")
    torch.testing.assert_close(network.state_dict(), source.state_dict(), rtol=0, atol=0)


def test_raw_weights_are_taken_on_request(tmp_path: Path) -> None:
    raw, average, network = small(), small(), small()
    state = prefixed("network.", raw.state_dict()) | prefixed("ema.network.", average.state_dict())
    torch.save({"state_dict": state}, tmp_path / "last.ckpt")
    load_weights(network, tmp_path / "last.ckpt", averaged=False)
    torch.testing.assert_close(network.state_dict(), raw.state_dict(), rtol=0, atol=0)


def test_safetensors_are_read(tmp_path: Path) -> None:
    source, network = small(), small()
    safetensors.torch.save_file(source.state_dict(), tmp_path / "model.safetensors")
    load_weights(network, tmp_path / "model.safetensors")
    torch.testing.assert_close(network.state_dict(), source.state_dict(), rtol=0, atol=0)


def test_what_does_not_fit_is_named_and_left_alone(tmp_path: Path) -> None:
    network = small()
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    state = network.state_dict() | {"0.bias": torch.zeros(5), "2.weight": torch.zeros(1)}
    del state["1.bias"]
    torch.save(state, tmp_path / "weights.pt")
    with pytest.raises(InputError) as refusal:
        load_weights(network, tmp_path / "weights.pt")
    message = str(refusal.value)
    assert "1 missing (1.bias)" in message
    assert "1 unexpected (2.weight)" in message
    assert "0.bias (5,) instead of (2,)" in message
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)


def test_a_file_of_another_architecture_is_recognised(composed: Compose, weights_root: Path) -> None:
    network = composed("network=edsr_baseline", "backbone.blocks=1")
    with pytest.raises(InputError, match=r"looks like VDSR: try network=vdsr"):
        load_weights(network, weights_root / "vdsr.pt")


def test_a_file_of_another_size_of_the_same_architecture_is_refused(composed: Compose, weights_root: Path) -> None:
    with pytest.raises(InputError, match=r"missing.*looks like VDSR"):
        load_weights(composed("network=vdsr", "backbone.layers=20"), weights_root / "vdsr.pt")
    with pytest.raises(InputError, match=r"of another shape.*looks like SRCNN"):
        load_weights(composed("network=srcnn_955"), weights_root / "srcnn_915_x3.pt")


class Marker:
    """Something that is not plain data."""


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"model": Marker()}, "more than weights"),
        ([1, 2], "holds a list"),
        ({"epoch": 3}, "holds no weights"),
    ],
)
def test_files_without_plain_weights_are_refused(tmp_path: Path, content: object, complaint: str) -> None:
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(InputError, match=complaint):
        load_weights(small(), tmp_path / "weights.pt")


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_broken_and_absent_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no weight file"):
        load_weights(small(), tmp_path / name)
    for content in (b"", b"not a weight file"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=r"weight file"):
            load_weights(small(), tmp_path / name)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(small().state_dict(), path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="is it whole"):
        load_weights(small(), path)
