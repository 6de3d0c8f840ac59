"""A network that is used and never trained, such as one whose features a loss compares."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

N = TypeVar("N", bound=nn.Module)


class Frozen(nn.Module, Generic[N]):
    """Holds a network so that it goes along to any device, and else is out of reach.

    It is no submodule: it has no place in a state dict (of a checkpoint, an average, an export), in `parameters()`, or
    in what processes exchange; its weights get no gradient; it stays in evaluation mode, whatever `train()` says.

    Args:
        network: frozen in place.
    """

    def __init__(self, network: N) -> None:
        super().__init__()
        self.__dict__["network"] = network.requires_grad_(False).eval()

    network: N

    def forward(self, *images: Tensor) -> Any:
        return self.network(*images)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Frozen[N]":
        self.network._apply(fn, recurse)  # type: ignore[no-untyped-call]
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self
