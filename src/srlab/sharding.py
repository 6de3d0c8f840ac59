"""A training whose weights, averages, gradients and optimizer states are shared among its processes, each holding a part.

For a network that does not fit a device: torch's fully sharded data parallelism (FSDP2; Zhao et al., "PyTorch FSDP", VLDB
2023), with the same samples, gradients, checkpoints and exports as `ddp`, which holds all of it on each device and sends
less. A forward pass is of all processes together, so each validates all images.
"""

from typing import TYPE_CHECKING, cast

import torch
from lightning.pytorch.strategies import ModelParallelStrategy
from torch import Tensor, nn

if TYPE_CHECKING:
    from torch.distributed.device_mesh import DeviceMesh


class FullySharded(ModelParallelStrategy):
    """Share everything among all processes.

    Args:
        unit_weights: how many weights are brought together at a time, as their part of the network is computed.
        process_group_backend: None: nccl on GPUs, gloo on the CPU.
    """

    def __init__(self, unit_weights: int = 1_000_000, process_group_backend: str | None = None) -> None:
        super().__init__(
            tensor_parallel_size=1, save_distributed_checkpoint=False, process_group_backend=process_group_backend
        )
        self.unit_weights = unit_weights

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()

    @property
    def mesh(self) -> "DeviceMesh":
        """All processes, in one row."""
        assert self.device_mesh is not None
        return self.device_mesh["data_parallel"]

    def shard(self, network: nn.Module) -> None:
        """Share a network's weights, in units of its parts."""
        network.to(memory_format=torch.contiguous_format)  # what is shared must be so; images need not
        shard(network, self.mesh, self.unit_weights)


def shard(network: nn.Module, mesh: "DeviceMesh", unit_weights: int) -> None:
    """Share the weights of a network in units of at least `unit_weights`: the smallest parts that have so many."""
    from torch.distributed.fsdp import fully_shard  # heavy: few runs need it

    _shard_parts(network, mesh, unit_weights)
    fully_shard(network, mesh=mesh, reshard_after_forward=True)


def _shard_parts(module: nn.Module, mesh: "DeviceMesh", unit_weights: int) -> int:
    """Share what is large enough below a module; how many of its weights are left."""
    from torch.distributed.fsdp import fully_shard

    left = sum(weight.numel() for weight in module.parameters(recurse=False))
    for child in module.children():
        own = _shard_parts(child, mesh, unit_weights)
        if own >= unit_weights and not isinstance(child, nn.ModuleList | nn.ModuleDict | nn.ParameterList):
            fully_shard(child, mesh=mesh, reshard_after_forward=True)
        else:
            left += own
    return left


def local_part(tensor: Tensor) -> Tensor:
    """What this process holds of a tensor: all of it, where it is not shared."""
    return cast("Tensor", tensor.to_local()) if hasattr(tensor, "to_local") else tensor


def whole_weights(network: nn.Module) -> dict[str, Tensor]:
    """A shared network's weights, on every process in the CPU's memory. All processes must ask."""
    weights = network.state_dict()
    return {name: getattr(value, "full_tensor", lambda value=value: value)().cpu() for name, value in weights.items()}
