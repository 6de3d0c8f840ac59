"""A trained network on its own: `model.safetensors` and the `config.yaml` that rebuilds it."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra.utils
import safetensors.torch
from omegaconf import DictConfig, OmegaConf

import srlab
from srlab.build import build
from srlab.errors import InputError
from srlab.networks.network import Network
from srlab.networks.weights import load_weights

if TYPE_CHECKING:
    from srlab.paradigms.base import SuperResolution

EXPORT, WEIGHTS, CONFIG = "export", "model.safetensors", "config.yaml"


def export(network: Network, composition: dict[Any, Any], folder: Path, facts: dict[str, Any]) -> None:
    """Write a network's weights and composition into a folder.

    Args:
        network: what was trained.
        composition: the resolved `framework` node that builds it.
        folder: made if need be.
        facts: plain values that a user of the network should know: its name, the protocol of its training, ...
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    safetensors.torch.save_file(weights, folder / WEIGHTS)
    description = {"srlab": srlab.__version__, "scale": network.scale, "channels": network.channels} | facts
    OmegaConf.save(OmegaConf.create(description | {"framework": composition}), folder / CONFIG)


def export_run(paradigm: "SuperResolution", cfg: DictConfig) -> None:
    """Write the network that a training validated into `export` of the run folder."""
    if paradigm.trainer.is_global_zero:
        composition = OmegaConf.to_container(cfg.framework, resolve=True)
        assert isinstance(composition, dict)
        facts = {"network_name": cfg.network_name, "protocol": paradigm.settings.protocol.name}
        export(paradigm.evaluated, composition, Path(cfg.run_dir) / EXPORT, facts)


def load(path: str | Path, trusted: Sequence[str] = ()) -> Network:
    """The network of an exported folder, ready to use: `srlab.load("runs/demo/export")`.

    Args:
        path: the folder, or a run folder that holds it as `export`.
        trusted: packages beside srlab whose classes the file may name.

    Raises:
        InputError: no such export, or one that names what is neither srlab's nor trusted.
    """
    folder = find_export(Path(path).expanduser())
    description = OmegaConf.load(folder / CONFIG)
    for target in _targets(OmegaConf.to_container(description)):
        if target.partition(".")[0] not in trusted and not _is_our_part(target):
            package = target.partition(".")[0]
            raise InputError(
                f"{folder / CONFIG} names {target}, which is no part of srlab's networks: building it would run a "
                f"stranger's code. If you trust where the file comes from: srlab.load(..., trusted=[{package!r}]), or "
                f"hydra.searchpath=[pkg://{package}.conf] on the command line."
            )
    network: Network = build(description.framework)
    load_weights(network, folder / WEIGHTS)
    return network.eval()


def describe(path: str | Path) -> dict[str, Any]:
    """The facts that were written beside an exported network."""
    description = OmegaConf.to_container(OmegaConf.load(find_export(Path(path).expanduser()) / CONFIG))
    assert isinstance(description, dict)
    return {str(name): value for name, value in description.items()}


def find_export(path: Path) -> Path:
    """The folder with an exported network: the path itself, or `export` below it."""
    for folder in (path, path / EXPORT):
        if (folder / WEIGHTS).is_file() and (folder / CONFIG).is_file():
            return folder
    raise InputError(f"{path} holds no exported network: expected {WEIGHTS} and {CONFIG} there, or in {path / EXPORT}.")


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "_target_":
                yield str(value)
            else:
                yield from _targets(value)
    elif isinstance(node, list):
        for item in node:
            yield from _targets(item)


def _is_our_part(target: str) -> bool:
    """Whether a name is a class that srlab's networks define, not something reached through their imports."""
    if not target.startswith("srlab.networks."):
        return False
    part = hydra.utils.get_object(target)
    return inspect.isclass(part) and f"{part.__module__}.{part.__qualname__}" == target
