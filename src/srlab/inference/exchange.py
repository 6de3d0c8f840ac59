"""A network for programs of others: ONNX, and the published layout of its design. What is written is read back and compared.

The comparison is of whole images in float32, at sizes that the writing did not see: a file that gives another image is
refused, and not left behind.
"""

import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from srlab.errors import InputError
from srlab.files import write_atomically
from srlab.networks.community import recognised
from srlab.networks.network import Network
from srlab.networks.publishing import published_state
from srlab.networks.video.network import VideoNetwork

TOLERANCE = 1e-3
"""Of a difference to the network's image, in its range: two orders above float32's rounding in a deep network."""

SIZES = ((5, 7), (12, 9))
"""Height and width of the images that are compared, in units of what the network takes; none is the traced one."""

OPSET = 18


def write_onnx(network: Network, path: Path) -> float:
    """Write lr (B, C, H, W) -> sr with free B, H and W; the largest difference that onnxruntime's image has.

    Raises:
        InputError: onnx is not installed, the design cannot be traced, or the file computes another image.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401 - torch's exporter needs it
    except ImportError as error:
        raise InputError(f"format=onnx needs {error.name}: pip install 'srlab[exchange]'.") from error
    if network.guide_channels or isinstance(network, VideoNetwork):
        kind = "a guide" if network.guide_channels else "clips"
        raise InputError(f"format=onnx takes networks of one image, and this one takes {kind}: use format=srlab.")
    unit = network.multiple_of
    names = {2: "height", 3: "width"}
    sizes = {axis: unit * torch.export.Dim(name, min=2, max=65536) for axis, name in names.items()}
    example = example_image(network, 8, 10)
    quiet(logging.getLogger("torch.onnx"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                OnlySR(network).eval(),
                (example.expand(2, -1, -1, -1),),
                dynamo=True,
                dynamic_shapes={"lr": {0: torch.export.Dim("batch", min=1, max=4096), **sizes}},
                input_names=["lr"],
                output_names=["sr"],
                opset_version=OPSET,
                verbose=False,
            )
    except Exception as error:  # torch raises a dozen kinds
        reason = str(error.__cause__ or error).strip().splitlines()
        raise InputError(
            f"{type(network).__name__} cannot be written as ONNX with free sizes, since what it computes cannot be traced "
            f"({reason[0] if reason else type(error).__name__}): use format=srlab."
        ) from error
    assert program is not None
    model = program.model_proto
    facts = {"scale": network.scale, "channels": network.channels, "multiple_of": unit, "halo": network.halo}
    onnx.helper.set_model_props(model, {name: str(value) for name, value in facts.items()})
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    difference = largest_difference(
        network, lambda lr: torch.from_numpy(session.run(["sr"], {"lr": lr.numpy()})[0]), "onnxruntime"
    )
    write_atomically(path, lambda file: file.write(model.SerializeToString()))
    return difference


def write_published(network: Network, path: Path) -> float:
    """Write the weights as published files of the design have them; the largest difference of the image that spandrel's has.

    Raises:
        InputError: the design has no such layout, or numbers that its files cannot say.
    """
    try:
        state = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in published_state(network).items()}
        found = recognised("The published layout of this network", dict(state))
    except ValueError as error:
        raise InputError(f"{error}") from error
    theirs = found.model.eval()
    if found.scale != network.scale:
        raise InputError(
            f"Read as published, the file enlarges {found.scale} times, not {network.scale}: use format=srlab."
        )
    difference = largest_difference(network, lambda lr: found._call_fn(theirs, lr.clone()), "spandrel", least=16)
    content = safetensors.torch.save(state, {"format": "pt"})
    write_atomically(path, lambda file: file.write(content))
    return difference


class OnlySR(nn.Module):
    """A network whose output is the image alone."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, lr: Tensor) -> Tensor:
        sr: Tensor = self.network(lr).sr
        return sr


def example_image(network: Network, height: int, width: int, least: int = 1) -> Tensor:
    """An image of noise (1, C, H, W), of so many units each way; at least so many pixels."""
    unit = network.multiple_of * -(-least // (network.multiple_of * min(height, width)))
    generator = torch.Generator().manual_seed(height)
    return torch.rand(1, network.channels, unit * height, unit * width, generator=generator)


@torch.no_grad()
def largest_difference(network: Network, other: Callable[[Tensor], Tensor], reader: str, least: int = 1) -> float:
    """How far another program's images are from the network's at most.

    Raises:
        InputError: too far for rounding.
    """
    network = network.float().cpu().eval()
    found = 0.0
    for height, width in SIZES:
        lr = example_image(network, height, width, least)
        ours = network(lr).sr
        try:
            theirs = other(lr)
        except Exception as error:  # whatever the other program raises
            raise InputError(f"{reader} cannot run what was written: {error}. Use format=srlab.") from error
        if ours.shape != theirs.shape:
            raise InputError(
                f"{reader} makes {tuple(theirs.shape)} of the written file, the network {tuple(ours.shape)}: use "
                f"format=srlab, and report this."
            )
        found = max(found, float((ours - theirs).abs().max() / ours.abs().max().clamp(min=1)))
    if found > TOLERANCE:
        raise InputError(
            f"{reader} computes another image from the written file, up to {found:.2g} off: the network has numbers that "
            f"the format cannot say (a mean, a damping, an activation of its own). Use format=srlab."
        )
    return found


def quiet(logger: logging.Logger) -> None:
    """Let a library speak of errors only."""
    logger.setLevel(logging.ERROR)
