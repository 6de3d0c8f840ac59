"""The processes of a command that torchrun or srun started together, and that does without Lightning's Trainer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from srlab.ranks import world_size

T = TypeVar("T")


class Together:
    """This process among all, each of which sees to every `world`-th item.

    Args:
        rank, world: its number, from 0, and how many there are.
    """

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.rank, self.world = rank, world

    def merged(self, share: Sequence[T]) -> list[T]:
        """What all processes made of their shares, in the items' order. All processes must ask."""
        if self.world == 1:
            return list(share)
        import torch.distributed

        shares: list[list[T]] = [[] for _ in range(self.world)]
        torch.distributed.all_gather_object(shares, list(share))
        return [shares[item % self.world][item // self.world] for item in range(sum(map(len, shares)))]


@contextmanager
def together() -> Iterator[Together]:
    """Meet the other processes, where there are any."""
    if world_size() == 1:
        yield Together()
        return
    import torch.distributed
    from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    met = TorchElasticEnvironment() if TorchElasticEnvironment.detect() else SLURMEnvironment(auto_requeue=False)
    address = f"tcp://{met.main_address}:{met.main_port}"
    if isinstance(met, TorchElasticEnvironment):
        address = "env://"  # torchrun serves it itself
    torch.distributed.init_process_group("gloo", address, rank=met.global_rank(), world_size=met.world_size())
    try:
        yield Together(met.global_rank(), met.world_size())
    finally:
        torch.distributed.destroy_process_group()
