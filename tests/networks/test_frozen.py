import copy

import torch
from torch import nn

from srlab.networks.frozen import Frozen


def test_a_frozen_network_is_out_of_reach_and_goes_along() -> None:
    inner = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), nn.Dropout(0.5))
    holder = nn.ModuleDict({"held": Frozen(inner), "trained": nn.Linear(1, 1)})
    assert set(holder.state_dict()) == {"trained.weight", "trained.bias"}
    assert len(list(holder.parameters())) == 2
    holder.load_state_dict(copy.deepcopy(holder.state_dict()))
    holder.train()
    assert not any(module.training for module in inner.modules())
    image = torch.rand(1, 1, 2, 2, requires_grad=True)
    holder["held"](image).sum().backward()
    assert image.grad is not None
    assert all(parameter.grad is None for parameter in inner.parameters())
    holder.to(torch.float64)
    assert {parameter.dtype for parameter in inner.parameters()} == {torch.float64}
    holder.to("meta")
    assert all(parameter.is_meta for parameter in inner.parameters())
