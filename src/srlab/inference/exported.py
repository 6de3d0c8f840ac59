"""A trained network on its own: `model.safetensors` and the `config.yaml` that rebuilds it."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import hydra.utils
import safetensors.torch
from omegaconf import DictConfig, OmegaConf

import srlab
from srlab.build import build
from srlab.errors import InputError
from srlab.networks.network import Network
from srlab.networks.weights import load_weights, read
from srlab.resume import readable

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
    if "weights" in composition:  # of a network that is made from its file: the one beside this
        composition = composition | {"weights": WEIGHTS}
    description = {"srlab": srlab.__version__, "scale": network.scale, "channels": network.channels} | facts
    OmegaConf.save(OmegaConf.create(description | {"framework": composition}), folder / CONFIG)


def export_run(paradigm: "SuperResolution", cfg: DictConfig) -> None:
    """Write the network that a training validated into `export` of the run folder, where there is one to write."""
    if paradigm.trainer.is_global_zero and not paradigm.unexportable:
        composition = OmegaConf.to_container(cfg.paradigm.get("network", cfg.framework), resolve=True)
        assert isinstance(composition, dict)
        facts = {"network_name": cfg.network_name, "protocol": paradigm.settings.protocol.name, **paradigm.facts}
        export(paradigm.evaluated, composition, Path(cfg.run_dir) / EXPORT, facts)


class Trained(NamedTuple):
    """A trained network with what rebuilds it.

    Attributes:
        network: ready to use.
        composition: the resolved `framework` node.
        facts: plain values beside it: its name, the protocol of its training.
    """

    network: Network
    composition: dict[Any, Any]
    facts: dict[str, Any]


def load(path: str | Path, trusted: Sequence[str] = (), use: str | None = None) -> Network:
    """The network of an exported folder, ready to use: `srlab.load("runs/demo/export")`.

    Args:
        path: the folder, a run folder that holds it as `export`, or a checkpoint of a run.
        trusted: packages beside srlab whose classes the file may name.
        use: of a checkpoint, `ema` or `raw` weights; None: those that the training evaluated.

    Raises:
        InputError: no such export, or one that names what is neither srlab's nor trusted.
    """
    return open_trained(path, trusted, use).network


def open_trained(path: str | Path, trusted: Sequence[str] = (), use: str | None = None) -> Trained:
    """As `load`, with what rebuilds the network. A run is its export, or with `use` its newest checkpoint."""
    path = Path(path).expanduser()
    if use not in {None, "ema", "raw"}:
        raise InputError(f"use={use}: choose ema or raw.")
    if path.is_dir() and use is not None:
        path = newest_checkpoint(path)
    if path.is_dir():
        folder = find_export(path)
        file = folder / WEIGHTS
        composition, facts = _parts_of(describe(folder))
        averaged = True
    else:
        file = path
        checkpoint = read(path)
        config = checkpoint.get("config")
        if not isinstance(config, dict) or "framework" not in config:
            raise InputError(
                f"{path} does not say what network it is of: give network=<its name>, or a run's checkpoint."
            )
        averaged = (use or config["training"]["evaluate"]) == "ema"
        if averaged and not any(name.startswith("ema.network.") for name in checkpoint["state_dict"]):
            raise InputError(f"{path} holds no moving average (training.ema_decay was null): give use=raw.")
        composition, facts = _parts_of(describe(path, config) | dict(checkpoint.get("facts", {})))
    refuse_strangers(composition, file, trusted)
    node = OmegaConf.create(composition)
    if "weights" in node:  # the network is made from its file: this one
        node.weights = str(file)
    network: Network = build(node)
    load_weights(network, file, averaged)
    return Trained(network.eval(), composition, facts)


def describes_itself(path: str | Path) -> bool:
    """Whether a path brings its own composition: a folder, or a checkpoint of ours; a bare weight file does not."""
    path = Path(path).expanduser()
    return path.is_dir() or (path.suffix == ".ckpt" and path.is_file() and "config" in read(path))


def describe(path: str | Path, config: dict[str, Any] | None = None) -> dict[str, Any]:
    """The facts of a trained network: those written beside its export, or those in the config of its checkpoint."""
    path = Path(path).expanduser()
    if path.is_dir():
        description = OmegaConf.to_container(OmegaConf.load(find_export(path) / CONFIG))
        assert isinstance(description, dict)
        return {str(name): value for name, value in description.items()}
    config = read(path)["config"] if config is None else config
    return {
        "network_name": config["network_name"],
        "protocol": config["protocol"].get("name"),
        "framework": config["paradigm"].get("network", config["framework"]),
    }


def newest_checkpoint(folder: Path) -> Path:
    """The latest readable checkpoint of a run folder.

    Raises:
        InputError: there is none.
    """
    for path in readable(folder / "checkpoints"):
        return path
    raise InputError(
        f"{folder} holds no checkpoint, which use=ema and use=raw choose from: leave use out, or give a run."
    )


def _parts_of(description: dict[str, Any]) -> tuple[dict[Any, Any], dict[str, Any]]:
    facts = {
        name: value for name, value in description.items() if name not in {"framework", "srlab", "scale", "channels"}
    }
    return description["framework"], facts


def refuse_strangers(composition: dict[Any, Any], file: Path, trusted: Sequence[str]) -> None:
    """Refuse a composition that names what is neither srlab's nor trusted (`InputError`)."""
    for target in _targets(composition):
        package = target.partition(".")[0]
        if package not in trusted and not _is_our_part(target):
            raise InputError(
                f"{file} comes with {target}, which is no part of srlab's networks: building it would run a "
                f"stranger's code. If you trust where the file comes from: srlab.load(..., trusted=[{package!r}]), or "
                f"hydra.searchpath=[pkg://{package}.conf] on the command line."
            )


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
