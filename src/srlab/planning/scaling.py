"""What data parallelism costs beside computing: a model of one synchronous step, to be read with its assumptions.

A device computes for `compute` seconds, and sends and receives each gradient twice around a ring, (N - 1)/N of it each time
(Patarasu and Yuan, J. Parallel Distrib. Comput. 2009): 2 (N - 1)/N of the gradients' bytes, however many devices there are.
The exchange of a bucket begins when its gradients are there (Li et al., PyTorch Distributed, VLDB 2020, section 3.2.3), so
that all but the last bucket goes on beside the backward pass, which is two thirds of the computing.
"""

import math
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from srlab.networks.cost import blank, one_pass
from srlab.networks.network import Network

BYTES = 4
"""Of a gradient: the weights stay in float32 under mixed precision, and so does what is summed."""
BUCKET = 25 * 2**20
"""Bytes that DistributedDataParallel sends at once."""


@dataclass(frozen=True)
class Cluster:
    """What is assumed of the machines; the defaults are an NVIDIA A100's data sheet, and shares of it that are usual.

    Attributes:
        flops: a device's peak in bfloat16, in 1/s.
        utilisation: the share of it that a training reaches.
        node: devices in a node.
        inside, between: bytes a second of a device, in each direction, within a node and from node to node.
        reached: the share of a link's bytes a second that is reached.
        latency: seconds of a message; an exchange takes 2 log2 N after another.
    """

    flops: float = 312e12
    utilisation: float = 0.3
    node: int = 8
    inside: float = 300e9
    between: float = 25e9
    reached: float = 0.8
    latency: float = 10e-6


@dataclass(frozen=True)
class Step:
    """One step of one device.

    Attributes:
        flops: of the forward and the backward pass over its samples.
        gradient_bytes: that are exchanged.
    """

    flops: int
    gradient_bytes: int


def step_of(network: Network, batch: int, patch: int) -> Step:
    """The step of a network on the meta device.

    Args:
        network: built within `torch.device("meta")`.
        batch: samples of one device.
        patch: LR pixels of a side, rounded to what the network takes.
    """
    side = max(1, round(patch / network.multiple_of)) * network.multiple_of
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        one_pass(network.eval(), blank(network, side, side))
    forward = counter.get_total_flops() * batch
    return Step(3 * forward, gradient_bytes(network))  # backward: by the input and by the weights, as much each


def gradient_bytes(network: torch.nn.Module) -> int:
    """What the devices have to agree on in each step."""
    return BYTES * sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def sent_bytes(gradient: int, devices: int) -> float:
    """What each device sends in a ring, and receives."""
    return 2 * (devices - 1) / devices * gradient


def exchange_seconds(gradient: int, devices: int, cluster: Cluster) -> float:
    """Of the gradients of a step, alone: the slowest link of the ring decides."""
    if devices == 1:
        return 0.0
    link = cluster.inside if devices <= cluster.node else cluster.between
    return sent_bytes(gradient, devices) / (link * cluster.reached) + 2 * math.log2(devices) * cluster.latency


def efficiency(step: Step, devices: int, cluster: Cluster) -> float:
    """Weak scaling: samples a second of a device among so many, of what it does alone."""
    compute = step.flops / (cluster.flops * cluster.utilisation)
    last = min(BUCKET, step.gradient_bytes)
    hidden = exchange_seconds(step.gradient_bytes, devices, cluster) - exchange_seconds(last, devices, cluster)
    waiting = max(0.0, hidden - compute * 2 / 3) + exchange_seconds(last, devices, cluster)
    return compute / (compute + waiting)
